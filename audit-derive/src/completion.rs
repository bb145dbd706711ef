//! Completion of attributes in an editor.
//!
//! rust-analyzer completes a word in an attribute as what the word becomes in the expansion. So each name is also written
//! as an import from a module of the library that has an item for each attribute of the place, with its documentation.
//! Compilers never see it: the code is behind `cfg(rust_analyzer)`, and where nothing is wrong and no editor asks, there is
//! none.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::attributes::Place;

/// What rust-analyzer sets for the process that runs macros for it.
const EDITOR: &str = "RUST_ANALYZER_INTERNALS_DO_NOT_USE";

/// Whether an editor runs the macro.
pub(crate) fn is_wanted() -> bool {
    std::env::var_os(EDITOR).is_some()
}

/// The module of the library for a place.
pub(crate) const fn module(place: Place) -> &'static str {
    match place {
        Place::Struct => "event_struct",
        Place::Enum => "event_enum",
        Place::Variant => "event_variant",
        Place::EventField => "event_field",
        Place::Identity => "identity",
        Place::IdentityVariant => "identity_variant",
        Place::IdentityField => "identity_field",
        Place::Value => "value",
        Place::ValueVariant => "value_variant",
        Place::ValueField => "value_field",
        Place::Error => "error",
        Place::ErrorVariant => "error_variant",
    }
}

/// An import for each name, a module for each place.
pub(crate) fn imports(names: &[(Place, Ident)], library: &TokenStream) -> TokenStream {
    let modules = Place::ALL.into_iter().filter_map(|place| {
        // A keyword cannot be imported, and is complete.
        let here: Vec<&Ident> = names
            .iter()
            .filter(|(at, name)| *at == place && syn::parse_str::<Ident>(&name.to_string()).is_ok())
            .map(|(_, name)| name)
            .collect();
        let module = Ident::new(module(place), Span::call_site());
        // Through a glob first, so that `self` and `super` are not offered.
        (!here.is_empty())
            .then(|| quote!(#[cfg(rust_analyzer)] mod #module { use #library::complete::#module::*; use self::{#(#here as _),*}; }))
    });
    // Cargo does not know the condition and would have it reported as a typo.
    quote!(#[allow(unexpected_cfgs, unused_imports)] const _: () = { #(#modules)* };)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attributes::valid_at;

    /// The text of a module of `audit_core::__::complete`.
    fn library_module(name: &str) -> String {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../audit-core/src/derive/complete.rs");
        let file = std::fs::read_to_string(path).unwrap();
        let begin = format!("pub mod {name} {{\n");
        file.split_once(&begin).unwrap_or_else(|| panic!("no `{begin}`")).1.split("\n}\n").next().unwrap().to_owned()
    }

    #[test]
    fn the_library_offers_each_attribute_where_it_is_valid() {
        for place in Place::ALL {
            let text = library_module(module(place));
            let mut count = 0;
            // No item can be named `crate`.
            for attribute in valid_at(place).filter(|attribute| attribute.name != "crate") {
                let name = if attribute.name == "type" { "r#type" } else { attribute.name };
                let item = format!("/// `{}`: {}.\n    pub mod {name} {{}}", attribute.example, attribute.doc);
                assert!(text.contains(&item), "missing in {}:\n    {item}", module(place));
                count += 1;
            }
            assert_eq!(text.matches("pub mod ").count(), count, "{}", module(place));
        }
    }

    #[test]
    fn names_are_imported_by_place_and_keywords_are_not() {
        let names =
            [(Place::Struct, "sour"), (Place::EventField, "i"), (Place::EventField, "type"), (Place::Struct, "x")]
                .map(|(place, name)| (place, Ident::new(name, Span::call_site())));
        let expected = quote! {
            #[allow(unexpected_cfgs, unused_imports)]
            const _: () = {
                #[cfg(rust_analyzer)]
                mod event_struct { use ::a::complete::event_struct::*; use self::{sour as _, x as _}; }
                #[cfg(rust_analyzer)]
                mod event_field { use ::a::complete::event_field::*; use self::{i as _}; }
            };
        };
        assert_eq!(imports(&names, &quote!(::a)).to_string(), expected.to_string());
    }
}
