//! The impl of `AuditError`.

use proc_macro2::TokenStream;
use quote::quote;

use super::constants::{depends_on, spanned_like};
use crate::model::{AuditError, Item, Shape};
use crate::parse::Text;

/// The code for an error.
pub(crate) fn error(error: &AuditError) -> TokenStream {
    let AuditError { item, shape } = error;
    let Item { ident, library, lints, .. } = item;
    let (of_impl, of_type, own_where) = item.generics.split_for_impl();
    let code = match shape {
        Shape::Struct(code) => quote!(#library::Cow::Borrowed(#code)),
        Shape::Enum(variants) if variants.is_empty() => quote!(match *self {}),
        Shape::Enum(variants) => {
            let arms = variants.iter().map(|(ident, code)| quote!(Self::#ident { .. } => #code));
            quote!(#library::Cow::Borrowed(match self { #(#arms),* }))
        }
    };
    let checked = shape.all().filter_map(|code| match code {
        Text::Const(path) if !depends_on(code, &item.generics) => {
            let checked = spanned_like(path, quote!(#library::error_code(#path)));
            Some(quote!(#lints const _: () = #checked;))
        }
        _ => None,
    });
    // The type's own `Display` may have bounds, which only the compiler knows.
    let bound = item.bound.clone().unwrap_or_default();
    let mut predicates: Vec<TokenStream> =
        own_where.iter().flat_map(|clause| &clause.predicates).chain(&bound).map(|one| quote!(#one)).collect();
    if item.bound.is_none() && item.generics.type_params().next().is_some() {
        predicates.push(quote!(Self: #library::Display));
    }
    let clause = (!predicates.is_empty()).then(|| quote!(where #(#predicates),*));
    quote! {
            #(#checked)*
            #[automatically_derived] #lints impl #of_impl #library::AuditError for #ident #of_type #clause {
                fn error_code(&self) -> #library::Cow<'_, str> {
                    #code
                }
            }
    }
}
