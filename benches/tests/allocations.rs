//! Exact gates without noise: the number of allocations of each way that an event takes.

use std::net::IpAddr;

use allocation_counter::measure;
use audit_bench::event::{RefundIssued, Staff, TRAIL_STARTED, context, reason};
use audit_core::{AuditEvent, Entry};

fn allocations<T>(mut work: impl FnMut() -> T) -> u64 {
    // A first run fills what a thread keeps.
    let first = work();
    let count = measure(|| drop(work())).count_total;
    drop(first);
    count
}

#[test]
fn an_event_takes_two_allocations_its_id_and_its_data() {
    let context = context();
    for bytes in [485, 2_000, 20_000] {
        let reason = reason(bytes);
        let event = RefundIssued::new(&reason);
        assert_eq!(allocations(|| event.to_entry(&context).expect("within the limits")), 2, "{bytes}");
    }
}

#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
struct Everything<'a> {
    #[audit(id)]
    id: u64,
    #[audit(user_identity)]
    by: &'a Staff<'a>,
    #[audit(source_ip)]
    from: IpAddr,
    #[audit(user_agent)]
    agent: &'a str,
    lines: Vec<(u32, f64)>,
    note: Option<&'a str>,
    nested: Nested<'a>,
    #[audit(response)]
    status: Status,
}

#[derive(serde::Serialize)]
struct Nested<'a> {
    text: &'a str,
    keys: std::collections::BTreeMap<&'a str, Option<bool>>,
}

#[derive(serde::Serialize)]
enum Status {
    Shipped { parcels: u8 },
}

#[test]
fn numbers_addresses_texts_and_objects_add_none() {
    let context = context();
    let by = Staff { email: "alice@example.com", department: "support", mfa: true };
    for from in ["203.0.113.7", "2001:db8::7"] {
        let event = Everything {
            id: 17,
            by: &by,
            from: from.parse().expect("an address"),
            agent: "quoted \"agent\"\n",
            lines: vec![(1, 2.5), (2, 1e300)],
            note: None,
            nested: Nested { text: "line\nline", keys: [("a", Some(true)), ("b", None)].into() },
            status: Status::Shipped { parcels: 3 },
        };
        assert_eq!(allocations(|| event.to_entry(&context).expect("within the limits")), 2, "{from}");
    }
}

#[test]
fn parsing_takes_the_id_the_data_and_one_list_of_keys() {
    let entry = RefundIssued::new("").to_entry(&context()).expect("within the limits");
    let parsed = || Entry::parse(entry.id().as_str(), entry.event_data()).expect("it kept the contract");
    assert_eq!(allocations(parsed), 3);
}

#[test]
fn a_constant_event_takes_none() {
    assert_eq!(allocations(|| TRAIL_STARTED.to_entry()), 0);
}
