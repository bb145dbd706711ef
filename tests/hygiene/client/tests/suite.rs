//! The suite through `audit-client`, with no `crate = "…"`.
#![no_implicit_prelude]
// What the suite never reads is there to be skipped or redacted.
#![allow(dead_code)]

use ::core::prelude::v1::{concat, derive};

::std::include!("../../suite.rs");

suite! { { ::audit_client } {} }
