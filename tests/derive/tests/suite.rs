//! The suite as most crates meet it: `audit_core` under its own name.
// What the suite never reads is there to be skipped or redacted.
#![allow(dead_code)]

include!("../../hygiene/suite.rs");

suite! { { ::audit_core } {} }
