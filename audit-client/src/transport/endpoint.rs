//! The service's address.

use super::submit::TransportError;

pub(super) fn check_url(url: &str) -> Result<(), TransportError> {
    let has_host = ["http://", "https://"]
        .iter()
        .any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')));
    let authority = url.split('/').nth(2).unwrap_or_default();
    // `[::1]` has colons and no port.
    let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
    let has_port_or_none = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    let is_url = has_host && has_port_or_none && !url.contains(char::is_whitespace);
    if is_url { Ok(()) } else { Err(TransportError::EndpointUrl(crate::text::cut(url))) }
}
