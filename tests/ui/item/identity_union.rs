use audit_core::UserIdentity;

#[derive(UserIdentity)]
#[audit(type = "Staff")]
union Actor {
    staff: u8,
}

fn main() {}
