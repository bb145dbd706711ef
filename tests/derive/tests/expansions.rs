//! The reviewed expansions compile as they stand, and do what the derives do.
// Fields that are redacted or skipped are never read.
#![allow(dead_code)]

use audit_core::{AccountId, AuditError, AuditEvent, Context, EventCatalog, Identity, UserIdentity};

macro_rules! both_ways {
    ($($module:ident $file:literal;)*) => {
        /// As the compiler expands them.
        mod derived {
            $(pub(crate) mod $module {
                #[allow(unused_imports, reason = "each file uses one of the two")]
                use audit_core::{AuditError, AuditEvent, AuditValue, UserIdentity};
                include!(concat!("../expand/", $file, ".rs"));
            })*
        }
        /// As they were reviewed.
        #[allow(clippy::all, clippy::pedantic, reason = "what is generated is not written by people")]
        mod reviewed {
            $(pub(crate) mod $module { include!(concat!("../expand/", $file, ".expanded.rs")); })*
        }
    };
}

both_ways! {
    all_roles "struct_of_all_roles";
    three "enum_of_three";
    constants "constants";
    unit "unit";
    identity "identity";
    callers "identity_enum";
    payment "value";
    error "error";
    packed "packed";
}

fn json(event: &dyn AuditEvent) -> String {
    let context = Context::new(AccountId::from_static("123456789012"))
        .identity(&Identity::new("Service", "shop").expect("a right identity"))
        .hmac_key("2026a", b"key")
        .time(std::time::UNIX_EPOCH);
    event.to_entry(&context).expect("a right event").event_data().to_owned()
}

macro_rules! assert_alike {
    ($module:ident, $name:ident $(:: $variant:ident)? => $($event:tt)*) => {{
        let derived = { use derived::$module::*; $($event)* };
        let reviewed = { use reviewed::$module::*; $($event)* };
        assert_eq!(json(&derived), json(&reviewed));
        assert_eq!(derived.event_type(), reviewed.event_type());
        assert_eq!(
            <derived::$module::$name as EventCatalog>::EVENT_TYPES,
            <reviewed::$module::$name as EventCatalog>::EVENT_TYPES
        );
    }};
}

#[test]
fn reviewed_values_identities_and_errors_do_what_is_derived() {
    macro_rules! json_of {
        ($way:ident) => {{
            use $way::payment::{Method, Payment};
            let payment = Payment { method: Method::Transfer { iban: "DE00", tries: 2 }, holder: "Ada" };
            let context = Context::new(AccountId::from_static("123456789012"))
                .identity(&$way::callers::Caller::Customer { email: "ada@example.com", phone: None })
                .hmac_key("2026a", b"key")
                .time(std::time::UNIX_EPOCH);
            let entry = $way::payment::Paid { id: 1, payment }.to_entry(&context).expect("a right event");
            (entry.event_data().to_owned(), <$way::payment::Paid as EventCatalog>::EVENT_TYPES)
        }};
    }
    assert_eq!(json_of!(derived), json_of!(reviewed));
    let code = |error: &dyn AuditError| error.error_code().into_owned();
    assert_eq!(code(&derived::error::Failed::Other("why")), code(&reviewed::error::Failed::Other("why")));
}

#[test]
fn what_was_reviewed_does_what_is_derived() {
    let by = Identity::new("Staff", "alice").unwrap();
    assert_alike!(constants, ByConstants => ByConstants { id: 1, value: 2 });
    assert_alike!(packed, Packed => Packed { id: 1, small: 2 });
    assert_alike!(three, Order => Order::Shipped(1, "north".to_owned()));
    assert_alike!(three, Order => Order::Paid { id: 1, by: by.clone(), amount_cents: 3 });
    let types = (derived::unit::Started::EVENT_TYPES, reviewed::unit::Started::EVENT_TYPES);
    assert_eq!(types.0, types.1);

    macro_rules! refund {
        ($way:ident) => {
            json(&$way::all_roles::RefundIssued {
                refund: 1,
                by: &by,
                at: std::time::UNIX_EPOCH,
                from: [203, 0, 113, 7].into(),
                order_id: "o",
                lines: vec![1, 2],
                note: None,
                card: 4,
                iban: "DE00",
                reason: "because",
                more: [("more".to_owned(), 5)].into(),
                outcome: Ok(6),
            })
        };
    }
    assert_eq!(refund!(derived), refund!(reviewed));

    macro_rules! staff {
        ($way:ident) => {
            $way::identity::Staff { email: "alice", team: "support", phone: String::new(), unseen: 0 }
        };
    }
    assert_eq!(staff!(derived).principal_id(), staff!(reviewed).principal_id());
    let context = |identity: &dyn UserIdentity| {
        Context::new(AccountId::from_static("123456789012")).identity(identity).time(std::time::UNIX_EPOCH)
    };
    let event = derived::constants::ByConstants { id: 1, value: 2 };
    let entries = [event.to_entry(&context(&staff!(derived))), event.to_entry(&context(&staff!(reviewed)))];
    let [derived, reviewed] = entries.map(Result::unwrap);
    assert_eq!(derived, reviewed);
}
