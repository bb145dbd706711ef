//! The suite through `audit-client`, with no `crate = "…"`.
#![no_implicit_prelude]
#![deny(warnings, unused_qualifications, missing_docs, clippy::pedantic, clippy::nursery)]
// The suite's own code, not what is generated.
#![allow(
    clippy::missing_const_for_fn,
    clippy::redundant_pub_crate,
    clippy::trivially_copy_pass_by_ref,
    clippy::wildcard_imports
)]
// What the suite never reads is there to be skipped or redacted.
#![allow(dead_code)]

use ::core::prelude::v1::{concat, derive};

::std::include!("../../suite.rs");

suite! { { ::audit_client } {} }
