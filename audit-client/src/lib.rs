//! audit-client.
