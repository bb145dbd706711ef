//! Texts that only the compiler can read: paths to constants.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Generics;

use crate::parse::Text;

/// Whether a constant cannot be read outside of the impl: it is one of `Self`, or of a parameter.
pub(super) fn depends_on(text: &Text, generics: &Generics) -> bool {
    let Text::Const(path) = text else { return false };
    let parameters: Vec<_> = generics
        .type_params()
        .map(|param| &param.ident)
        .chain(generics.const_params().map(|param| &param.ident))
        .collect();
    mentions(path.clone(), &|ident| ident == "Self" || parameters.contains(&ident))
}

fn mentions(tokens: TokenStream, what: &dyn Fn(&proc_macro2::Ident) -> bool) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => what(&ident),
        TokenTree::Group(group) => mentions(group.stream(), what),
        _ => false,
    })
}

/// The code, shown where the constant is named: that is where a message about it has to point.
pub(super) fn spanned_like(constant: &TokenStream, code: TokenStream) -> TokenStream {
    let first = constant.to_token_stream().into_iter().next();
    let span = first.map_or_else(Span::call_site, |token| Span::call_site().located_at(token.span()));
    let respan = |mut token: TokenTree| {
        // What the user wrote keeps its own place, and its own hygiene.
        if let TokenTree::Group(group) = &token {
            let mut shown = Group::new(group.delimiter(), group.stream());
            shown.set_span(span);
            return TokenTree::Group(shown);
        }
        token.set_span(span);
        token
    };
    code.into_iter().map(respan).collect()
}
