const SOURCE: &str = "orders.example.com";
const KEY: &str = "the key";

#[derive(AuditEvent)]
#[audit(source = SOURCE)]
pub(crate) struct ByConstants {
    #[audit(id)]
    pub(crate) id: u64,
    #[audit(rename = KEY)]
    pub(crate) value: u8,
}
