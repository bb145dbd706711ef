//! The macros from end to end, without a compiler: which mistakes are reported for which input.

use proc_macro2::{TokenStream, TokenTree};

use super::{Library, audit_event, user_identity};

/// The messages of all `compile_error!`s in some code.
pub(crate) fn messages(code: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = code.into_iter().collect();
    tokens
        .windows(3)
        .filter_map(|three| match three {
            [TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Group(group)] if name == "compile_error" => {
                Some(syn::parse2::<syn::LitStr>(group.stream()).unwrap().value())
            }
            _ => None,
        })
        .collect()
}

/// The first lines of the messages that an event gets.
fn event_errors(code: &str) -> Vec<String> {
    first_lines(audit_event(code.parse().unwrap(), Library::Core))
}

fn identity_errors(code: &str) -> Vec<String> {
    first_lines(user_identity(code.parse().unwrap(), Library::Core))
}

fn first_lines(code: TokenStream) -> Vec<String> {
    messages(code).iter().map(|message| message.lines().next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_right_event_has_no_errors() {
    let errors = event_errors(
        "#[audit(source = \"a.example.com\", version = VERSION, bound = \"\", crate = super::audit)]
         struct E<'a, T: ?Sized, const N: usize> {
            #[audit(id)] id: u64, #[audit(rename = KEY)] a: [T; N], #[audit(skip_if = Vec::<u8, A>::is_empty, with = \"<[u8]>::len\")] b: &'a T,
            #[audit(flatten)] c: Map, #[audit(redact)] d: X, #[audit(hmac, response)] e: X, #[audit(skip)] f: fn(),
         }",
    );
    assert_eq!(errors, [""; 0]);
}

#[test]
fn five_independent_mistakes_give_five_errors() {
    let errors = event_errors(
        "#[audit(soruce = \"a\", version = \"\")]
         struct E { #[audit(id = 1)] id: u64, #[audit(tiem)] at: T, #[audit(rename_all = \"x\")] b: u8 }",
    );
    assert_eq!(
        errors,
        [
            "unknown attribute `soruce`: did you mean `source`?",
            "`version` is empty, which counts as missing; it needs at least one character",
            "`id` takes no value: write `id`",
            "unknown attribute `tiem`: did you mean `time`?",
            "`rename_all` is valid on an event struct, an event enum, an identity or an audit value, not on a field of an event",
        ]
    );
}

#[test]
fn what_is_missing_is_told_once() {
    let errors = event_errors("enum E { A { a: u8 }, B }");
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(errors[0].starts_with("`E` has no source"));
    assert!(errors[1].starts_with("`A` has no id"));
    assert!(errors[2].starts_with("`B` has no id"));
    let errors = identity_errors("struct S { a: u8 }");
    assert_eq!(errors.len(), 2, "{errors:?}");
}

#[test]
fn what_stands_at_the_wrong_place_is_not_called_missing_as_well() {
    let errors = event_errors("#[audit(source = \"a\")] enum E { #[audit(id)] A(u8, #[audit(naem = \"b\")] u8) }");
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(errors[0].starts_with("`id` is valid on a field"), "{errors:?}");
    assert!(errors[1].starts_with("a field without a name"), "{errors:?}");
    assert!(errors[2].starts_with("unknown attribute `naem`"), "{errors:?}");
    let errors = event_errors("#[audit(source = \"a\")] struct E { #[audit(id request)] a: u8 }");
    assert_eq!(errors, ["a comma, or the end, is expected here"]);
}
