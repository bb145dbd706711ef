//! What the shop's record can say. No event has a field for its actor, address or agent: they come from the request.

use std::fmt;

use audit_client::{AuditError, AuditEvent};
use serde::Serialize;

/// Somebody tried to sign in.
#[derive(AuditEvent)]
#[audit(source = "shop.example.com", generate_id)]
pub(crate) struct SignIn<'a> {
    pub(crate) email: &'a str,
    #[audit(outcome)]
    pub(crate) outcome: &'a Result<(), SignInError>,
}

/// A customer ordered, or staff did so for a customer.
#[derive(AuditEvent)]
#[audit(source = "shop.example.com", generate_id)]
pub(crate) struct OrderPlaced<'a> {
    #[audit(target = "Order")]
    pub(crate) order_id: u64,
    pub(crate) item: &'a str,
    pub(crate) quantity: u32,
    pub(crate) amount_cents: u64,
    // Events of the same account can be found; the account number cannot be read.
    #[audit(hmac)]
    pub(crate) iban: &'a str,
}

/// The payment provider says that an order was paid.
#[derive(AuditEvent)]
#[audit(source = "shop.example.com", generate_id)]
pub(crate) struct PaymentReceived {
    #[audit(target = "Order")]
    pub(crate) order_id: u64,
    pub(crate) amount_cents: u64,
}

/// Staff tried to pay an order back. A refusal is an event too.
#[derive(AuditEvent)]
#[audit(source = "shop.example.com", generate_id)]
pub(crate) struct RefundIssued<'a> {
    #[audit(target = "Order")]
    pub(crate) order_id: u64,
    #[audit(outcome)]
    pub(crate) outcome: &'a Result<Payout, RefundError>,
}

/// What was bought is in stock again.
#[derive(AuditEvent)]
#[audit(source = "shop.example.com", generate_id)]
pub(crate) struct Restocked<'a> {
    #[audit(target = "Item")]
    pub(crate) item: &'a str,
    pub(crate) quantity: u32,
}

/// A customer asked for all data that the shop has of them.
#[derive(AuditEvent)]
#[audit(source = "shop.example.com", generate_id)]
pub(crate) struct ExportRequested {}

/// The data is ready for the customer.
#[derive(AuditEvent)]
#[audit(source = "shop.example.com", generate_id)]
pub(crate) struct ExportFinished {
    pub(crate) orders: usize,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Payout {
    pub(crate) amount_cents: u64,
}

#[derive(Clone, Copy, Debug, AuditError)]
pub(crate) enum SignInError {
    WrongPassword,
}

impl fmt::Display for SignInError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the password is wrong, or there is no such user")
    }
}

#[derive(Clone, Copy, Debug, AuditError)]
pub(crate) enum RefundError {
    UnknownOrder,
    NotPaid,
    AlreadyRefunded,
}

impl fmt::Display for RefundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownOrder => "there is no such order",
            Self::NotPaid => "the order was never paid",
            Self::AlreadyRefunded => "the order was refunded before",
        })
    }
}
