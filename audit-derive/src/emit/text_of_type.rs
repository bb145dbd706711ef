//! A type as a person writes it: `Option<&'a str>`, whatever tokens it came in.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Path, PathArguments, Type, TypePath};

use crate::parse::CONSTANT;

/// Adds the text of a type, on one line.
pub(crate) fn text_of(ty: &Type, text: &mut String) {
    match ty {
        Type::Path(TypePath { attrs, qself: None, path }) if attrs.is_empty() && is_simple(path) => path_of(path, text),
        _ => write(ty.to_token_stream(), text),
    }
}

/// Whether a path has no arguments but types. Such a path is written without asking the compiler for its tokens.
fn is_simple(path: &Path) -> bool {
    path.leading_colon.is_none()
        && path.segments.iter().all(|segment| match &segment.arguments {
            PathArguments::None => true,
            PathArguments::AngleBracketed(arguments) => {
                let types = |argument| matches!(argument, &GenericArgument::Type(_));
                arguments.colon2_token.is_none() && arguments.args.iter().all(types)
            }
            PathArguments::Parenthesized(_) => false,
        })
}

fn path_of(path: &Path, text: &mut String) {
    for (at, segment) in path.segments.iter().enumerate() {
        if at > 0 {
            text.push_str("::");
        }
        text.push_str(&segment.ident.to_string());
        let PathArguments::AngleBracketed(arguments) = &segment.arguments else { continue };
        text.push('<');
        for (at, argument) in arguments.args.iter().enumerate() {
            if at > 0 {
                text.push_str(", ");
            }
            if let GenericArgument::Type(ty) = argument {
                text_of(ty, text);
            }
        }
        text.push('>');
    }
}

fn write(tokens: TokenStream, text: &mut String) {
    // Whether the last token was a word, so that another word needs a space between.
    let mut word = false;
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == CONSTANT => {
                // Behind the `!`.
                if let Some(TokenTree::Group(constant)) = tokens.nth(1) {
                    write(constant.stream(), text);
                }
                word = false;
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::None => ("", ""),
                };
                if word && (group.delimiter() != Delimiter::Parenthesis || text.ends_with("mut")) {
                    text.push(' ');
                }
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
                word = group.delimiter() == Delimiter::Brace;
            }
            TokenTree::Punct(punct) => {
                let punct_char = punct.as_char();
                // `->`, `+`, `=` stand apart; a lifetime's quote begins a word.
                let apart = matches!(punct_char, '+' | '=' | '-') && !text.ends_with(' ');
                if apart || (punct_char == '\'' && word) {
                    text.push(' ');
                }
                text.push(punct_char);
                let arrow = punct_char == '>' && text.ends_with("->");
                if matches!(punct_char, ',' | ';' | '+' | '=') || arrow {
                    text.push(' ');
                }
                word = false;
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                if word {
                    text.push(' ');
                }
                // A literal may hold anything; the text is one line.
                text.extend(token.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }));
                word = true;
            }
        }
    }
}

/// Whether a type is an `Option`, by its name: all that a macro can see.
pub(crate) fn is_option(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_option(&group.elem),
        Type::Paren(paren) => is_option(&paren.elem),
        Type::Reference(reference) => is_option(&reference.elem),
        Type::Path(path) => {
            path.path.segments.last().is_some_and(|last| {
                last.ident == "Option" && matches!(last.arguments, PathArguments::AngleBracketed(_))
            })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_reads_as_it_is_written() {
        for text in [
            "u8",
            "Option<&'a str>",
            "&'a mut [u8; 4]",
            "std::collections::BTreeMap<String, Vec<(u8, i64)>>",
            "dyn Fn(u8) -> u8 + Send",
            "<T as Iterator>::Item",
            "Box<dyn Iterator<Item = u8> + 'a>",
            "[u8; { 1 + 2 }]",
            "()",
        ] {
            let ty: Type = syn::parse_str(text).unwrap();
            let mut written = "a ".to_owned();
            text_of(&ty, &mut written);
            assert_eq!(written, format!("a {text}"));
        }
    }
}
