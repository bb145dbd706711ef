//! The expression for a field's value, with the spans of the field's type: where the type does not fit the role, the
//! compiler's message points there.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Member, Type};

use crate::model::Field;

/// How a field is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// `self.field`.
    Own,
    /// `self.field`, copied: the type is packed.
    Copied,
    /// A binding of a match on `self`, which is a reference.
    Bound,
}

/// The binding of a variant's field. Its hygiene is the generated code's own, also where a `macro_rules!` made the field;
/// its prefix keeps it from being the name of a constant, which a pattern would compare with.
pub(crate) fn binding(member: &Member) -> Ident {
    match member {
        Member::Named(ident) => format_ident!("__audit_{}", ident, span = Span::call_site()),
        Member::Unnamed(index) => format_ident!("__audit_{}", index.index, span = Span::call_site()),
    }
}

/// Whether a redacted field is left out.
pub(crate) fn skipped(field: &Field, access: Access) -> TokenStream {
    let Some(skip_if) = &field.skip_if else { return quote!(false) };
    let place = reference(field, access);
    quote!(#skip_if(#place))
}

/// A reference to the field, or what stands for it: what `with` makes of it, an `Option` of it where `skip_if` says so.
pub(crate) fn value(field: &Field, access: Access, library: &TokenStream) -> TokenStream {
    let place = reference(field, access);
    let converted = field.with.as_ref().map(|with| {
        // As serde's own `with` modules have it: a function of that name takes a serializer as well.
        let with_serializer =
            field.role.has_keys() && with.path.segments.last().is_some_and(|last| last.ident == "serialize");
        if with_serializer { quote!(#library::with(|__s| #with(#place, __s))) } else { quote!(#with(#place)) }
    });
    match (&field.skip_if, converted) {
        (None, None) => place,
        (None, Some(converted)) => quote!(&#converted),
        (Some(skip_if), None) => quote!(&(!#skip_if(#place)).then_some(#place)),
        (Some(skip_if), Some(converted)) => quote!(&(!#skip_if(#place)).then(|| #converted)),
    }
}

/// `&self.field`, beginning where the type begins and ending where it ends.
fn reference(field: &Field, access: Access) -> TokenStream {
    let (start, end) = ends(&field.ty);
    let member = at(&field.member, end);
    let this = quote_spanned!(start=> self.);
    match access {
        Access::Own => quote_spanned!(start=> &#this #member),
        Access::Copied => {
            let and = quote_spanned!(start=> &);
            let block = quote_spanned!(end=> { #this #member });
            quote!(#and #block)
        }
        Access::Bound => {
            let mut binding = binding(&field.member);
            binding.set_span(end);
            quote_spanned!(start=> &*#binding)
        }
    }
}

/// The member, shown at another place. All tokens of the expression have one hygiene, or the compiler would underline but
/// the first; that of fields does not matter.
fn at(member: &Member, span: Span) -> TokenStream {
    match member {
        Member::Named(ident) => {
            let mut ident = ident.clone();
            ident.set_span(span);
            ident.into_token_stream()
        }
        Member::Unnamed(index) => {
            let mut index = index.clone();
            index.span = span;
            index.into_token_stream()
        }
    }
}

/// Where a type begins and ends, with the hygiene of the generated code.
fn ends(ty: &Type) -> (Span, Span) {
    let mut tokens = flat(ty.to_token_stream()).into_iter();
    let first = tokens.next();
    let last = tokens.last().or_else(|| first.clone());
    let span = |token: Option<TokenTree>, of: fn(&TokenTree) -> Span| {
        Span::call_site().located_at(token.as_ref().map_or_else(Span::call_site, of))
    };
    (span(first, open), span(last, close))
}

/// Without the invisible groups in which a `macro_rules!` hands on its fragments.
fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::None => flat(group.stream()),
            other => vec![other],
        })
        .collect()
}

fn open(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) => group.span_open(),
        other => other.span(),
    }
}

fn close(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) => group.span_close(),
        other => other.span(),
    }
}
