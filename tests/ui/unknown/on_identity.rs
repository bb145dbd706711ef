use audit_core::UserIdentity;

#[derive(UserIdentity)]
#[audit(kind = "Staff")]
struct Staff {
    #[audit(principal)]
    email: String,
}

fn main() {}
