use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
    #[audit(sourceIPAddress)]
    from: std::net::IpAddr,
}

fn main() {}
