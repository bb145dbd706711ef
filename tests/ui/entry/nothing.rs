use audit_core::{StaticEntry, entry};

const STARTED: StaticEntry = entry!();

fn main() {
    let _ = STARTED;
}
