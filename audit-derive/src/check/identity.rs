//! `#[derive(UserIdentity)]`: a struct whose principal is one field and whose details are the others.

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput, Fields};

use super::{field, implied, item, keys, within};
use crate::attributes::Place;
use crate::diagnostics::Diagnostics;
use crate::limits::IDENTITY_TYPE_CHARS;
use crate::model::Identity;
use crate::parse::Attributes;
use crate::roles::Role;

/// The model of an identity; what is wrong with it is in `diagnostics`, and then the model is worth nothing.
pub(crate) fn identity(
    input: &DeriveInput,
    attributes: &Attributes,
    library: TokenStream,
    diagnostics: &mut Diagnostics,
) -> Identity {
    let nothing = Fields::Unit;
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        Data::Enum(data) => {
            let message = "`UserIdentity` is derived for structs: derive it for one struct a kind of identity, and write `impl UserIdentity` for the enum by hand";
            diagnostics.error(data.enum_token, message);
            &nothing
        }
        Data::Union(data) => {
            diagnostics.error(data.union_token, "a union cannot be an identity: use a struct");
            &nothing
        }
    };
    let is_struct = matches!(input.data, Data::Struct(_));
    let kind = attributes.text("type").cloned();
    if let Some(text) = &kind {
        within(text, "type", IDENTITY_TYPE_CHARS, diagnostics);
    } else if is_struct && !attributes.meant("type") {
        let message = format!("`{0}` has no identity type: add `#[audit(type = \"{0}\")]`", input.ident);
        diagnostics.error(&input.ident, message);
    }
    let found = field::all(fields, Place::IdentityField, attributes, diagnostics);
    let mut principals = found.fields.iter().filter(|(field, _)| field.role == Role::PrincipalId);
    match (principals.next(), principals.next()) {
        (Some((_, first)), Some((_, second))) => {
            diagnostics.error(&first.role, "the first field with the role `principal_id`");
            diagnostics.error(&second.role, "a second field with the role `principal_id`; an identity has one");
        }
        (None, _) if is_struct && !found.means_id => {
            let message = format!(
                "`{}` has no principal: mark the field that says who it is with `#[audit(principal_id)]`",
                input.ident
            );
            diagnostics.error(&input.ident, message);
        }
        _ => {}
    }
    keys::distinct(&found.fields, diagnostics);
    Identity {
        item: item(input, library, attributes),
        kind: kind.unwrap_or_else(|| implied("?", &input.ident)),
        fields: found.fields.into_iter().map(|(field, _)| field).collect(),
        skipped: found.skipped,
    }
}
