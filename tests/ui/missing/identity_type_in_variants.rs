use audit_core::UserIdentity;

#[derive(UserIdentity)]
enum Actor {
    #[audit(type = "Staff")]
    Staff(u8),
    Robot(#[audit(principal_id)] u8),
    System,
}

fn main() {}
