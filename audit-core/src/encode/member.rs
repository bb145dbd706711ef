//! Members of the event's own object: their keys, and values that are made once for many events.

use std::borrow::Cow;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;

use super::error::{EncodeError, EncodeFault};
use crate::contract::violation::Violation;
use crate::json::escape::{write_displayed, write_str};
use crate::json::number::write_number;
use crate::limits::{Field, TextFault};

/// Writes the comma and a field's key.
#[inline]
pub(crate) fn begin_member(out: &mut String, field: Field) {
    out.push_str(",\"");
    out.push_str(field.path());
    out.push_str("\":");
}

/// Appends a text of the schema as a JSON string, once it keeps its limit.
pub(crate) fn write_text(out: &mut String, field: Field, text: &str) -> Result<(), EncodeError> {
    field.check_text(text).map_err(|fault| Violation::of_text(field, fault))?;
    write_str(out, text);
    Ok(())
}

/// Writes a member whose value is a text of the schema.
#[inline]
pub(crate) fn write_text_member(out: &mut String, field: Field, text: &str) -> Result<(), EncodeError> {
    begin_member(out, field);
    write_text(out, field, text)
}

/// Writes a member whose value is an optional text of the schema that may come from outside: a text over its limit is cut, and an
/// empty one is left out, so that no stranger decides whether the event is recorded.
pub(crate) fn write_cut_member(out: &mut String, field: Field, text: &str) {
    if !text.is_empty() {
        begin_member(out, field);
        write_str(out, &cut(field, text));
    }
}

/// A text, or its beginning and an ellipsis if it is over the field's limit.
pub(crate) fn cut(field: Field, text: &str) -> Cow<'_, str> {
    match field.max_chars() {
        Some(limit) if field.check_text(text).is_err_and(|fault| fault != TextFault::Empty) => {
            Cow::Owned(text.chars().take(limit.saturating_sub(1)).chain(['…']).collect())
        }
        _ => Cow::Borrowed(text),
    }
}

/// Writes a member whose value is what something displays, once `read` has seen that.
pub(crate) fn write_displayed_member<R>(
    out: &mut String,
    field: Field,
    value: &dyn Display,
    read: impl FnOnce(&str) -> R,
) -> Result<R, EncodeError> {
    begin_member(out, field);
    write_displayed(out, value, read).map_err(|_| display_fails(field))
}

pub(crate) fn display_fails(field: Field) -> EncodeError {
    let (key, reason) = (field.path().to_owned(), "its Display fails".to_owned());
    EncodeError::new(EncodeFault::NotJson { key, reason })
}

/// Writes the `sourceIPAddress`.
pub(crate) fn write_address(out: &mut String, address: IpAddr) -> Result<(), EncodeError> {
    match address {
        // As it displays itself, without the formatter's detours.
        IpAddr::V4(address) => {
            begin_member(out, Field::SourceIpAddress);
            let mut before = '"';
            for octet in address.octets() {
                out.push(before);
                write_number(out, octet)?;
                before = '.';
            }
            out.push('"');
            Ok(())
        }
        IpAddr::V6(address) => write_displayed_member(out, Field::SourceIpAddress, &address, |_| ()),
    }
}

/// A member whose JSON is made once and used for every event; or why there is none.
#[derive(Clone, Debug)]
pub(crate) struct ReadyMember(Result<Arc<str>, EncodeError>);

impl ReadyMember {
    pub(crate) fn new(write: impl FnOnce(&mut String) -> Result<(), EncodeError>) -> Self {
        let mut json = String::with_capacity(128);
        Self(write(&mut json).map(|()| json.into()))
    }

    /// With its key, and a comma before it.
    pub(crate) fn json(&self) -> Result<&str, EncodeError> {
        match &self.0 {
            Ok(json) => Ok(json),
            Err(error) => Err(error.clone()),
        }
    }
}
