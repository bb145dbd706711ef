use audit_core::UserIdentity;

#[derive(UserIdentity)]
#[audit(type = "Staff")]
struct Staff {
    #[audit(principal_id)]
    email: String,
    team: u8,
    #[audit(rename = "team")]
    other: u8,
}

fn main() {}
