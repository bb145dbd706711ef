//! From tokens to the item of a derive.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::DeriveInput;

/// Reads the item. syn without its largest feature reads few expressions in types, but any macro's call, so where it fails
/// it gets the constants in types as such calls: nothing but the text of a type is made of them.
pub(crate) fn item(input: TokenStream) -> syn::Result<DeriveInput> {
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
