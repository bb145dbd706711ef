//! What the example programs share: audit log entries in GitHub's format, and the audit events that they become.

pub mod github;
