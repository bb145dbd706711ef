//! audit-core.
