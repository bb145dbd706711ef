use audit_core::UserIdentity;

#[derive(UserIdentity)]
#[audit(type = "Staff")]
struct Staff {
    #[audit(principal_id)]
    email: String,
    #[audit(hmac)]
    phone: String,
}

fn main() {}
