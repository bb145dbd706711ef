//! `#[derive(UserIdentity)]`: a struct, or a variant of an enum, whose principal is one field and whose details are the others.

use proc_macro2::{Ident, TokenStream};
use syn::{Data, DeriveInput, Fields};

use super::{field, implied, item, keys, within};
use crate::attributes::Place;
use crate::diagnostics::Diagnostics;
use crate::limits::IDENTITY_TYPE_CHARS;
use crate::model::{Identity, IdentityType, Shape};
use crate::parse::{self, Attributes};
use crate::roles::Role;

/// The model of an identity; if `diagnostics` has errors, the model is not used.
pub(crate) fn identity(
    input: &DeriveInput,
    attributes: &Attributes,
    library: TokenStream,
    diagnostics: &mut Diagnostics,
) -> Identity {
    check_type(attributes, diagnostics);
    let shape = match &input.data {
        Data::Struct(data) => Shape::Struct(identity_type(&input.ident, &data.fields, attributes, None, diagnostics)),
        Data::Enum(data) => {
            let variants = data.variants.iter().map(|variant| {
                let own = parse::attributes(&variant.attrs, Place::IdentityVariant, diagnostics);
                check_type(&own, diagnostics);
                let of_variant = identity_type(&variant.ident, &variant.fields, attributes, Some(&own), diagnostics);
                (variant.ident.clone(), of_variant)
            });
            Shape::Enum(variants.collect())
        }
        Data::Union(data) => {
            diagnostics.error(data.union_token, "a union cannot be an identity: use a struct or an enum");
            Shape::Enum(Vec::new())
        }
    };
    Identity { item: item(input, library, attributes), shape }
}

fn check_type(attributes: &Attributes, diagnostics: &mut Diagnostics) {
    if let Some(text) = attributes.text("type") {
        within(text, "type", IDENTITY_TYPE_CHARS, diagnostics);
    }
}

/// A struct with the attributes of the item, or a variant, with attributes of its own beside them.
fn identity_type(
    ident: &Ident,
    fields: &Fields,
    of_item: &Attributes,
    own: Option<&Attributes>,
    diagnostics: &mut Diagnostics,
) -> IdentityType {
    let kind = own.and_then(|own| own.text("type")).or_else(|| of_item.text("type")).cloned();
    if kind.is_none() && !of_item.meant("type") && !own.is_some_and(|own| own.meant("type")) {
        let message = format!("`{ident}` has no identity type: add `#[audit(type = \"{ident}\")]`");
        diagnostics.error(ident, message);
    }
    let found = field::all(fields, Place::IdentityField, of_item, diagnostics);
    let mut principals = found.fields.iter().filter(|(field, _)| field.role == Role::PrincipalId);
    match (principals.next(), principals.next()) {
        (Some((_, first)), Some((_, second))) => {
            diagnostics.error(&first.role, "the first field with the role `principal_id`");
            diagnostics.error(&second.role, "a second field with the role `principal_id`; an identity has one");
        }
        (None, _) if !found.means_id => {
            let message =
                format!("`{ident}` has no principal: mark the field that says who it is with `#[audit(principal_id)]`");
            diagnostics.error(ident, message);
        }
        _ => {}
    }
    keys::distinct(&found.fields, diagnostics);
    IdentityType {
        kind: kind.unwrap_or_else(|| implied("?", ident)),
        fields: found.fields.into_iter().map(|(field, _)| field).collect(),
        skipped: found.skipped,
    }
}
