//! No two keys of one JSON object are alike. Only literals can be compared here: what `flatten` brings, and what constants
//! hold, the writer finds.

use super::field::Origin;
use crate::diagnostics::Diagnostics;
use crate::model::Field;
use crate::parse::{Known, Text};
use crate::roles::Role;

/// Points at both of two keys that are alike. Each key is compared with all before it, which for as many fields as types
/// have costs less than hashing in code that is not optimized, as macros are.
pub(crate) fn distinct(fields: &[(Field, Origin)], diagnostics: &mut Diagnostics) {
    for (at, (field, second)) in fields.iter().enumerate() {
        let Some(key) = known(field) else { continue };
        let Some((_, first)) = fields[..at].iter().find(|(other, _)| known(other) == Some(key)) else { continue };
        let (object, shown) = (field.role.row().object.unwrap_or_default(), key.1.chars().take(80).collect::<String>());
        diagnostics.error(&first.key, format_args!("the first key {shown:?} of `{object}`"));
        diagnostics.error(
            &second.key,
            format_args!(
                "a second key {shown:?} of `{object}`: give one of the two another name with `#[audit(rename = \"…\")]`"
            ),
        );
    }
}

/// The targets of an event have a key that no field may have.
pub(crate) fn beside_targets(fields: &[(Field, Origin)], diagnostics: &mut Diagnostics) {
    let Some(target) = fields.iter().find_map(|(field, _)| field.target.as_ref()) else { return };
    for (_, origin) in fields.iter().filter(|(field, _)| known(field) == Some((Role::Additional, "targets"))) {
        let message = "the targets of this event are the key \"targets\" of `additionalEventData`";
        diagnostics.error(target, message);
        let message = "a second key \"targets\" of `additionalEventData`, beside the event's targets: give it another name with `#[audit(rename = \"…\")]`";
        diagnostics.error(&origin.key, message);
    }
}

/// The key, and by its role its object. An empty key is reported elsewhere.
fn known(field: &Field) -> Option<(Role, &str)> {
    match &field.key {
        Some(Text::Literal(Known { value, .. })) if !value.is_empty() => Some((field.role, value)),
        _ => None,
    }
}
