//! `entry!`: a whole constant event, checked against the contract and hashed while compiling.

mod contract;
mod json;
mod time;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proc_macro2::{Group, Literal, TokenStream};
use quote::quote;
use sha2::{Digest, Sha256};
use syn::parse::{ParseStream, Parser as _};
use syn::{LitStr, Token, token};

use crate::diagnostics::Diagnostics;
use crate::limits::EVENT_ID_CHARS;

/// How the macro is called, for messages.
const USAGE: &str = "write `entry!({ \"version\": \"1.0\", … })`, the event as a JSON object, or with an entry's id of its own before it: `entry!(\"id\", { … })`";

/// The code of `entry!`: an expression of type `StaticEntry`, which is constant in a constant.
///
/// The first token is a group with the path to the library's hidden module: `audit_core::entry!` is a
/// `macro_rules!` that puts its `$crate` there, so that the path is right under whatever name the library is reached.
pub(crate) fn entry(input: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let Arguments { library, id, data } = match Arguments::parse.parse2(input) {
        Ok(arguments) => arguments,
        Err(error) => return error.into_compile_error(),
    };
    let (id, data) = match (id, data) {
        (Ok(id), Ok(data)) => (id, data),
        (Err(error), _) | (_, Err(error)) => {
            diagnostics.push(error);
            return failed(&diagnostics, &library);
        }
    };
    if let Some(id) = &id {
        check_id(id, &mut diagnostics);
    }
    let event = json::object(&data, &mut diagnostics);
    contract::check(&event, &mut diagnostics);
    if !diagnostics.is_empty() {
        return failed(&diagnostics, &library);
    }
    let json = event.to_json();
    let checksum = Literal::byte_string(&Sha256::digest(json.as_bytes()));
    // The contract asks for both.
    let id = id.map_or_else(|| derive_id(event.text_of("UID").unwrap_or_default()), |id| id.value());
    let recipient = event.text_of("recipientAccountId").unwrap_or_default();
    quote!(#library::StaticEntry::__from_macro(#id, #json, *#checksum, #recipient))
}

struct Arguments {
    library: TokenStream,
    /// None where `UID` gives it.
    id: syn::Result<Option<LitStr>>,
    data: syn::Result<Group>,
}

impl Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let library = input.parse::<Group>()?.stream();
        let usage = |error: syn::Error| syn::Error::new(error.span(), format_args!("{error}; {USAGE}"));
        let (id, data) = if input.peek(token::Brace) {
            (Ok(None), input.parse::<Group>().map_err(usage))
        } else {
            let id = input.parse::<LitStr>().map(Some).map_err(usage);
            (id, input.parse::<Token![,]>().and_then(|_| input.parse::<Group>()).map_err(usage))
        };
        let _: Option<Token![,]> = input.parse()?;
        let rest: TokenStream = input.parse()?;
        let data = if rest.is_empty() || data.is_err() {
            data
        } else {
            Err(syn::Error::new_spanned(rest, format_args!("nothing more is expected here; {USAGE}")))
        };
        Ok(Self { library, id, data })
    }
}

/// `audit_core::EventId::derive`: the tests compare the two.
fn derive_id(uid: &str) -> String {
    let fits = (1..=EVENT_ID_CHARS).contains(&uid.len()) && uid.chars().all(stands_in_id);
    if fits { uid.to_owned() } else { URL_SAFE_NO_PAD.encode(Sha256::digest(uid.as_bytes())) }
}

fn stands_in_id(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'
}

fn check_id(id: &LitStr, diagnostics: &mut Diagnostics) {
    let text = id.value();
    let chars = text.chars().count();
    if chars == 0 || chars > EVENT_ID_CHARS {
        diagnostics.error(id, format_args!("an entry's id has 1 to {EVENT_ID_CHARS} characters; this one has {chars}"));
    } else if let Some(bad) = text.chars().find(|&c| !stands_in_id(c)) {
        diagnostics.error(
            id,
            format_args!("{bad:?} cannot stand in an entry's id; it takes letters and digits of ASCII, `-` and `_`"),
        );
    }
}

/// The errors, in an expression of the right type, so that nothing else is wrong with where it stands.
fn failed(diagnostics: &Diagnostics, library: &TokenStream) -> TokenStream {
    let errors = diagnostics.to_tokens();
    quote!({ #errors #library::StaticEntry::__from_macro("?", "", [0; 32], "000000000000") })
}

#[cfg(test)]
mod tests;
