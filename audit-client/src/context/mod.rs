//! Who acts, for whom and from where, on its way from the request to the record.

pub(crate) mod carried;
pub(crate) mod request;
