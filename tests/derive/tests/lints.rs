//! Lints that a user denies do not meet what the derives generate.
#![deny(deprecated)]
// Only the derives use what is deprecated; `with` calls its function with a reference.
#![allow(dead_code, clippy::trivially_copy_pass_by_ref)]

use audit_core::{AuditEvent, UserIdentity};

#[deprecated]
#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
struct Old {
    a: u8,
}

#[deprecated]
#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
enum OldEnum {
    A,
    B,
}

#[deprecated]
#[derive(UserIdentity)]
#[audit(type = "S")]
struct OldIdentity {
    #[audit(principal_id)]
    a: u8,
}

mod old {
    #[deprecated]
    pub(super) const KEY: &str = "key";
    #[deprecated]
    pub(super) const SOURCE: &str = "old.example.com";
    #[deprecated]
    pub(super) fn doubled(value: &u8) -> u8 {
        value * 2
    }
    #[deprecated]
    pub(super) trait Trait {}
}

#[allow(deprecated)]
mod allowed {
    use super::old::{KEY, Trait, doubled};
    use audit_core::AuditEvent;

    #[derive(AuditEvent)]
    #[audit(source = "a", generate_id)]
    struct InModule<T: Trait> {
        #[audit(rename = KEY, with = doubled)]
        a: u8,
        b: T,
    }
}

#[allow(deprecated)]
#[derive(AuditEvent)]
#[audit(source = old::SOURCE, generate_id)]
struct UsesOld<T: old::Trait> {
    #[audit(rename = old::KEY)]
    a: u8,
    #[audit(with = old::doubled)]
    b: u8,
    t: T,
}

#[allow(deprecated)]
#[derive(UserIdentity)]
#[audit(type = old::KEY)]
struct OfOldType {
    #[audit(principal_id)]
    a: u8,
}

#[test]
fn deprecated_types_may_derive_and_allowed_lints_are_allowed_in_the_impls() {}

mod borrowed {
    #![deny(single_use_lifetimes, clippy::pedantic)]
    use audit_core::{AuditEvent, UserIdentity};

    #[derive(AuditEvent)]
    #[audit(source = "a", generate_id)]
    struct Event<'a> {
        a: &'a str,
    }

    #[derive(AuditEvent)]
    #[audit(source = "a", generate_id)]
    enum Events<'a> {
        A(#[audit(rename = "a")] &'a str),
    }

    #[derive(UserIdentity)]
    #[audit(type = "S")]
    struct OfOne<'a>(#[audit(principal_id)] &'a str);
}

mod deprecated_parts {
    use audit_core::{AuditEvent, UserIdentity};

    #[derive(AuditEvent)]
    #[audit(source = "a", generate_id)]
    struct Event {
        #[deprecated]
        a: u8,
        #[deprecated]
        #[audit(skip)]
        b: u8,
    }

    #[derive(AuditEvent)]
    #[audit(source = "a", generate_id)]
    enum Events {
        #[deprecated]
        A,
        B {
            #[deprecated]
            a: u8,
        },
    }

    #[derive(UserIdentity)]
    #[audit(type = "S")]
    struct Identity {
        #[deprecated]
        #[audit(principal_id)]
        a: u8,
    }
}
