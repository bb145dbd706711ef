//! The suite through every way to name the library, beside names that hide the prelude's.
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

extern crate renamed as other_name;

use ::core::prelude::v1::{concat, derive};

::std::include!("../../suite.rs");

mod literal {
    use super::*;
    suite! { { ::renamed } { , crate = "::renamed" } }
}

mod path {
    use super::*;
    suite! { { ::renamed } { , crate = ::renamed } }
}

mod through_a_reexport {
    use super::*;
    pub(crate) use ::renamed as inner;
    suite! { { self::inner } { , crate = "crate::through_a_reexport::inner" } }
}

mod through_super {
    use super::*;
    suite! { { super::other_name } { , crate = super::other_name } }
}

/// As a macro of another crate's would do it.
macro_rules! with_dollar_crate {
    () => {
        suite! { { $crate::other_name } { , crate = $crate::other_name } }
    };
}

mod through_dollar_crate {
    use super::*;
    with_dollar_crate! {}
}

/// Everything that generated code could be tempted to use is something else here.
#[allow(non_upper_case_globals, reason = "constants that are named like fields")]
mod shadowed {
    use ::core::prelude::v1::{concat, derive};

    struct Option;
    struct Some;
    struct None;
    struct Ok;
    struct Err;
    struct Result;
    struct String;
    struct Vec;
    struct Box;
    struct Cow;
    struct Self_;
    trait Serialize {}
    trait Display {}
    trait AuditEvent {}
    trait EventCatalog {}
    trait UserIdentity {}
    trait NamesActor {}
    mod core {}
    mod std {}
    mod renamed {}
    mod audit_core {}
    const id: u8 = 0;
    const amount: u8 = 0;
    const data: u8 = 0;

    suite! { { ::renamed } { , crate = "::renamed" } }
}
