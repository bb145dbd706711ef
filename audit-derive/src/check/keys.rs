//! No two keys of one JSON object are alike. Only literals can be compared here: what `flatten` brings, and what constants
//! hold, the writer finds.

use std::collections::HashMap;

use super::field::Origin;
use crate::diagnostics::Diagnostics;
use crate::model::{Field, Role};
use crate::parse::Text;

/// Points at both of two keys that are alike.
pub(crate) fn distinct(fields: &[(Field, Origin)], diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<(Role, String), &Origin> = HashMap::new();
    for (field, origin) in fields {
        let Some(Text::Literal(literal)) = &field.key else { continue };
        let key = literal.value();
        if key.is_empty() {
            // Told already.
            continue;
        }
        if let Some(first) = seen.get(&(field.role, key.clone())) {
            let object = field.role.object();
            let shown: String = key.chars().take(80).collect();
            diagnostics.error(&first.key, format_args!("the first key {shown:?} of `{object}`"));
            diagnostics.error(
                &origin.key,
                format_args!("a second key {shown:?} of `{object}`: give one of the two another name with `#[audit(rename = \"…\")]`"),
            );
        } else {
            seen.insert((field.role, key), origin);
        }
    }
}
