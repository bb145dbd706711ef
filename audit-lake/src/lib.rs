//! audit-lake.
