use audit_core::UserIdentity;

#[derive(UserIdentity)]
#[audit(type = "Staff")]
struct Staff(u8);

fn main() {}
