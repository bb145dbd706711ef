use audit_core::UserIdentity;

#[derive(UserIdentity)]
#[audit(type = "Staff")]
struct Staff {
    #[audit(principal_id)]
    email: String,
    #[audit(response)]
    team: String,
}

fn main() {}
