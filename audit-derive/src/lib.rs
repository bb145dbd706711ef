#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::expect_used)]
//! The derive macros of `audit-core` and `audit-client`, and `entry!`. Use them through one of those crates; what every
//! attribute does is in `docs/derive.md`.
//!
//! How a type passes through this crate: tokens → `parse` (what was written) → `check` (what is wrong with it, all of it in
//! one go) → `model` (what is right) → `emit` (the code). `attributes` is the table that parser, suggestions, completion and
//! docs share; `entry` is the macro of that name; `roles` is the table of roles; `expand` calls the steps.

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
mod roles;
mod suggest;

use proc_macro::TokenStream;

use expand::Library;

/// Makes a struct an audit event, or each variant of an enum one: implements `AuditEvent`, `EventCatalog`, and where a field
/// is the user identity also `NamesActor`.
///
/// ```
/// use audit_core::{AccountId, AuditEvent, Context, UserIdentity};
///
/// #[derive(UserIdentity)]
/// #[audit(type = "Staff")]
/// struct Staff {
///     #[audit(principal_id)]
///     email: String,
/// }
///
/// /// A refund was issued.
/// #[derive(AuditEvent)]
/// #[audit(source = "orders.example.com")]
/// struct RefundIssued<'a> {
///     #[audit(id)]
///     id: &'a str, // of this event, not of the refund
///     #[audit(user_identity)]
///     by: &'a Staff,
///     order_id: &'a str, // unmarked: `requestParameters.orderId`
/// }
///
/// let by = Staff { email: "alice@example.com".to_owned() };
/// let context = Context::new(AccountId::from_static("123456789012"));
/// let entry = RefundIssued { id: "evt_01JD9ZK3", by: &by, order_id: "ord_01HZX3V7Q8" }.to_entry(&context)?;
/// assert_eq!(entry.id().as_str(), "evt_01JD9ZK3");
/// assert!(entry.event_data().ends_with(r#""requestParameters":{"orderId":"ord_01HZX3V7Q8"}}"#));
/// # Ok::<(), audit_core::EncodeError>(())
/// ```
///
/// | on | attributes |
/// |---|---|
/// | struct, enum | `source` (required), `version`, `rename_all`, `generate_id`, `crate`, `bound`; on a struct also `name` |
/// | variant | `name`, `source`, `version` |
/// | field: its role | `id` (required, or `generate_id`), `event_name`, `user_identity`, `time`, `user_agent`, `source_ip`, `error_code`, `error_message`, `outcome`, `request` (the default), `response`, `additional` |
/// | field: how | `rename`, `flatten`, `skip`, `skip_if`, `with`, `redact`, `target`, `hmac` |
///
/// `docs/derive.md` in the repository has an example of each, and the JSON that comes out.
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

/// Makes a struct an identity, which acts: implements `UserIdentity`.
///
/// ```
/// use audit_core::UserIdentity;
///
/// #[derive(UserIdentity)]
/// #[audit(type = "Robot")]
/// struct Robot {
///     #[audit(principal_id)]
///     serial: u32,
///     owner: Option<String>, // unmarked: `details.owner`
/// }
///
/// let robot = Robot { serial: 7, owner: None };
/// assert_eq!((&*robot.identity_type(), &*robot.principal_id()), ("Robot", "7"));
/// ```
///
/// | on | attributes |
/// |---|---|
/// | struct | `type` (required), `rename_all`, `crate`, `bound` |
/// | field | `principal_id` (required on one), `rename`, `flatten`, `skip`, `skip_if`, `with`, `redact` |
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

/// A constant event, checked against the contract and hashed while compiling: behind `audit_core::entry!`, which passes where the
/// library is.
#[doc(hidden)]
#[proc_macro]
pub fn entry(input: TokenStream) -> TokenStream {
    entry::entry(input.into()).into()
}
