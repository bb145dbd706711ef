//! The derive macros of `audit-core` and `audit-client`, and `entry!`. Use them through one of those crates; what every
//! attribute does is told in `docs/derive.md`.
//!
//! The way of a type through this crate: tokens → `parse` (what was written) → `check` (what is wrong with it, all of it in
//! one go) → `model` (what is right) → `emit` (the code). `attributes` is the table that parser, suggestions, completion and
//! docs share; `entry` is the macro of that name; `expand` holds it all together.

mod attributes;
mod case;
mod check;
mod completion;
mod diagnostics;
mod emit;
mod entry;
mod expand;
mod limits;
mod model;
mod parse;
mod suggest;

use proc_macro::TokenStream;

use expand::Library;

/// Makes a struct an audit event, or each variant of an enum.
#[proc_macro_derive(AuditEvent, attributes(audit))]
pub fn audit_event(input: TokenStream) -> TokenStream {
    expand::audit_event(input.into(), Library::Core).into()
}

/// [`AuditEvent`](macro@AuditEvent), as `audit-client` re-exports it: its code refers to `::audit_client`.
#[doc(hidden)]
#[proc_macro_derive(AuditEventForClient, attributes(audit))]
pub fn audit_event_for_client(input: TokenStream) -> TokenStream {
    expand::audit_event(input.into(), Library::Client).into()
}

/// Makes a struct somebody who acts.
#[proc_macro_derive(UserIdentity, attributes(audit))]
pub fn user_identity(input: TokenStream) -> TokenStream {
    expand::user_identity(input.into(), Library::Core).into()
}

/// [`UserIdentity`](macro@UserIdentity), as `audit-client` re-exports it: its code refers to `::audit_client`.
#[doc(hidden)]
#[proc_macro_derive(UserIdentityForClient, attributes(audit))]
pub fn user_identity_for_client(input: TokenStream) -> TokenStream {
    expand::user_identity(input.into(), Library::Client).into()
}

/// A constant event, held to the contract and hashed while compiling: behind `audit_core::entry!`, which tells it where the
/// library is.
#[doc(hidden)]
#[proc_macro]
pub fn entry(input: TokenStream) -> TokenStream {
    entry::entry(input.into()).into()
}
