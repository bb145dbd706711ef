use audit_core::{StaticEntry, entry};

const STARTED: StaticEntry = entry!(
    "a b",
    {
        "version": 1, "userIdentity": { "typ": "Service", "principalId": "shop" },
        "eventSource": "shop.example.com", "eventNam": "Started", "eventTime": "2026-11-21T10:15:30",
        "UID": "started", "recipientAccountId": "1234",
    }
);

fn main() {
    let _ = STARTED;
}
