//! The expression for a field's value, with the spans of the field's type: where the type does not fit the role, the
//! compiler's message points there.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Member, Path, PathArguments, Type, TypePath};

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

/// A statement that reads fields without a use for their values: of fields that nothing reads, the compiler warns.
pub(crate) fn read_all<'m>(members: impl Iterator<Item = &'m Member>, access: Access) -> Option<TokenStream> {
    let reads: Vec<_> = members
        .map(|member| match access {
            // A reference to a packed field is not allowed, a pointer is.
            Access::Copied => quote!(&raw const self.#member),
            Access::Own | Access::Bound => quote!(&self.#member),
        })
        .collect();
    (!reads.is_empty()).then(|| quote!(let _ = (#(#reads,)*);))
}

/// Whether a redacted field is left out.
pub(crate) fn skipped(field: &Field, access: Access) -> TokenStream {
    let Some(skip_if) = &field.skip_if else { return quote!(false) };
    let mut place = TokenStream::new();
    reference(field, access, &mut place);
    quote!(#skip_if(#place))
}

/// Adds a reference to the field, or to its value: the result of `with`, an `Option` of either with `skip_if`.
///
/// Tokens are added one by one, here and wherever most fields pass: each stream that becomes part of another costs calls
/// into the compiler.
pub(crate) fn value(field: &Field, access: Access, library: &TokenStream, tokens: &mut TokenStream) {
    if field.skip_if.is_none() && field.with.is_none() {
        return reference(field, access, tokens);
    }
    let mut place = TokenStream::new();
    reference(field, access, &mut place);
    let converted = field.with.as_ref().map(|with| {
        // As serde's own `with` modules have it: a function of that name takes a serializer as well.
        let with_serializer =
            field.role.has_keys() && with.path.segments.last().is_some_and(|last| last.ident == "serialize");
        if with_serializer { quote!(#library::with(|__s| #with(#place, __s))) } else { quote!(#with(#place)) }
    });
    tokens.extend(match (&field.skip_if, converted) {
        (None, None) => place,
        (None, Some(converted)) => quote!(&#converted),
        (Some(skip_if), None) => quote!(&(!#skip_if(#place)).then_some(#place)),
        (Some(skip_if), Some(converted)) => quote!(&(!#skip_if(#place)).then(|| #converted)),
    });
}

/// Adds `&self.field`, beginning where the type begins and ending where it ends. All of its tokens have one hygiene, or the
/// compiler would underline but the first; that of fields does not matter.
fn reference(field: &Field, access: Access, tokens: &mut TokenStream) {
    let (start, end) = ends(&field.ty);
    let place = || [Ident::new("self", start).into(), punct('.', start), at(&field.member, end)];
    match access {
        Access::Own => {
            tokens.extend([punct('&', start)]);
            tokens.extend(place());
        }
        Access::Copied => {
            let mut block = Group::new(Delimiter::Brace, place().into_iter().collect());
            block.set_span(end);
            tokens.extend([punct('&', start), block.into()]);
        }
        Access::Bound => {
            let mut binding = binding(&field.member);
            binding.set_span(end);
            tokens.extend([punct('&', start), punct('*', start), binding.into()]);
        }
    }
}

fn punct(punct: char, span: Span) -> TokenTree {
    let mut punct = Punct::new(punct, Spacing::Alone);
    punct.set_span(span);
    punct.into()
}

/// The member, shown at another place.
fn at(member: &Member, span: Span) -> TokenTree {
    match member {
        Member::Named(ident) => {
            let mut ident = ident.clone();
            ident.set_span(span);
            ident.into()
        }
        Member::Unnamed(index) => {
            let mut index = Literal::u32_unsuffixed(index.index);
            index.set_span(span);
            index.into()
        }
    }
}

/// Where a type begins and ends, with the hygiene of the generated code.
fn ends(ty: &Type) -> (Span, Span) {
    let here = |span| Span::call_site().located_at(span);
    if let Type::Path(TypePath { attrs, qself: None, path: Path { leading_colon: None, segments } }) = ty
        && attrs.is_empty()
        && let (Some(first), Some(last)) = (segments.first(), segments.last())
    {
        // Most types; the tokens of others have to be asked for, which is more work.
        match &last.arguments {
            PathArguments::None if segments.len() == 1 => {
                let span = here(first.ident.span());
                return (span, span);
            }
            PathArguments::None => return (here(first.ident.span()), here(last.ident.span())),
            PathArguments::AngleBracketed(arguments) => {
                return (here(first.ident.span()), here(arguments.gt_token.spans[0]));
            }
            PathArguments::Parenthesized(_) => {}
        }
    }
    let mut tokens = flat(ty.to_token_stream()).into_iter();
    let first = tokens.next();
    let last = tokens.last().or_else(|| first.clone());
    let span =
        |token: Option<TokenTree>, of: fn(&TokenTree) -> Span| here(token.as_ref().map_or_else(Span::call_site, of));
    (span(first, open), span(last, close))
}

/// Without the invisible groups in which a `macro_rules!` hands on its fragments.
fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => flat(group.stream()),
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
