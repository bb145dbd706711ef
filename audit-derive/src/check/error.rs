//! `#[derive(AuditError)]`: the code of an error, by its variant.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput};

use super::{implied, item, within};
use crate::attributes::Place;
use crate::diagnostics::Diagnostics;
use crate::limits::ERROR_CODE_CHARS;
use crate::model::{AuditError, Shape};
use crate::parse::{self, Attributes, Text};

/// The model of an error; if `diagnostics` has errors, the model is not used.
pub(crate) fn error(
    input: &DeriveInput,
    attributes: &Attributes,
    library: TokenStream,
    diagnostics: &mut Diagnostics,
) -> AuditError {
    let of_item = attributes.text("code").map(|code| {
        within(code, "code", ERROR_CODE_CHARS, diagnostics);
        code.clone()
    });
    let shape = match &input.data {
        Data::Struct(_) => Shape::Struct(of_item.unwrap_or_else(|| named(&input.ident, diagnostics))),
        Data::Enum(data) => {
            let variants = data.variants.iter().map(|variant| {
                let own = parse::attributes(&variant.attrs, Place::ErrorVariant, diagnostics);
                let code = match own.text("code") {
                    Some(code) => {
                        within(code, "code", ERROR_CODE_CHARS, diagnostics);
                        code.clone()
                    }
                    None => of_item.clone().unwrap_or_else(|| named(&variant.ident, diagnostics)),
                };
                (variant.ident.clone(), code)
            });
            Shape::Enum(variants.collect())
        }
        Data::Union(data) => {
            diagnostics.error(data.union_token, "a union cannot be an audit error: use a struct or an enum");
            Shape::Enum(Vec::new())
        }
    };
    AuditError { item: item(input, library, attributes), shape }
}

/// The code of what has none: its name.
fn named(ident: &Ident, diagnostics: &mut Diagnostics) -> Text {
    let code = implied(&ident.unraw().to_string(), ident);
    within(&code, "code", ERROR_CODE_CHARS, diagnostics);
    code
}
