//! Collects mistakes, so that one compile reports all of them.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;

use crate::attributes::Place;

/// The mistakes found so far, in the order in which they were found.
#[derive(Default)]
pub(crate) struct Diagnostics {
    errors: Vec<syn::Error>,
    /// Every word at the place of an attribute's name, known or not: there an editor completes.
    pub(crate) names: Vec<(Place, Ident)>,
}

impl Diagnostics {
    /// Notes a mistake at `tokens`: all of them are underlined.
    pub(crate) fn error(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Notes a mistake that syn found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.errors.push(error);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// One `compile_error!` for each mistake.
    pub(crate) fn to_tokens(&self) -> TokenStream {
        self.errors.iter().map(syn::Error::to_compile_error).collect()
    }
}
