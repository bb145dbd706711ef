//! What a context adds to an event's `additionalEventData`. It may come from outside, so it is cut and never refused.

use std::borrow::Cow;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::{EncodeError, EncodeFault};
use super::kept::Kept;
use super::object::Object;
use super::value::{self, Written};
use crate::json::escape::write_str;
use crate::json::keys::Keys;
use crate::limits::{Field, Side};
use crate::names::hex::hex;

/// A member that a context adds.
#[derive(Clone)]
pub(crate) struct Additional {
    key: Box<str>,
    value: Kept,
}

impl Additional {
    pub(crate) fn new(key: &str, value: Kept) -> Self {
        Self { key: not_reserved(key).into(), value }
    }

    pub(crate) fn is(&self, key: &str) -> bool {
        *self.key == *not_reserved(key)
    }

    /// The key, and the value's JSON or what stands for it.
    pub(crate) fn to_json(&self) -> (String, String) {
        let member = ready(self);
        (member.name.to_owned(), member.value.into_owned())
    }

    pub(crate) fn value(&mut self) -> &mut Kept {
        &mut self.value
    }
}

/// A key under which nothing stands that only this library says.
fn not_reserved(key: &str) -> &str {
    match key {
        "targets" => "targets_",
        "cut" => "cut_",
        key => key,
    }
}

/// Writes a value and says whether it was none.
pub(crate) fn write_value<T: Serialize + ?Sized>(out: &mut String, key: &str, value: &T) -> Result<bool, EncodeError> {
    Ok(value::write(out, key, value, 2)? == Written::Value)
}

/// A member, ready to be written.
struct Member<'a> {
    name: &'a str,
    key: String,
    value: Cow<'a, str>,
    cut: bool,
}

impl Member<'_> {
    /// With its colon and a comma.
    fn bytes(&self) -> usize {
        self.key.len() + self.value.len() + 2
    }
}

/// Adds the members whose keys the object does not have. They take only what room there is.
pub(crate) fn add(object: &mut Object, out: &mut String, members: &[Additional]) {
    let own = object.written(out).map(|json| format!("{json}}}"));
    let own: Keys = own.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let mut members: Vec<Member<'_>> = members.iter().filter(|member| !own.contain(&member.key)).map(ready).collect();
    let can_tell = !own.contain("cut");

    // As if the object were still to be opened: some bytes less than there are.
    let taken = object.written(out).map_or(0, str::len);
    let opening = ",\"additionalEventData\":{}".len();
    let limit = object.field.max_bytes(Side::Sender).unwrap_or(usize::MAX);
    let room = limit.saturating_sub(taken + 2);
    let room = room.min(Side::Sender.event_data_bytes().saturating_sub(out.len() + opening + "}".len()));

    let needed = |members: &[Member<'_>]| {
        let list = list_of_cut(members).filter(|_| can_tell).map_or(0, |list| "\"cut\":,".len() + list.len());
        list + members.iter().map(Member::bytes).sum::<usize>()
    };
    // The largest first, while it becomes shorter.
    while needed(&members) > room {
        let Some(largest) = members.iter_mut().filter(|member| !member.cut).max_by_key(|member| member.value.len())
        else {
            break;
        };
        let short = omitted(&largest.value);
        if short.len() < largest.value.len() {
            largest.value = Cow::Owned(short);
        }
        largest.cut = true;
    }
    let list = list_of_cut(&members).filter(|_| can_tell);
    let mut left = room;
    if let Some(list) = list {
        let key = "\"cut\"";
        let bytes = key.len() + list.len() + 2;
        if bytes <= left {
            left -= bytes;
            object.ready(out, key, &list);
        }
    }
    for member in &members {
        if member.bytes() <= left {
            left -= member.bytes();
            object.ready(out, &member.key, &member.value);
        }
    }
}

fn ready(member: &Additional) -> Member<'_> {
    let mut key = String::new();
    write_str(&mut key, &member.key);
    let path = Field::AdditionalEventData.path();
    let (value, cut) = match member.value.json(path) {
        Ok(json) => (Cow::Borrowed(&**json), false),
        Err(error) => (Cow::Owned(not_written(&error)), true),
    };
    Member { name: &member.key, key, value, cut }
}

/// What stands for a value that is too large.
fn omitted(json: &str) -> String {
    let hash: [u8; 32] = Sha256::digest(json.as_bytes()).into();
    format!("{{\"omittedBytes\":{},\"sha256\":\"{}\"}}", json.len(), hex(&hash))
}

/// What stands for a value that cannot be written. Its own words could hold anything, so the reason has none of them.
fn not_written(error: &EncodeError) -> String {
    let reason = match error.fault() {
        EncodeFault::NoHmacKey { .. } => "there is no hmac key",
        EncodeFault::HmacKeyId => "the id of the hmac key is not valid",
        EncodeFault::Contract(_) => "it nests too deep, or has a key twice",
        _ => "its Serialize fails",
    };
    format!("{{\"omitted\":\"{reason}\"}}")
}

/// The paths of the members that are not as they were, as JSON.
fn list_of_cut(members: &[Member<'_>]) -> Option<String> {
    let mut list = String::new();
    for member in members.iter().filter(|member| member.cut) {
        list.push(if list.is_empty() { '[' } else { ',' });
        write_str(&mut list, &format!("{}.{}", Field::AdditionalEventData.path(), member.name));
    }
    if list.is_empty() { None } else { Some(list + "]") }
}
