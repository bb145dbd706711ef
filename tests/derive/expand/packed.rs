#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
#[repr(C, packed)]
pub(crate) struct Packed {
    #[audit(id)]
    pub(crate) id: u64,
    pub(crate) small: u8,
}
