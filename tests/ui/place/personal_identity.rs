use audit_core::UserIdentity;

#[derive(UserIdentity)]
#[audit(type = "Staff")]
struct Staff {
    #[audit(principal_id, personal)]
    email: String,
}

fn main() {}
