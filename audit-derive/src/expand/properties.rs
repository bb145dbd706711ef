//! Whatever the tokens: errors, or code that parses; never a panic.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use proptest::prelude::*;
use quote::quote;

use super::{Library, audit_error, audit_event, audit_value, user_identity};
use crate::attributes;
use crate::entry::entry;

fn word() -> impl Strategy<Value = TokenTree> {
    let others = [
        "struct",
        "enum",
        "union",
        "pub",
        "where",
        "for",
        "dyn",
        "impl",
        "as",
        "mut",
        "const",
        "static",
        "fn",
        "self",
        "Self",
        "super",
        "T",
        "Vec",
        "Option",
        "Result",
        "PhantomData",
        "String",
        "u8",
        "str",
        "audit",
        "doc",
        "repr",
        "packed",
        "derive",
        "true",
        "null",
        "größe",
        "_x",
        "soruce",
        "idd",
    ];
    let names: Vec<&'static str> = attributes::all().map(|attribute| attribute.name).chain(others).collect();
    prop::sample::select(names).prop_map(|name| Ident::new(name, Span::call_site()).into())
}

fn literal() -> impl Strategy<Value = TokenTree> {
    prop_oneof![
        4 => "[a-zA-Z:<>_ é.=|\\-]{0,12}".prop_map(|text| Literal::string(&text)),
        1 => Just(Literal::string("camelCase")),
        1 => Just(Literal::string("Option::is_none")),
        1 => any::<u64>().prop_map(Literal::u64_unsuffixed),
        1 => any::<u8>().prop_map(Literal::u8_suffixed),
        1 => (0.0..1e300_f64).prop_map(Literal::f64_unsuffixed),
        1 => any::<char>().prop_map(Literal::character),
        1 => Just(Literal::byte_string(b"bytes")),
    ]
    .prop_map(TokenTree::from)
}

fn punct() -> impl Strategy<Value = TokenTree> {
    let joint = prop_oneof![4 => Just(Spacing::Alone), 1 => Just(Spacing::Joint)];
    (prop::sample::select(b"=,:;<>&*!-+.|?@'#".to_vec()), joint)
        // A joint quote begins a lifetime, which needs a name.
        .prop_map(|(punct, spacing)| match punct {
            b'\'' => Punct::new(',', Spacing::Alone).into(),
            punct => Punct::new(char::from(punct), spacing).into(),
        })
}

fn tokens() -> impl Strategy<Value = TokenStream> {
    let leaf = prop_oneof![4 => word(), 3 => punct(), 2 => literal()];
    let token = leaf.prop_recursive(4, 48, 8, |inner| {
        let delimiter =
            prop::sample::select(vec![Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None]);
        (delimiter, prop::collection::vec(inner, 0..8))
            .prop_map(|(delimiter, tokens)| Group::new(delimiter, tokens.into_iter().collect()).into())
    });
    prop::collection::vec(token, 0..12).prop_map(|tokens| tokens.into_iter().collect())
}

/// `a = "b", c, …`: more often right than what any tokens make.
fn attributes() -> impl Strategy<Value = TokenStream> {
    let names: Vec<&'static str> = attributes::all().map(|attribute| attribute.name).collect();
    let name = prop::sample::select(names).prop_map(|name| Ident::new(name, Span::call_site()));
    let value = prop_oneof![
        4 => Just(None),
        2 => literal().prop_map(|literal| Some(literal.into())),
        1 => Just(Some(quote!(path::to::<T>::it))),
        1 => tokens().prop_map(Some),
    ];
    let one = (name, value).prop_map(|(name, value)| {
        let value = value.map(|value| quote!(= #value));
        quote!(#name #value)
    });
    prop::collection::vec(one, 0..4).prop_map(|all| quote!(#(#all),*))
}

fn parses(code: &TokenStream) -> Result<(), TestCaseError> {
    prop_assert!(syn_full::parse2::<syn_full::File>(code.clone()).is_ok(), "{code}");
    Ok(())
}

fn check_all(input: &TokenStream) -> Result<(), TestCaseError> {
    for library in [Library::Core, Library::Client] {
        parses(&audit_event(input.clone(), library))?;
        parses(&user_identity(input.clone(), library))?;
        parses(&audit_value(input.clone(), library))?;
        parses(&audit_error(input.clone(), library))?;
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_tokens_give_errors_or_code(input in tokens()) {
        check_all(&input)?;
        let code = entry(quote!((::audit_core::__) #input));
        prop_assert!(syn_full::parse2::<syn_full::Expr>(quote!({ #code })).is_ok(), "{code}");
    }

    #[test]
    fn any_attributes_give_errors_or_code(
        item in attributes(), first in attributes(), second in attributes(), variant in attributes(), other in tokens(),
    ) {
        check_all(&quote! {
            #[audit(#item)]
            struct E<'a, T: ?Sized, const N: usize> where T: Copy { #[audit(#first)] a: &'a [T; N], #[audit(#second)] r#type: T }
        })?;
        check_all(&quote!(#[audit(#item, source = "a", generate_id)] #[repr(packed)] struct E<T>(#[audit(#first)] T, #[audit(#second)] u8);))?;
        check_all(&quote! {
            #[audit(#item)]
            #[audit(#other)]
            enum E<T> { #[audit(#variant)] A { #[audit(#first)] a: Option<T> }, B(#[audit(#second)] T::Item), C }
        })?;
    }

    #[test]
    fn any_type_of_a_field_gives_errors_or_code(ty in tokens(), name in "[a-z_]{1,8}") {
        let field = syn::parse_str::<Ident>(&name).unwrap_or_else(|_| Ident::new("a", Span::call_site()));
        check_all(&quote!(#[audit(source = "a", generate_id, type = "b")] struct E<T> { #[audit(principal_id)] p: u8, #field: #ty }))?;
        check_all(&quote!(#[audit(source = "a", generate_id)] struct E<T> { #[audit(outcome)] #field: Result<#ty> }))?;
    }
}
