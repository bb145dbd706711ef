//! The value behind an attribute's name.

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{ExprPath, Lit, LitStr, Path, Token, WherePredicate, token};

use crate::attributes::{Attribute, Takes};
use crate::case::{CASES, Case};
use crate::suggest;

/// A text: known to the macro, or a constant that only the compiler can read.
#[derive(Clone)]
pub(crate) enum Text {
    Literal(Known),
    Const(TokenStream),
}

/// A text from a literal or from a name.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) value: String,
    pub(crate) span: Span,
}

impl ToTokens for Known {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut literal = Literal::string(&self.value);
        literal.set_span(self.span);
        literal.to_tokens(tokens);
    }
}

impl ToTokens for Text {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Literal(literal) => literal.to_tokens(tokens),
            Self::Const(path) => path.to_tokens(tokens),
        }
    }
}

/// A value, of the kind that the attribute takes.
pub(crate) enum Value {
    Nothing,
    Text(Text),
    Case(Case),
    Function(Box<ExprPath>),
    Module(Path),
    Bounds(Vec<WherePredicate>),
}

/// The value of `attribute`, whose name has just been read.
pub(crate) fn parse(input: ParseStream<'_>, attribute: &'static Attribute, name: &Ident) -> syn::Result<Value> {
    let Attribute { name: written, example, .. } = attribute;
    if attribute.takes == Takes::Nothing {
        // Anything else behind it is a comma that is missing.
        if !input.peek(Token![=]) && !input.peek(token::Paren) {
            return Ok(Value::Nothing);
        }
        let rest = rest_of_item(input);
        return Err(syn::Error::new_spanned(rest, format_args!("`{written}` takes no value: write `{example}`")));
    }
    if input.peek(token::Paren) {
        let rest = rest_of_item(input);
        return Err(syn::Error::new_spanned(
            quote!(#name #rest),
            format_args!("`{written}` takes its value behind a `=`: write `{example}`"),
        ));
    }
    if !input.peek(Token![=]) {
        return Err(syn::Error::new_spanned(name, format_args!("`{written}` needs a value: write `{example}`")));
    }
    let equals: Token![=] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new_spanned(
            quote!(#name #equals),
            format_args!("`{written}` needs a value: write `{example}`"),
        ));
    }
    match attribute.takes {
        Takes::Nothing => Ok(Value::Nothing),
        Takes::Text => text(input, attribute).map(Value::Text),
        Takes::Case => case(&literal(input, attribute)?),
        Takes::Function => function(input, attribute),
        Takes::Module => module(input, attribute),
        Takes::Bounds => bounds(&literal(input, attribute)?),
    }
}

fn text(input: ParseStream<'_>, attribute: &Attribute) -> syn::Result<Text> {
    if input.peek(Lit) {
        return literal(input, attribute)
            .map(|literal| Text::Literal(Known { value: literal.value(), span: literal.span() }));
    }
    let ahead = input.fork();
    let Ok(path) = input.parse::<ExprPath>() else {
        return Err(not_a(&ahead, attribute, "a string or the path of a const is expected here"));
    };
    // `concat!(…)`, `env!(…)`: constants as well.
    if let Some(bang) = input.parse::<Option<Token![!]>>()? {
        let arguments: proc_macro2::Group = input.parse()?;
        return Ok(Text::Const(quote!(#path #bang #arguments)));
    }
    Ok(Text::Const(path.into_token_stream()))
}

fn literal(input: ParseStream<'_>, attribute: &Attribute) -> syn::Result<LitStr> {
    let ahead = input.fork();
    match input.parse::<Lit>() {
        Ok(Lit::Str(literal)) if literal.suffix().is_empty() => Ok(literal),
        _ => Err(not_a(&ahead, attribute, "a string is expected here")),
    }
}

/// An error at the value as it was written.
fn not_a(value: ParseStream<'_>, attribute: &Attribute, what: &str) -> syn::Error {
    syn::Error::new_spanned(rest_of_item(value), format_args!("{what}: `{}`", attribute.example))
}

fn case(literal: &LitStr) -> syn::Result<Value> {
    let name = literal.value();
    Case::named(&name).map(Value::Case).ok_or_else(|| {
        let known = CASES.map(|(known, _)| known);
        let list = known.map(|known| format!("\"{known}\"")).join(", ");
        let shown: String = name.chars().take(80).collect();
        let message = match suggest::nearest_word(&name, known.into_iter()) {
            Some(meant) => format!("unknown case {shown:?}: did you mean {meant:?}?\nvalid cases: {list}"),
            None => format!("unknown case {shown:?}\nvalid cases: {list}"),
        };
        syn::Error::new_spanned(literal, message)
    })
}

fn function(input: ParseStream<'_>, attribute: &Attribute) -> syn::Result<Value> {
    let ahead = input.fork();
    if let Ok(literal) = input.parse::<LitStr>() {
        return literal
            .parse()
            .map(|path| Value::Function(Box::new(path)))
            .map_err(|_| not_a(&ahead, attribute, "the path of a function is expected here"));
    }
    match input.parse() {
        Ok(path) => Ok(Value::Function(Box::new(path))),
        Err(_) => Err(not_a(&ahead, attribute, "the path of a function is expected here")),
    }
}

fn module(input: ParseStream<'_>, attribute: &Attribute) -> syn::Result<Value> {
    let ahead = input.fork();
    let parsed = if let Ok(literal) = input.parse::<LitStr>() {
        literal.parse_with(Path::parse_mod_style)
    } else {
        input.call(Path::parse_mod_style)
    };
    parsed.map(Value::Module).map_err(|_| not_a(&ahead, attribute, "the path of a crate is expected here"))
}

fn bounds(literal: &LitStr) -> syn::Result<Value> {
    let parser = Punctuated::<WherePredicate, Token![,]>::parse_terminated;
    match parser.parse2(literal.parse()?) {
        Ok(predicates) => Ok(Value::Bounds(predicates.into_iter().collect())),
        Err(error) => Err(syn::Error::new_spanned(
            literal,
            format_args!("bounds as in a where clause are expected here, such as \"T: serde::Serialize\": {error}"),
        )),
    }
}

/// What is left before the next comma.
pub(super) fn rest_of_item(input: ParseStream<'_>) -> TokenStream {
    let mut rest = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        match input.parse::<TokenTree>() {
            Ok(token) => token.to_tokens(&mut rest),
            Err(_) => break,
        }
    }
    rest
}
