//! Who acted.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::rc::Rc;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::EncodeError;
use super::masking;
use super::member::{display_fails, write_text};
use super::object::{ObjectWriter, members_of};
use super::sealed::Sealed;
use crate::contract::violation::Violation;
use crate::json::escape::{write_displayed, write_str};
use crate::json::keys::Keys;
use crate::json::scan::{self, Scanner, Value};
use crate::limits::{Field, TextFault};
use crate::names::hex::push_hex;

/// A person or a thing that acts: what becomes an event's `userIdentity`.
///
/// Derive it for your own users, or make an [`Identity`] at run time.
///
/// A future that holds a `&dyn UserIdentity` across an `.await` is not `Send`, since the type behind it need not be `Sync`. Where the
/// future has to be `Send`, as `tokio::spawn` asks, take `&(dyn UserIdentity + Send + Sync)`: it goes wherever a `&dyn UserIdentity`
/// goes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who acts",
    label = "not a user identity",
    note = "derive `UserIdentity` for the type, with `#[audit(type = \"…\")]` on it and `#[audit(principal_id)]` on a field",
    note = "or make an identity at run time: `Identity::new(\"Staff\", \"alice@example.com\")?`"
)]
pub trait UserIdentity {
    /// What kind of actor it is: `Staff`, `Service`. 1 to 128 characters.
    fn identity_type(&self) -> Cow<'_, str>;

    /// Who it is, unmistakably: 1 to 1,024 characters. Derived with `redact` or `hmac` on the principal, it is `[REDACTED]` here, and
    /// the mask only in an event.
    fn principal_id(&self) -> Cow<'_, str>;

    /// What else there is to say.
    fn details(&self, details: &mut ObjectWriter<'_>) -> Result<(), EncodeError> {
        let _ = details;
        Ok(())
    }

    /// For the derive: the principal's text as something displays it, so that it needs no string of its own.
    #[doc(hidden)]
    fn __principal_id(&self, text: &mut dyn FnMut(&dyn Display)) {
        text(&self.principal_id());
    }
}

macro_rules! through_pointer {
    ($($pointer:ty),*) => {$(
        impl<T: UserIdentity + ?Sized> UserIdentity for $pointer {
            fn identity_type(&self) -> Cow<'_, str> {
                (**self).identity_type()
            }
            fn principal_id(&self) -> Cow<'_, str> {
                (**self).principal_id()
            }
            fn details(&self, details: &mut ObjectWriter<'_>) -> Result<(), EncodeError> {
                (**self).details(details)
            }
            fn __principal_id(&self, text: &mut dyn FnMut(&dyn Display)) {
                (**self).__principal_id(text);
            }
        }
    )*};
}
through_pointer!(&T, Box<T>, Rc<T>, Arc<T>);

/// What a field that names the actor can be: a [`UserIdentity`], also in an `Option`, whose `None` leaves it to the context.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who acts",
    label = "not a user identity",
    note = "derive `UserIdentity` for the type, with `#[audit(type = \"…\")]` on it and `#[audit(principal_id)]` on a field",
    note = "or make an identity at run time: `Identity::new(\"Staff\", \"alice@example.com\")?`"
)]
pub trait Actor {
    /// Any [`UserIdentity`] is an actor; no other type implements this.
    #[doc(hidden)]
    const __SEALED: Sealed;

    /// Who acted, or `None` to leave it to the context.
    fn actor(&self) -> Option<&dyn UserIdentity>;
}

impl<T: UserIdentity> Actor for T {
    const __SEALED: Sealed = Sealed;

    fn actor(&self) -> Option<&dyn UserIdentity> {
        Some(self)
    }
}

impl<T: UserIdentity> Actor for Option<T> {
    const __SEALED: Sealed = Sealed;

    fn actor(&self) -> Option<&dyn UserIdentity> {
        self.as_ref().map(|identity| identity as &dyn UserIdentity)
    }
}

macro_rules! of_trait_object {
    ($($object:ty),*) => {$(
        impl Actor for $object {
            const __SEALED: Sealed = Sealed;

            fn actor(&self) -> Option<&dyn UserIdentity> {
                Some(self)
            }
        }
    )*};
}
of_trait_object!(dyn UserIdentity + '_, dyn UserIdentity + Send + '_, dyn UserIdentity + Send + Sync + '_);

/// Writes the member `userIdentity`, and in its details the object of the one on whose behalf they act.
pub(crate) fn write_identity(
    out: &mut String,
    identity: &dyn UserIdentity,
    on_behalf_of: Option<&str>,
) -> Result<(), EncodeError> {
    out.push_str(",\"userIdentity\":");
    let start = out.len();
    write_identity_object(out, identity)?;
    match on_behalf_of {
        Some(other) => put_on_behalf_of(out, start, other),
        None => Ok(()),
    }
}

/// Puts `onBehalfOf` into the details of the identity that was written from `start` on, unless they have it.
pub(crate) fn put_on_behalf_of(out: &mut String, start: usize, other: &str) -> Result<(), EncodeError> {
    /// What has to be known of an identity.
    #[derive(Deserialize)]
    struct Known {
        details: Keys,
    }

    let identity = out.get(start..).unwrap_or_default();
    // Inside a string, these quotes would be escaped; an object of details comes last.
    let has_details = identity.contains(",\"details\":{");
    let names_it = |known: Known| known.details.contain("onBehalfOf");
    let may_name_it = identity.contains("onBehalfOf") || identity.contains('\\');
    if has_details && may_name_it && serde_json::from_str(identity).is_ok_and(names_it) {
        return Ok(());
    }
    out.pop();
    if has_details {
        out.pop();
    }
    out.push_str(if has_details { ",\"onBehalfOf\":" } else { ",\"details\":{\"onBehalfOf\":" });
    out.push_str(other);
    out.push_str("}}");
    // It stands in the event's object.
    Ok(scan::check_inside(out.get(start..).unwrap_or_default(), 1)?)
}

/// Writes the object `{"type":…,"principalId":…,"details":{…}}`, the details only if there are any.
pub(crate) fn write_identity_object(out: &mut String, identity: &dyn UserIdentity) -> Result<(), EncodeError> {
    out.push_str("{\"type\":");
    write_text(out, Field::IdentityType, &identity.identity_type())?;
    out.push_str(",\"principalId\":");
    let mut written = None;
    let start = out.len();
    identity.__principal_id(&mut |principal| {
        if written.is_none() {
            written = Some(write_displayed(out, principal, fitting_principal));
        }
    });
    match written {
        Some(Ok(None)) => {}
        Some(Ok(Some(fitting))) => {
            out.truncate(start);
            write_str(out, &fitting);
        }
        Some(Err(_)) => return Err(display_fails(Field::PrincipalId)),
        // A principal that is to be hidden is not given where there is no key.
        None => {
            let missing = Violation::Missing(Field::PrincipalId);
            return Err(masking::take_fault().map_or_else(|| missing.into(), EncodeError::new));
        }
    }
    let mut details = ObjectWriter::new(out, Field::Details);
    identity.details(&mut details)?;
    details.close()?;
    out.push('}');
    Ok(())
}

/// For the derive: gives the mask of a principal in place of its text. An empty one stays empty.
pub(crate) fn mask_principal(principal: &dyn Display, text: &mut dyn FnMut(&dyn Display)) {
    let shown = principal.to_string();
    if shown.is_empty() {
        text(&shown);
    } else if let Ok(mask) = masking::mask_text(Field::PrincipalId.path(), &shown) {
        text(&mask);
    }
}

/// What stands for a principal ID that the contract does not take, if it does not take this one. A principal may be what a stranger
/// typed into a login form, who must not decide whether the event is recorded: an empty one becomes `-`, and one of over 1,024
/// characters its beginning and the SHA-256 of all of it, so that no two become the same.
fn fitting_principal(text: &str) -> Option<String> {
    match Field::PrincipalId.check_text(text) {
        Ok(()) => None,
        Err(TextFault::Empty) => Some("-".to_owned()),
        Err(TextFault::TooLong { limit, .. }) => Some(shortened(text, limit)),
    }
}

/// The beginning of a text and the SHA-256 of all of it, in this many characters.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    let mut hash = "…sha256:".to_owned();
    for byte in Sha256::digest(text.as_bytes()) {
        push_hex(&mut hash, byte);
    }
    let room = limit.saturating_sub(hash.chars().count());
    text.chars().take(room).chain(hash.chars()).collect()
}

/// An identity that is built at run time.
///
/// ```
/// use audit_core::Identity;
///
/// let alice = Identity::new("Staff", "alice@example.com")?.detail("department", "support")?.detail("mfa", true)?;
/// # Ok::<(), audit_core::EncodeError>(())
/// ```
#[derive(Clone)]
pub struct Identity {
    kind: Box<str>,
    principal_id: Box<str>,
    /// The members of the `details` object, as JSON, with commas between them.
    details: String,
}

impl Identity {
    /// An identity of a type (1 to 128 characters) with a principal ID (1 to 1,024 characters). Of a longer principal ID the
    /// beginning is recorded, with the SHA-256 of all of it; for an empty one, `-`.
    pub fn new(identity_type: &str, principal_id: &str) -> Result<Self, EncodeError> {
        let field = Field::IdentityType;
        field.check_text(identity_type).map_err(|fault| Violation::of_text(field, fault))?;
        let principal_id = fitting_principal(principal_id).unwrap_or_else(|| principal_id.to_owned());
        Ok(Self { kind: identity_type.into(), principal_id: principal_id.into(), details: String::new() })
    }

    /// Reads what `write_identity_object` has written.
    pub(crate) fn from_json(json: &str) -> Result<Self, EncodeError> {
        let (mut kind, mut principal_id, mut details) = (String::new(), String::new(), "");
        let mut scanner = Scanner::new(json);
        let mut unknown = false;
        scanner.value_start();
        if !scanner.next_is_object() {
            return Err(Violation::WrongType { field: Field::UserIdentity, found: "no object" }.into());
        }
        let read = scanner.object(|scanner, key| {
            let start = scanner.value_start();
            match (key, scanner.value()?) {
                ("type", Value::Text(text)) => kind = text.decode().into_owned(),
                ("principalId", Value::Text(text)) => principal_id = text.decode().into_owned(),
                ("details", Value::Object) => details = json.get(start..scanner.offset()).unwrap_or_default(),
                _ => unknown = true,
            }
            Ok(())
        });
        read.and_then(|()| scanner.end()).map_err(|fault| EncodeError::from(*fault))?;
        if unknown {
            return Err(Violation::UnknownField(Field::UserIdentity.path().to_owned()).into());
        }
        // Its own object is one level, and the event's another.
        scan::check_inside(json, 1)?;
        let identity = Self::new(&kind, &principal_id)?;
        Ok(Self { details: members_of(details).unwrap_or_default().trim_ascii().to_owned(), ..identity })
    }

    /// Adds to what is known of the actor, under a key that it does not have yet. A `None` is left out.
    pub fn detail(mut self, key: &str, value: impl Serialize) -> Result<Self, EncodeError> {
        let mut json = String::new();
        let mut members = ObjectWriter::new(&mut json, Field::Details);
        members.members(&self.details).field(key, &value);
        members.close()?;
        // The writer set the object's key before it, unless there was nothing to write.
        let object = json.find('{').and_then(|start| json.get(start..)).and_then(members_of);
        object.unwrap_or_default().clone_into(&mut self.details);
        Ok(self)
    }
}

impl UserIdentity for Identity {
    fn identity_type(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.kind)
    }

    fn principal_id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.principal_id)
    }

    fn details(&self, details: &mut ObjectWriter<'_>) -> Result<(), EncodeError> {
        details.members(&self.details).done()
    }
}

/// Shows who it is, and no details.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("type", &self.kind)
            .field("principal_id", &self.principal_id)
            .finish_non_exhaustive()
    }
}
