use audit_core::UserIdentity;

#[derive(UserIdentity)]
#[audit(type = "Staff")]
struct Staff(#[audit(principal_id)] String, u8);

fn main() {}
