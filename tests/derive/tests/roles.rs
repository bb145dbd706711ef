//! The derive's table of roles against the library's: a role that one of them does not know, or knows by another letter or
//! at another place, does not come out of the catalog as it went in.

use audit_core::{AuditError, AuditEvent, EventCatalog, EventType, Identity, Role};

/// Each key is the name of its role.
#[derive(AuditEvent)]
#[audit(source = "a", rename_all = "snake_case")]
struct All<E> {
    additional: u8,
    #[audit(event_name)]
    name: String,
    #[audit(id)]
    id: u8,
    #[audit(time)]
    time: std::time::SystemTime,
    #[audit(user_identity)]
    by: Identity,
    #[audit(user_agent)]
    with: String,
    #[audit(source_ip)]
    from: std::net::IpAddr,
    #[audit(response)]
    response: u8,
    #[audit(outcome)]
    outcome: Result<u8, E>,
    #[audit(additional, rename = "more")]
    more: u8,
    #[audit(skip, target = "Thing")]
    thing: u8,
}

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
struct Failed {
    #[audit(error_message)]
    message: String,
    #[audit(error_code)]
    code: String,
}

fn fields(event_type: &EventType) -> Vec<(&'static str, &'static str)> {
    event_type.fields.iter().map(|field| (field.role.as_str(), field.key)).collect()
}

#[test]
fn every_role_comes_out_of_the_catalog_as_it_went_in() {
    let all = <All<Box<dyn AuditError>>>::EVENT_TYPES;
    let expected = [
        ("event_name", ""),
        ("id", ""),
        ("time", ""),
        ("user_identity", ""),
        ("user_agent", ""),
        ("source_ip", ""),
        ("request", "additional"),
        ("response", "response"),
        ("outcome", ""),
        ("additional", "more"),
        ("target", ""),
    ];
    assert_eq!(fields(&all[0]), expected);
    assert_eq!(fields(&Failed::EVENT_TYPES[0]), [("error_code", ""), ("error_message", "")]);

    let mut seen: Vec<Role> =
        all.iter().chain(Failed::EVENT_TYPES).flat_map(|of| of.fields).map(|field| field.role).collect();
    seen.sort_by_key(|role| Role::ALL.iter().position(|of_library| of_library == role));
    assert_eq!(seen, Role::ALL, "this test has a field of each role");
}
