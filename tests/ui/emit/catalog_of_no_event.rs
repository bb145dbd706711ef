struct Nothing;

fn main() {
    let _ = <Nothing as audit_core::EventCatalog>::EVENT_TYPES;
}
