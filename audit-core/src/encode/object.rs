//! A JSON object that is written member by member.

use serde::Serialize;

use super::error::{EncodeError, EncodeFault};
use super::hmac::HmacKey;
use super::masking;
use super::value::{self, Written};
use crate::contract::schema::check_bytes;
use crate::json::escape::{plain_len, write_str};
use crate::json::fault::Fault;
use crate::json::scan;
use crate::limits::{Field, Side};

/// Writes one of an event's objects, member by member. It keeps the first error and then writes nothing more, so calls
/// can be chained; [`done`](Self::done) returns it.
///
/// ```
/// use std::borrow::Cow;
/// use audit_core::{EncodeError, ObjectWriter, UserIdentity};
///
/// struct Robot { serial: u64, owner: Option<String> }
///
/// impl UserIdentity for Robot {
///     fn identity_type(&self) -> Cow<'_, str> { "Robot".into() }
///     fn principal_id(&self) -> Cow<'_, str> { format!("robot-{}", self.serial).into() }
///     fn details(&self, details: &mut ObjectWriter<'_>) -> Result<(), EncodeError> {
///         details.field("serial", &self.serial).field("owner", &self.owner).done()
///     }
/// }
/// ```
#[derive(Debug)]
pub struct ObjectWriter<'a> {
    out: &'a mut String,
    object: Object,
    error: Option<EncodeError>,
}

impl<'a> ObjectWriter<'a> {
    pub(crate) fn new(out: &'a mut String, field: Field) -> Self {
        Self { out, object: Object::new(field, false), error: None }
    }

    /// Writes a member. A `None` is left out.
    pub fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> &mut Self {
        self.attempt(|object, out| object.field(out, key, value))
    }

    /// Writes the members of a value that is an object, in its place.
    pub fn flatten<T: Serialize + ?Sized>(&mut self, value: &T) -> &mut Self {
        self.attempt(|object, out| object.flatten(out, value))
    }

    /// Writes `[REDACTED]`.
    pub fn redact(&mut self, key: &str) -> &mut Self {
        self.attempt(|object, out| {
            object.redact(out, key);
            Ok(())
        })
    }

    /// Writes a value that can be found, but not read: its HMAC-SHA-256 under the context's key, as
    /// [`EventDataWriter::hmac`](crate::EventDataWriter::hmac) does. A `None` is left out.
    pub fn hmac<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> &mut Self {
        self.attempt(|object, out| {
            object.masked(out, key, value, |json| {
                masking::mask(key, json).map_err(|_| {
                    let fault = masking::take_fault();
                    EncodeError::new(fault.unwrap_or(EncodeFault::NoHmacKey { key: key.to_owned() }))
                })
            })
        })
    }

    /// Writes members that are JSON already, with commas between them.
    pub(crate) fn members(&mut self, json: &str) -> &mut Self {
        self.attempt(|object, out| {
            if !json.is_empty() {
                object.begin_member(out);
                out.push_str(json);
            }
            Ok(())
        })
    }

    /// For the derive, which has compared the keys.
    #[doc(hidden)]
    pub fn __distinct_keys(&mut self) -> &mut Self {
        self.object.distinct = true;
        self
    }

    fn attempt(&mut self, write: impl FnOnce(&mut Object, &mut String) -> Result<(), EncodeError>) -> &mut Self {
        if self.error.is_none()
            && let Err(error) = write(&mut self.object, self.out)
        {
            self.error = Some(error);
        }
        self
    }

    /// The first error, if there was one.
    pub fn done(&mut self) -> Result<(), EncodeError> {
        self.error.take().map_or(Ok(()), Err)
    }

    pub(crate) fn close(mut self) -> Result<(), EncodeError> {
        self.done()?;
        self.object.close(self.out)
    }
}

/// The state of an object that is being written. It begins with its first member: an object with none is left out.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) field: Field,
    /// Where its brace stands.
    start: Option<usize>,
    /// Whether its keys are known to be distinct.
    distinct: bool,
}

impl Object {
    pub(crate) fn new(field: Field, distinct: bool) -> Self {
        Self { field, start: None, distinct }
    }

    /// How many objects are open where its members stand.
    fn depth(&self) -> usize {
        if self.field == Field::Details { 3 } else { 2 }
    }

    /// The object so far, without its closing brace; `None` before its first member.
    pub(crate) fn written<'a>(&self, out: &'a str) -> Option<&'a str> {
        out.get(self.start?..)
    }

    /// Writes a member whose key and value are JSON already, and whose key the object does not have.
    pub(crate) fn ready(&mut self, out: &mut String, key: &str, value: &str) {
        self.begin_member(out);
        out.extend([key, ":", value]);
    }

    /// Writes what comes before members: the comma, or with the first member the object's own key and brace.
    fn begin_member(&mut self, out: &mut String) {
        if self.start.is_some() {
            out.push(',');
        } else {
            self.open(out);
        }
    }

    fn open(&mut self, out: &mut String) {
        out.push_str(match self.field {
            Field::RequestParameters => ",\"requestParameters\":{",
            Field::ResponseElements => ",\"responseElements\":{",
            Field::AdditionalEventData => ",\"additionalEventData\":{",
            _ => ",\"details\":{",
        });
        self.start = Some(out.len() - 1);
    }

    fn begin_key(&mut self, out: &mut String, key: &str) {
        if plain_len(key.as_bytes()) < key.len() {
            self.begin_member(out);
            write_str(out, key);
            out.push(':');
            return;
        }
        // The same in pieces that are as large as can be.
        if self.start.is_some() {
            out.push_str(",\"");
        } else {
            self.open(out);
            out.push('"');
        }
        out.push_str(key);
        out.push_str("\":");
    }

    pub(crate) fn field<T: Serialize + ?Sized>(
        &mut self,
        out: &mut String,
        key: &str,
        value: &T,
    ) -> Result<(), EncodeError> {
        let (before, start) = (out.len(), self.start);
        self.begin_key(out, key);
        let written = value::write(out, key, value, self.depth()).map_err(|error| error.under(self.field))?;
        if written == Written::Nothing {
            out.truncate(before);
            self.start = start;
        }
        Ok(())
    }

    pub(crate) fn flatten<T: Serialize + ?Sized>(&mut self, out: &mut String, value: &T) -> Result<(), EncodeError> {
        let (before, start) = (out.len(), self.start);
        self.begin_member(out);
        let from = out.len();
        // Its members stand where the object itself is written, so it takes no level of its own.
        let written = value::write(out, "", value, self.depth() - 1).map_err(|error| error.under(self.field))?;
        if written == Written::Nothing || out.get(from..) == Some("{}") {
            out.truncate(before);
            self.start = start;
            return Ok(());
        }
        if out.as_bytes().get(from) != Some(&b'{') {
            return Err(EncodeError::new(EncodeFault::NotAnObject { field: self.field }));
        }
        out.remove(from);
        out.pop();
        self.distinct = false;
        Ok(())
    }

    /// Writes what an operation gave back: the members of an object, or anything else under `result`.
    pub(crate) fn outcome<T: Serialize + ?Sized>(&mut self, out: &mut String, value: &T) -> Result<(), EncodeError> {
        let from = out.len();
        let written = value::write(out, "result", value, self.depth() - 1).map_err(|error| error.under(self.field))?;
        let json = out.split_off(from);
        if written == Written::Nothing || json == "null" {
            return Ok(());
        }
        let Some(members) = members_of(&json) else {
            self.begin_key(out, "result");
            out.push_str(&json);
            return Ok(());
        };
        if !members.is_empty() {
            self.begin_member(out);
            self.distinct = false;
            out.push_str(members);
        }
        Ok(())
    }

    pub(crate) fn redact(&mut self, out: &mut String, key: &str) {
        self.begin_key(out, key);
        out.push_str("\"[REDACTED]\"");
    }

    /// Writes a value's mask: over a string's own bytes, or over another value's JSON.
    pub(crate) fn hmac<T: Serialize + ?Sized>(
        &mut self,
        out: &mut String,
        key: &str,
        value: &T,
        hmac_key: Option<&HmacKey>,
    ) -> Result<(), EncodeError> {
        self.masked(out, key, value, |json| {
            let no_key = || EncodeError::new(EncodeFault::NoHmacKey { key: key.to_owned() });
            let hmac_key = hmac_key.ok_or_else(no_key)?;
            if !hmac_key.has_valid_id() {
                return Err(EncodeError::new(EncodeFault::HmacKeyId));
            }
            Ok(hmac_key.mask(json))
        })
    }

    fn masked<T: Serialize + ?Sized>(
        &mut self,
        out: &mut String,
        key: &str,
        value: &T,
        mask: impl FnOnce(&str) -> Result<String, EncodeError>,
    ) -> Result<(), EncodeError> {
        let mut json = String::new();
        // The value's own words could be in the reason, so it is not told.
        let hide = |_| {
            let reason = "its Serialize fails".to_owned();
            EncodeError::new(EncodeFault::NotJson { key: key.to_owned(), reason }).under(self.field)
        };
        if value::write(&mut json, key, value, self.depth()).map_err(hide)? == Written::Nothing {
            return Ok(());
        }
        let mask = mask(&json).map_err(|error| error.under(self.field))?;
        self.begin_key(out, key);
        write_str(out, &mask);
        Ok(())
    }

    /// Writes the closing brace, if there was anything, and holds the object to its limit.
    pub(crate) fn close(self, out: &mut String) -> Result<(), EncodeError> {
        let Some(start) = self.start else { return Ok(()) };
        out.push('}');
        check_bytes(self.field, out.len() - start, Side::Sender)?;
        if !self.distinct {
            let json = out.get(start..).unwrap_or_default();
            // Nothing else can be wrong with what this writer wrote; nesting was counted from the event's own brace.
            if let Err(fault @ Fault::DuplicateKey { .. }) = scan::check(json) {
                return Err(fault.into());
            }
        }
        Ok(())
    }
}

/// What stands between an object's braces.
pub(crate) fn members_of(json: &str) -> Option<&str> {
    json.strip_prefix('{')?.strip_suffix('}')
}
