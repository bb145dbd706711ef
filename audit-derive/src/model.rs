//! What `check` has found to be right, and all that `emit` knows.

use proc_macro2::{Ident, TokenStream};
use syn::{ExprPath, Generics, Member, Type, WherePredicate};

use crate::parse::Text;
use crate::roles::Role;

/// The version of an event's form where none is given.
pub(crate) const VERSION: &str = "1.0";

/// What both derives know of their type.
pub(crate) struct Item {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// The path to the library's hidden module, through which everything generated goes.
    pub(crate) library: TokenStream,
    /// `bound`: these predicates instead of the inferred ones.
    pub(crate) bound: Option<Vec<WherePredicate>>,
    /// For the impls: the lints that the item allows, and `deprecated` where the item itself is.
    pub(crate) lints: TokenStream,
    /// `repr(packed)`: no reference to a field may be taken, so fields are copied.
    pub(crate) packed: bool,
}

/// A type that derives `AuditEvent`.
pub(crate) struct Event {
    pub(crate) item: Item,
    pub(crate) shape: Shape<EventType>,
}

/// A struct, or the variants of an enum.
pub(crate) enum Shape<T> {
    Struct(T),
    Enum(Vec<(Ident, T)>),
}

impl<T> Shape<T> {
    /// What there is, in its order: one for a struct, one a variant for an enum.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        let (one, many) = match self {
            Self::Struct(one) => (Some(one), [].as_slice()),
            Self::Enum(many) => (None, many.as_slice()),
        };
        one.into_iter().chain(many.iter().map(|(_, one)| one))
    }
}

impl Event {
    /// The event types.
    pub(crate) fn types(&self) -> impl Iterator<Item = &EventType> {
        self.shape.all()
    }
}

/// One event type: a struct, or a variant of an enum.
pub(crate) struct EventType {
    pub(crate) source: Text,
    pub(crate) name: Text,
    pub(crate) version: Text,
    pub(crate) doc: Doc,
    /// No field is the id.
    pub(crate) generate_id: bool,
    /// All fields but the skipped ones, as declared.
    pub(crate) fields: Vec<Field>,
    /// The skipped fields.
    pub(crate) skipped: Vec<Member>,
}

impl EventType {
    /// The fields that the code for the event does not read. A field that is never read gives a warning, so it names them.
    pub(crate) fn unread(&self) -> impl Iterator<Item = &Member> {
        unread(&self.fields, &self.skipped)
    }

    pub(crate) fn has(&self, role: Role) -> bool {
        self.fields.iter().any(|field| field.role == role)
    }
}

/// A type that derives `UserIdentity`.
pub(crate) struct Identity {
    pub(crate) item: Item,
    pub(crate) shape: Shape<IdentityType>,
}

/// A type of identity: a struct, or a variant of an enum.
pub(crate) struct IdentityType {
    pub(crate) kind: Text,
    /// All fields but the skipped ones, as declared.
    pub(crate) fields: Vec<Field>,
    /// The skipped fields.
    pub(crate) skipped: Vec<Member>,
}

/// A type that derives `AuditValue`.
pub(crate) struct AuditValue {
    pub(crate) item: Item,
    pub(crate) shape: Shape<ValueType>,
}

/// The fields of a value: of a struct, or of a variant.
pub(crate) struct ValueType {
    /// A variant's name in the JSON.
    pub(crate) name: Text,
    /// All fields but the skipped ones, as declared.
    pub(crate) fields: Vec<Field>,
    /// The skipped fields.
    pub(crate) skipped: Vec<Member>,
}

/// A type that derives `AuditError`.
pub(crate) struct AuditError {
    pub(crate) item: Item,
    pub(crate) shape: Shape<Text>,
}

/// The fields that the generated code does not read.
pub(crate) fn unread<'f>(fields: &'f [Field], skipped: &'f [Member]) -> impl Iterator<Item = &'f Member> {
    fields.iter().filter(|field| !field.is_read()).map(|field| &field.member).chain(skipped)
}

/// A doc comment.
pub(crate) enum Doc {
    /// All of it is written out.
    Text(String),
    /// Parts of it are made by macros: what to concatenate.
    Parts(Vec<TokenStream>),
}

/// A field that takes part.
pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    pub(crate) role: Role,
    /// The key under which it stands; none where the role has no key, or with `flatten`.
    pub(crate) key: Option<Text>,
    pub(crate) skip_if: Option<ExprPath>,
    pub(crate) with: Option<ExprPath>,
    pub(crate) form: Form,
    /// The type of the thing that the value is the id of.
    pub(crate) target: Option<Text>,
    /// Whether the catalog shows the fields of the value.
    pub(crate) nested: bool,
    /// Whether the catalog says that the value is personal data.
    pub(crate) personal: bool,
}

impl Field {
    /// Whether the generated code reads the field.
    pub(crate) fn is_read(&self) -> bool {
        self.form != Form::Redacted || self.skip_if.is_some()
    }
}

/// How a field's value is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Plain,
    Flattened,
    Redacted,
    Hmac,
}
