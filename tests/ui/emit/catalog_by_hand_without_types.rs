struct ByHand;

impl audit_core::EventCatalog for ByHand {}

const TYPES: &[audit_core::EventType] = <ByHand as audit_core::EventCatalog>::EVENT_TYPES;

fn main() {
    let _ = TYPES;
}
