#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::expect_used)]
//! Gives audit events what only the request knows: who calls, from where, with what, under which id.
//!
//! ```no_run
//! # #[cfg(feature = "axum")] mod example {
//! use audit_client::{AuditClient, AuditEvent, EmitError, EventId, UserIdentity};
//! use audit_tower::{Audit, AuditLayer, ClientIp, RequestId};
//! use axum::{Router, extract::FromRequestParts, http::{StatusCode, request::Parts}, routing::post};
//!
//! #[derive(UserIdentity)]
//! #[audit(type = "Staff")]
//! struct Staff {
//!     #[audit(principal_id)]
//!     email: String,
//! }
//!
//! # impl<S: Sync> FromRequestParts<S> for Staff {
//! #     type Rejection = StatusCode;
//! #     async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, StatusCode> { Err(StatusCode::UNAUTHORIZED) }
//! # }
//! #[derive(AuditEvent)]
//! #[audit(source = "orders.example.com")]
//! struct RefundIssued {
//!     #[audit(id)]
//!     event: EventId,
//!     amount_cents: u64,
//! }
//!
//! // `Staff` implements axum's `FromRequestParts`: it says who calls, or rejects the request.
//! async fn refund(audit: Audit<Staff>) -> Result<(), StatusCode> {
//!     let event = RefundIssued { event: EventId::generate(), amount_cents: 1999 };
//!     audit.emit(&event).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
//!     Ok(())
//! }
//!
//! fn router(client: AuditClient) -> Result<Router, Box<dyn std::error::Error>> {
//!     let layer = AuditLayer::new(client)
//!         .client_ip(ClientIp::x_forwarded_for().trusting(["10.0.0.0/8".parse()?]))
//!         .request_id(RequestId::header("x-request-id"))
//!         .on_unaudited(|route, method, status| eprintln!("{method} {route} answered {status} and left no audit event"));
//!     Ok(Router::new().route("/orders/{id}/refund", post(refund)).layer(layer))
//! }
//! # }
//! ```
//!
//! The layer records nothing by itself: access logs are not evidence. An event that is emitted in a request has
//! - `sourceIPAddress`: the socket's peer, or the client that a trusted proxy names (see [`ClientIp`]);
//! - `userAgent`: the header of that name, cut to 1,024 characters;
//! - `additionalEventData.requestId` (see [`RequestId`]), and `peerIPAddress` where the address is from a header.
//!
//! It is emitted through the extractor `Audit`, or through [`ActingAs::current`](audit_client::ActingAs::current) anywhere below the
//! handler, or by the plain client. Nothing of this is computed before the first event.
//!
//! [docs/context.md](https://example.com/REPLACE-BEFORE-RELEASE/audit/blob/main/docs/context.md) shows all ways from the request to the record, and what to write behind which proxy.
//!
//! # Features
//! | feature | what it adds |
//! |---|---|
//! | `axum` (default) | the extractors `Audit` and `AuditAnonymous`; the peer from `ConnectInfo`, the route from `MatchedPath` |
//! | `tonic` | the peer of tonic's own server |

mod client_ip;
#[cfg(feature = "axum")]
mod extract;
mod layer;
mod not_audited;
mod request;
mod request_id;

pub use client_ip::ClientIp;
#[cfg(feature = "axum")]
pub use extract::{Audit, AuditAnonymous, AuditRejection};
pub use layer::{AuditBody, AuditLayer, AuditService, ResponseFuture};
pub use not_audited::{NotAudited, NotAuditedService};
pub use request::PeerAddr;
pub use request_id::RequestId;

pub use ipnet::IpNet;
