use audit_core::UserIdentity;

#[derive(UserIdentity)]
#[audit(type = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]
struct Staff {
    #[audit(principal_id)]
    email: String,
}

fn main() {}
