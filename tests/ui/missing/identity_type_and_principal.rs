use audit_core::UserIdentity;

#[derive(UserIdentity)]
struct Staff {
    email: String,
}

fn main() {}
