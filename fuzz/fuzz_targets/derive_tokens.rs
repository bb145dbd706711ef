//! Any tokens as a macro's input give errors or code, never a panic.
//!
//! `cargo +nightly fuzz run derive_tokens`
#![no_main]
// The macros' logic is compiled from its files, since a crate of macros exports nothing else.
#![allow(dead_code)]

#[path = "../../audit-derive/src/attributes.rs"]
mod attributes;
#[path = "../../audit-derive/src/case.rs"]
mod case;
#[path = "../../audit-derive/src/check/mod.rs"]
mod check;
#[path = "../../audit-derive/src/completion.rs"]
mod completion;
#[path = "../../audit-derive/src/diagnostics.rs"]
mod diagnostics;
#[path = "../../audit-derive/src/emit/mod.rs"]
mod emit;
#[path = "../../audit-derive/src/entry/mod.rs"]
mod entry;
#[path = "../../audit-derive/src/expand.rs"]
mod expand;
#[path = "../../audit-derive/src/limits.rs"]
mod limits;
#[path = "../../audit-derive/src/manifest.rs"]
mod manifest;
#[path = "../../audit-derive/src/model.rs"]
mod model;
#[path = "../../audit-derive/src/parse/mod.rs"]
mod parse;
#[path = "../../audit-derive/src/roles.rs"]
mod roles;
#[path = "../../audit-derive/src/suggest.rs"]
mod suggest;

use std::str::FromStr;

use expand::Library;
use libfuzzer_sys::fuzz_target;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

fuzz_target!(|text: &str| {
    let Ok(tokens) = TokenStream::from_str(text) else { return };
    expand::audit_event(tokens.clone(), Library::Core);
    expand::user_identity(tokens.clone(), Library::Client);
    expand::audit_value(tokens.clone(), Library::Core);
    expand::audit_error(tokens.clone(), Library::Core);
    let library = TokenTree::from(Group::new(Delimiter::Parenthesis, TokenStream::new()));
    entry::entry(std::iter::once(library).chain(tokens).collect());
});
