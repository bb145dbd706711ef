use audit_core::UserIdentity;

#[derive(UserIdentity)]
#[audit(type = "Staff")]
struct Staff {
    #[audit(principal_id)]
    id: Vec<u8>,
}

fn main() {}
