use audit_core::{StaticEntry, entry};

const STARTED: StaticEntry = entry!(
    "started",
    {
        "version": VERSION, "userIdentity": { "type": "Service", "principalId": "shop" },
        "eventSource": "shop.example.com", "eventName": "Started", "eventTime": "2026-11-21T10:15:30Z",
        "UID": "started", "recipientAccountId": "123456789012",
    }
);

fn main() {
    let _ = STARTED;
}
