//! `#[derive(AuditValue)]`: a struct, or the variants of an enum, whose fields are the keys of an object.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Fields};

use super::{field, implied, item, keys};
use crate::attributes::Place;
use crate::diagnostics::Diagnostics;
use crate::model::{AuditValue, Shape, ValueType};
use crate::parse::{self, Attributes, Text};

/// The model of a value; if `diagnostics` has errors, the model is not used.
pub(crate) fn value(
    input: &DeriveInput,
    attributes: &Attributes,
    library: TokenStream,
    diagnostics: &mut Diagnostics,
) -> AuditValue {
    let shape = match &input.data {
        Data::Struct(data) => Shape::Struct(value_type(&input.ident, &data.fields, attributes, None, diagnostics)),
        Data::Enum(data) => {
            let variants = data.variants.iter().map(|variant| {
                let own = parse::attributes(&variant.attrs, Place::ValueVariant, diagnostics);
                parse::serde_attributes(&variant.attrs, Place::ValueVariant, &own, &|_| false, diagnostics);
                let name = own.text("name").cloned();
                (variant.ident.clone(), value_type(&variant.ident, &variant.fields, attributes, name, diagnostics))
            });
            Shape::Enum(variants.collect())
        }
        Data::Union(data) => {
            diagnostics.error(data.union_token, "a union cannot be an audit value: use a struct or an enum");
            Shape::Enum(Vec::new())
        }
    };
    AuditValue { item: item(input, library, attributes), shape }
}

fn value_type(
    ident: &Ident,
    fields: &Fields,
    of_item: &Attributes,
    name: Option<Text>,
    diagnostics: &mut Diagnostics,
) -> ValueType {
    let found = field::all(fields, Place::ValueField, of_item, diagnostics);
    keys::distinct(&found.fields, diagnostics);
    ValueType {
        name: name.unwrap_or_else(|| implied(&ident.unraw().to_string(), ident)),
        fields: found.fields.into_iter().map(|(field, _)| field).collect(),
        skipped: found.skipped,
    }
}
