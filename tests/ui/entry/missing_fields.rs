use audit_core::{StaticEntry, entry};

const STARTED: StaticEntry = entry!(
    "started",
    { "version": "1.0" }
);

fn main() {
    let _ = STARTED;
}
