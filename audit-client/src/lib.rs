//! audit-client.

// The derives that refer to this crate, each with its trait; what their code refers to.
#[doc(hidden)]
pub use audit_core::__private;
pub use audit_core::__private::for_client::{AuditEvent, UserIdentity, entry};
