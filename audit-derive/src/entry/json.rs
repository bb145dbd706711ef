//! A JSON value in a macro's tokens: read with every mistake reported at its own, written as the bytes that are sent.

use std::collections::HashMap;
use std::fmt::Write as _;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser as _};
use syn::{Lit, LitStr, Token};

use crate::diagnostics::Diagnostics;
use crate::limits::MAX_NESTING;

/// A value and where it stands.
pub(crate) struct Value {
    pub(crate) kind: Kind,
    /// Its first token, or the opening of its group: a mark under a whole object would hide the mistake in it.
    pub(crate) at: TokenStream,
}

pub(crate) enum Kind {
    Null,
    Bool(bool),
    /// In digits that are JSON.
    Number(String),
    Text(String),
    Array(Vec<Value>),
    Object(Vec<(LitStr, Value)>),
    /// Not JSON; the mistake is reported.
    Wrong,
}

impl Value {
    /// The value's kind, as messages name it.
    pub(crate) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a string",
            Kind::Array(_) => "an array",
            Kind::Object(_) => "an object",
            Kind::Wrong => "no JSON",
        }
    }

    /// The text under a key, if this is an object that has one.
    pub(crate) fn text_of(&self, key: &str) -> Option<&str> {
        let Kind::Object(members) = &self.kind else { return None };
        members.iter().find_map(|(name, value)| match &value.kind {
            Kind::Text(text) if name.value() == key => Some(text.as_str()),
            _ => None,
        })
    }

    /// The value without white space, its keys as they stand.
    pub(crate) fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match &self.kind {
            Kind::Null | Kind::Wrong => out.push_str("null"),
            Kind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Kind::Number(digits) => out.push_str(digits),
            Kind::Text(text) => write_text(text, out),
            Kind::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Kind::Object(members) => {
                out.push('{');
                for (at, (key, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    write_text(&key.value(), out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Writes a text with its quotes, escaped as `serde_json` does. Using that here would build it, and serde, a second time:
/// what runs in the compiler is built apart from what runs in the program.
fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            // To write to a string never fails.
            '\0'..='\u{1f}' => drop(write!(out, "\\u{:04x}", u32::from(letter))),
            _ => out.push(letter),
        }
    }
    out.push('"');
}

/// The event's own object.
pub(crate) fn object(group: &Group, diagnostics: &mut Diagnostics) -> Value {
    Reader { diagnostics }.group(group, 1)
}

struct Reader<'a> {
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn group(&mut self, group: &Group, depth: usize) -> Value {
        let at = opening(group);
        if depth > MAX_NESTING {
            self.diagnostics.error(
                &at,
                format_args!("arrays and objects nest deeper than {MAX_NESTING} levels here; flatten them"),
            );
            return Value { kind: Kind::Wrong, at };
        }
        let kind = match group.delimiter() {
            Delimiter::Brace => {
                let mut members: Vec<(LitStr, Value)> = Vec::new();
                let mut seen = HashMap::new();
                self.items(group.stream(), |reader, input| {
                    let member = reader.member(input, depth)?;
                    if let Some(first) = seen.insert(member.0.value(), member.0.clone()) {
                        reader.twice(&first, &member.0);
                    }
                    members.push(member);
                    Ok(())
                });
                Kind::Object(members)
            }
            Delimiter::Bracket => {
                let mut items = Vec::new();
                self.items(group.stream(), |reader, input| {
                    items.push(reader.value(input, depth)?);
                    Ok(())
                });
                Kind::Array(items)
            }
            Delimiter::Parenthesis | Delimiter::None => {
                self.diagnostics.error(&at, "JSON has objects `{ }` and arrays `[ ]`, no parentheses");
                Kind::Wrong
            }
        };
        Value { kind, at }
    }

    /// `a, b, …`: a mistake in one does not hide those behind the next comma.
    fn items(&mut self, tokens: TokenStream, mut item: impl FnMut(&mut Self, ParseStream<'_>) -> syn::Result<()>) {
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = item(self, input) {
                    self.diagnostics.push(error);
                    rest_of_item(input);
                }
                if input.is_empty() {
                    break;
                }
                let next: TokenTree = input.fork().parse()?;
                if input.parse::<Token![,]>().is_err() {
                    self.diagnostics.error(first_of(&next), "a comma is expected here");
                    rest_of_item(input);
                    let _: Option<Token![,]> = input.parse()?;
                }
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(tokens) {
            self.diagnostics.push(error);
        }
    }

    fn member(&mut self, input: ParseStream<'_>, depth: usize) -> syn::Result<(LitStr, Value)> {
        let next: TokenTree = input.fork().parse()?;
        let key = match &next {
            // What it is meant to be is clear, so reading goes on.
            TokenTree::Ident(ident) => {
                self.diagnostics.error(ident, format_args!("a key is a string: `\"{ident}\"`"));
                let _: TokenTree = input.parse()?;
                LitStr::new(&ident.to_string(), ident.span())
            }
            other => input
                .parse::<LitStr>()
                .map_err(|_| syn::Error::new_spanned(first_of(other), "a key is a string: `\"key\": value`"))?,
        };
        if input.parse::<Token![:]>().is_err() {
            return Err(syn::Error::new_spanned(&key, "a key is followed by a colon and a value: `\"key\": value`"));
        }
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new_spanned(&key, "this key has no value"));
        }
        // The key is there, whatever is wrong with its value.
        let value = self.value(input, depth).unwrap_or_else(|error| {
            self.diagnostics.push(error);
            rest_of_item(input);
            Value { kind: Kind::Wrong, at: TokenStream::new() }
        });
        Ok((key, value))
    }

    fn twice(&mut self, first: &LitStr, second: &LitStr) {
        let shown: String = second.value().chars().take(80).collect();
        self.diagnostics.error(first, format_args!("the key {shown:?} stands here first"));
        self.diagnostics.error(second, format_args!("the key {shown:?} stands twice in one object; keep one"));
    }

    fn value(&mut self, input: ParseStream<'_>, depth: usize) -> syn::Result<Value> {
        let token: TokenTree = input.parse()?;
        let at = first_of(&token);
        let kind = match &token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                // A fragment of a `macro_rules!`: what is in it counts.
                let inner = (|inner: ParseStream<'_>| self.value(inner, depth)).parse2(group.stream())?;
                return Ok(inner);
            }
            TokenTree::Group(group) => return Ok(self.group(group, depth + 1)),
            TokenTree::Ident(ident) if ident == "null" => Kind::Null,
            TokenTree::Ident(ident) if ident == "true" => Kind::Bool(true),
            TokenTree::Ident(ident) if ident == "false" => Kind::Bool(false),
            TokenTree::Punct(punct) if punct.as_char() == '-' => match input.parse()? {
                TokenTree::Literal(literal) => Kind::Number(format!("-{}", number(&Lit::new(literal))?)),
                _ => return Err(syn::Error::new_spanned(at, "a number is expected behind `-`")),
            },
            TokenTree::Literal(literal) => match Lit::new(literal.clone()) {
                Lit::Str(text) if text.suffix().is_empty() => Kind::Text(text.value()),
                Lit::Bool(value) => Kind::Bool(value.value),
                number_literal @ (Lit::Int(_) | Lit::Float(_)) => Kind::Number(number(&number_literal)?),
                _ => {
                    return Err(syn::Error::new_spanned(
                        at,
                        "JSON has strings in double quotes and numbers, no other literals",
                    ));
                }
            },
            _ => {
                return Err(syn::Error::new_spanned(
                    at,
                    "a JSON value is expected here: a string, a number, `true`, `false`, `null`, an array or an object; an `entry!` is constant, so it takes no variables",
                ));
            }
        };
        Ok(Value { kind, at })
    }
}

/// A number in JSON's grammar.
fn number(literal: &Lit) -> syn::Result<String> {
    let (digits, suffix, whole) = match literal {
        Lit::Int(int) => (int.base10_digits().to_owned(), int.suffix(), true),
        Lit::Float(float) => (float.base10_digits().to_owned(), float.suffix(), false),
        _ => return Err(syn::Error::new_spanned(literal, "a number is expected here")),
    };
    if !suffix.is_empty() {
        return Err(syn::Error::new_spanned(literal, format_args!("a number of JSON has no type: write `{digits}`")));
    }
    if whole {
        return Ok(digits);
    }
    if digits.ends_with('.') || digits.contains(".e") || digits.contains(".E") {
        return Err(syn::Error::new_spanned(literal, "a number of JSON has a digit behind its point: write `1.0`"));
    }
    if !digits.parse::<f64>().is_ok_and(f64::is_finite) {
        return Err(syn::Error::new_spanned(literal, "this number is too large for most readers of JSON"));
    }
    Ok(digits)
}

/// The opening of a group, as a token that can be underlined.
fn opening(group: &Group) -> TokenStream {
    let mut mark = proc_macro2::Literal::usize_unsuffixed(0);
    mark.set_span(group.span_open());
    mark.into_token_stream()
}

fn first_of(token: &TokenTree) -> TokenStream {
    match token {
        TokenTree::Group(group) => opening(group),
        other => other.to_token_stream(),
    }
}

fn rest_of_item(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_is_escaped_as_serde_json_does(text in "[\0-\u{80}\u{2028}\\PC]*") {
            let mut written = String::new();
            super::write_text(&text, &mut written);
            prop_assert_eq!(written, serde_json::Value::from(text).to_string());
        }
    }
}
