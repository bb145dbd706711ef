use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
struct Event {
    #[audit(ip)]
    from: std::net::IpAddr,
    #[audit(request_id)]
    request: u64,
    #[audit(resource)]
    order: u64,
}

fn main() {}
