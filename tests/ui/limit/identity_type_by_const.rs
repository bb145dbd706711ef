use audit_core::UserIdentity;

const TYPE: &str = "";

#[derive(UserIdentity)]
#[audit(type = TYPE)]
struct Staff {
    #[audit(principal_id)]
    email: String,
}

fn main() {}
