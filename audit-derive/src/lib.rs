#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::expect_used)]
//! The derive macros of `audit-core` and `audit-client`, and `entry!`. Use them through one of those crates; what every
//! attribute does is in [docs/derive.md](https://example.com/REPLACE-BEFORE-RELEASE/audit/blob/main/docs/derive.md).
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
mod manifest;
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
/// | field: how | `rename`, `flatten`, `skip`, `skip_if`, `with`, `redact`, `target`, `nested`, `personal`, `hmac` |
///
/// [docs/derive.md](https://example.com/REPLACE-BEFORE-RELEASE/audit/blob/main/docs/derive.md) has an example of each, and the JSON that comes out.
#[proc_macro_derive(AuditEvent, attributes(audit, serde))]
pub fn audit_event(input: TokenStream) -> TokenStream {
    expand::audit_event(input.into(), Library::Core).into()
}

/// [`AuditEvent`](macro@AuditEvent), as `audit-client` re-exports it: its code refers to `::audit_client`.
#[doc(hidden)]
#[proc_macro_derive(AuditEventForClient, attributes(audit, serde))]
pub fn audit_event_for_client(input: TokenStream) -> TokenStream {
    expand::audit_event(input.into(), Library::Client).into()
}

/// Makes a struct an identity, which acts, or each variant of an enum one: implements `UserIdentity`.
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
/// | struct, enum | `type` (required), `rename_all`, `crate`, `bound` |
/// | variant | `type` |
/// | field | `principal_id` (required on one), `rename`, `flatten`, `skip`, `skip_if`, `with`, `redact`, `hmac` |
#[proc_macro_derive(UserIdentity, attributes(audit, serde))]
pub fn user_identity(input: TokenStream) -> TokenStream {
    expand::user_identity(input.into(), Library::Core).into()
}

/// [`UserIdentity`](macro@UserIdentity), as `audit-client` re-exports it: its code refers to `::audit_client`.
#[doc(hidden)]
#[proc_macro_derive(UserIdentityForClient, attributes(audit, serde))]
pub fn user_identity_for_client(input: TokenStream) -> TokenStream {
    expand::user_identity(input.into(), Library::Client).into()
}

/// Makes a struct or an enum a value that hides what it says is hidden, wherever it stands in an event: implements `AuditValue`
/// and, instead of `#[derive(Serialize)]`, `Serialize`.
///
/// ```
/// use audit_core::AuditValue;
///
/// #[derive(AuditValue)]
/// struct Payment {
///     cents: u64,
///     #[audit(hmac)]
///     iban: String,
///     #[audit(redact)]
///     holder: String,
/// }
///
/// // Outside of an event there is no key, and nothing is shown.
/// let payment = Payment { cents: 5, iban: "DE89".to_owned(), holder: "Ada".to_owned() };
/// assert!(serde_json::to_string(&payment).is_err());
/// ```
///
/// | on | attributes |
/// |---|---|
/// | struct, enum | `rename_all`, `crate`, `bound` |
/// | variant | `name` |
/// | field | `rename`, `skip`, `skip_if`, `with`, `redact`, `nested`, `personal`, `hmac` |
#[proc_macro_derive(AuditValue, attributes(audit, serde))]
pub fn audit_value(input: TokenStream) -> TokenStream {
    expand::audit_value(input.into(), Library::Core).into()
}

/// [`AuditValue`](macro@AuditValue), as `audit-client` re-exports it: its code refers to `::audit_client`.
#[doc(hidden)]
#[proc_macro_derive(AuditValueForClient, attributes(audit, serde))]
pub fn audit_value_for_client(input: TokenStream) -> TokenStream {
    expand::audit_value(input.into(), Library::Client).into()
}

/// Gives an error its code, which is the name of the struct or of the variant: implements `AuditError` for a type that implements
/// `Display`.
///
/// ```
/// use audit_core::AuditError;
///
/// #[derive(AuditError)]
/// enum ChargeError {
///     CardExpired,
///     #[audit(code = "Declined")]
///     ByBank(String),
/// }
///
/// impl std::fmt::Display for ChargeError {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("the charge failed")
///     }
/// }
///
/// assert_eq!(ChargeError::CardExpired.error_code(), "CardExpired");
/// assert_eq!(ChargeError::ByBank("no funds".to_owned()).error_code(), "Declined");
/// ```
///
/// | on | attributes |
/// |---|---|
/// | struct, enum | `code`, `crate`, `bound` |
/// | variant | `code` |
#[proc_macro_derive(AuditError, attributes(audit))]
pub fn audit_error(input: TokenStream) -> TokenStream {
    expand::audit_error(input.into(), Library::Core).into()
}

/// [`AuditError`](macro@AuditError), as `audit-client` re-exports it: its code refers to `::audit_client`.
#[doc(hidden)]
#[proc_macro_derive(AuditErrorForClient, attributes(audit))]
pub fn audit_error_for_client(input: TokenStream) -> TokenStream {
    expand::audit_error(input.into(), Library::Client).into()
}

/// A constant event, checked against the contract and hashed while compiling: behind `audit_core::entry!`, which passes where the
/// library is.
#[doc(hidden)]
#[proc_macro]
pub fn entry(input: TokenStream) -> TokenStream {
    entry::entry(input.into()).into()
}
