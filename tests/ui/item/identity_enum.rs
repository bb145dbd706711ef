use audit_core::UserIdentity;

#[derive(UserIdentity)]
#[audit(type = "Staff")]
enum Actor {
    Staff,
    Robot,
}

fn main() {}
