//! From what was written to the model: all mistakes that a macro can know are found here, in one pass.

mod error;
mod event;
mod field;
mod identity;
mod keys;
mod value;

pub(crate) use error::error;
pub(crate) use event::event;
pub(crate) use identity::identity;
pub(crate) use value::value;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{DeriveInput, Meta};

use crate::diagnostics::Diagnostics;
use crate::model::{Doc, Item};
use crate::parse::{Attributes, Known, Text, Value};

/// What both derives take from the item itself.
fn item(input: &DeriveInput, library: TokenStream, attributes: &Attributes) -> Item {
    let bound = match attributes.get("bound").map(|given| &given.value) {
        Some(Value::Bounds(predicates)) => Some(predicates.clone()),
        _ => None,
    };
    Item {
        ident: input.ident.clone(),
        generics: input.generics.clone(),
        library,
        bound,
        lints: lints(&input.attrs),
        packed: input.attrs.iter().any(is_packed),
    }
}

/// The hidden module of the library that the attributes name, or of the one that re-exports this derive.
pub(crate) fn library(attributes: &Attributes, default: &str) -> TokenStream {
    if let Some(Value::Module(path)) = attributes.get("crate").map(|given| &given.value) {
        quote!(#path::__)
    } else {
        let name = proc_macro2::Ident::new(default, Span::call_site());
        quote!(::#name::__)
    }
}

/// A derive's impls are items of their own, to which the lint attributes of the type do not apply.
fn lints(attrs: &[syn::Attribute]) -> TokenStream {
    let mut lints = TokenStream::new();
    for attr in attrs {
        if attr.path().is_ident("allow") {
            attr.to_tokens(&mut lints);
        } else if attr.path().is_ident("deprecated") {
            lints.extend(quote!(#[allow(deprecated)]));
        }
    }
    lints
}

fn is_packed(attr: &syn::Attribute) -> bool {
    let Meta::List(list) = &attr.meta else { return false };
    list.path.is_ident("repr")
        && list
            .tokens
            .clone()
            .into_iter()
            .any(|token| matches!(token, proc_macro2::TokenTree::Ident(ident) if ident == "packed"))
}

/// Checks a literal against its limit; the compiler checks constants, in the generated code.
fn within(text: &Text, field: &str, limit: usize, diagnostics: &mut Diagnostics) {
    let Text::Literal(literal) = text else { return };
    let chars = literal.value.chars().count();
    if chars == 0 {
        diagnostics.error(
            literal,
            format_args!("`{field}` is empty, which counts as missing; it needs at least one character"),
        );
    } else if chars > limit {
        diagnostics.error(literal, format_args!("`{field}` has {chars} characters; at most {limit} are allowed"));
    }
}

/// A default text, with the span of its origin.
fn implied(value: &str, from: &impl ToTokens) -> Text {
    let span = from.to_token_stream().into_iter().next().map_or_else(Span::call_site, |token| token.span());
    Text::Literal(Known { value: value.to_owned(), span })
}

/// The doc comment, without the space that begins each line. The texts of macros stay as they are.
fn doc_of(attrs: &[syn::Attribute]) -> Doc {
    let mut parts = Vec::new();
    let mut text = String::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("doc")) {
        let Meta::NameValue(pair) = &attr.meta else { continue };
        if let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(literal), .. }) = &pair.value {
            for line in literal.value().lines() {
                text.push_str(line.strip_prefix(' ').unwrap_or(line).trim_end());
                text.push('\n');
            }
            // `lines` has none for an empty text, which is an empty line of the comment.
            if literal.value().is_empty() {
                text.push('\n');
            }
        } else {
            let (before, made) = (std::mem::take(&mut text), &pair.value);
            parts.extend((!before.is_empty()).then(|| before.to_token_stream()));
            parts.push(made.to_token_stream());
            text.push('\n');
        }
    }
    if parts.is_empty() {
        return Doc::Text(text.trim().to_owned());
    }
    let end = text.trim_end();
    parts.extend((!end.is_empty()).then(|| end.to_token_stream()));
    Doc::Parts(parts)
}
