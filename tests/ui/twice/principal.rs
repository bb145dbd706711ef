use audit_core::UserIdentity;

#[derive(UserIdentity)]
#[audit(type = "Staff")]
struct Staff {
    #[audit(principal_id)]
    email: String,
    #[audit(principal_id)]
    name: String,
}

fn main() {}
