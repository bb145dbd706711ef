//! From a macro's input to its output, over `proc_macro2`: what the tests and the fuzz target run without a compiler.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{Data, DeriveInput};

use crate::attributes::Place;
use crate::diagnostics::Diagnostics;
use crate::{check, completion, emit, parse};

/// The crate through which the derive was reached, and to whose hidden module its code refers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Library {
    Core,
    Client,
}

impl Library {
    const fn name(self) -> &'static str {
        match self {
            Self::Core => "audit_core",
            Self::Client => "audit_client",
        }
    }
}

/// `#[derive(AuditEvent)]`.
pub(crate) fn audit_event(input: TokenStream, through: Library) -> TokenStream {
    let input = match item(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut diagnostics = Diagnostics::default();
    let place = if matches!(input.data, Data::Enum(_)) { Place::Enum } else { Place::Struct };
    let attributes = parse::attributes(&input.attrs, place, &mut diagnostics);
    let library = check::library(&attributes, through.name());
    let model = check::event(&input, &attributes, library.clone(), &mut diagnostics);
    finish(&diagnostics, &library, || emit::event(&model), || emit::fallback_event(&input, &library))
}

/// `#[derive(UserIdentity)]`.
pub(crate) fn user_identity(input: TokenStream, through: Library) -> TokenStream {
    let input = match item(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut diagnostics = Diagnostics::default();
    let attributes = parse::attributes(&input.attrs, Place::Identity, &mut diagnostics);
    let library = check::library(&attributes, through.name());
    let model = check::identity(&input, &attributes, library.clone(), &mut diagnostics);
    finish(&diagnostics, &library, || emit::identity(&model), || emit::fallback_identity(&input, &library))
}

/// The code, or the errors and what stands in its place.
fn finish(
    diagnostics: &Diagnostics,
    library: &TokenStream,
    code: impl FnOnce() -> TokenStream,
    fallback: impl FnOnce() -> TokenStream,
) -> TokenStream {
    let mut output = TokenStream::new();
    if completion::is_wanted() || !diagnostics.is_empty() {
        output.extend(completion::imports(&diagnostics.names, library));
    }
    if diagnostics.is_empty() {
        output.extend(code());
    } else {
        output.extend(diagnostics.to_tokens());
        output.extend(fallback());
    }
    output
}

/// Reads the item. syn without its largest feature reads few expressions in types, but any macro's call, so where it fails
/// it gets the constants in types as such calls: nothing but the text of a type is made of them.
fn item(input: TokenStream) -> syn::Result<DeriveInput> {
    syn::parse2(input.clone()).or_else(|error| syn::parse2(constants_as_calls(input)).map_err(|_| error))
}

/// The name of those calls.
pub(crate) const CONSTANT: &str = "__audit_constant";

fn constants_as_calls(tokens: TokenStream) -> TokenStream {
    let mut output = TokenStream::new();
    let mut before = ' ';
    for token in tokens {
        let punct = if let TokenTree::Punct(punct) = &token { punct.as_char() } else { ' ' };
        match token {
            // An attribute's.
            TokenTree::Group(group) if before == '#' => output.extend([TokenTree::from(group)]),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && matches!(before, '<' | ',' | '=') => {
                output.extend([TokenTree::from(Group::new(Delimiter::Brace, call(&group.stream())))]);
            }
            TokenTree::Group(group) => {
                let mut inner = constants_as_calls(group.stream());
                let is_semicolon =
                    |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';');
                let at = inner.clone().into_iter().position(|token| is_semicolon(&token));
                if let (Delimiter::Bracket, Some(at)) = (group.delimiter(), at) {
                    let length: TokenStream = inner.clone().into_iter().skip(at + 1).collect();
                    inner = inner.into_iter().take(at + 1).chain(call(&length)).collect();
                }
                let mut whole = Group::new(group.delimiter(), inner);
                whole.set_span(group.span());
                output.extend([TokenTree::from(whole)]);
            }
            other => output.extend([other]),
        }
        before = punct;
    }
    output
}

fn call(constant: &TokenStream) -> TokenStream {
    let name = Ident::new(CONSTANT, Span::call_site());
    quote!(#name! { #constant })
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
pub(crate) mod tests;
