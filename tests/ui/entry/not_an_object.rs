use audit_core::{StaticEntry, entry};

const STARTED: StaticEntry = entry!(
    "started",
    [1, 2]
);

fn main() {
    let _ = STARTED;
}
