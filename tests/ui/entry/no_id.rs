use audit_core::{StaticEntry, entry};

const STARTED: StaticEntry = entry!(
    { "version": "1.0" }
);

fn main() {
    let _ = STARTED;
}
