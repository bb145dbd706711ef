//! The compiler limits how long a constant may take to evaluate, and a catalog is a constant.
#![allow(dead_code, reason = "no value of the enum is needed to read its catalog")]

use audit_core::{AuditEvent, EventCatalog};

include!(concat!(env!("OUT_DIR"), "/large_enum.rs"));

#[test]
fn an_enum_of_400_variants_with_20_fields_has_a_catalog() {
    assert_eq!(Large::EVENT_TYPES.len(), 400);
    for (at, event_type) in Large::EVENT_TYPES.iter().enumerate() {
        assert_eq!((event_type.name, event_type.doc), (&*format!("Variant{at}"), &*format!("Doc of variant {at}.")));
        assert_eq!(event_type.fields.len(), 20);
        assert_eq!(event_type.fields[19].key, "someFieldName19");
    }
}
