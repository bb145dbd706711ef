//! The derives where every lint is an error, on public types, and without a prelude.
#![no_implicit_prelude]
#![deny(warnings, unused_qualifications, missing_docs, clippy::pedantic, clippy::nursery)]
// The suite's own code, not what is generated.
#![cfg_attr(test, allow(clippy::missing_const_for_fn, clippy::trivially_copy_pass_by_ref, clippy::wildcard_imports))]

use ::core::prelude::v1::derive;

/// Somebody.
#[derive(::renamed::UserIdentity)]
#[audit(type = "Staff", crate = "::renamed")]
pub struct Staff<'a, T: ?::core::marker::Sized> {
    /// Who.
    #[audit(principal_id)]
    pub email: &'a ::core::primitive::str,
    /// What else.
    pub team: &'a T,
    /// Nobody's business.
    #[audit(redact)]
    pub secret: ::std::string::String,
}

/// Each variant a type of its own.
#[derive(::renamed::AuditEvent)]
#[audit(source = "orders.example.com", generate_id, crate = ::renamed)]
pub enum Order<'a, T>
where
    T: ::core::clone::Clone,
{
    /// Nothing to say.
    Opened,
    /// Something.
    Paid {
        /// The number.
        #[audit(id)]
        id: u32,
        /// By whom.
        #[audit(user_identity)]
        by: &'a Staff<'a, T>,
        /// In cents.
        amount: T,
        /// Nobody's business.
        #[audit(redact)]
        card: u64,
        /// Where there is one.
        #[audit(skip_if = ::core::option::Option::is_none)]
        note: ::core::option::Option<&'a ::core::primitive::str>,
    },
}

/// One struct.
#[derive(::renamed::AuditEvent)]
#[audit(source = SOURCE, crate = "::renamed")]
pub struct Refund<'a> {
    /// The number.
    #[audit(id)]
    pub id: u32,
    /// Why.
    pub reason: &'a ::core::primitive::str,
}

const SOURCE: &::core::primitive::str = "orders.example.com";
