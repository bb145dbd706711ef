//! The address of the client, behind proxies that are trusted, and behind none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str;

use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

/// Where an event's `sourceIPAddress` comes from.
///
/// By default it is the socket's peer, which no caller can choose. Behind a proxy that is the proxy, so name the header
/// that it writes and the networks that your proxies are in:
///
/// ```
/// use audit_tower::ClientIp;
///
/// let behind_a_balancer = ClientIp::x_forwarded_for().trusting(["10.0.0.0/8".parse()?, "fd00::/8".parse()?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The addresses are walked from the right, the peer first, then those of the header, over all of its lines. The first one
/// that is not in a trusted network is the client's: whatever stands left of it, that client may have written itself. What is no
/// address (`unknown`, an obfuscated identifier, garbage) ends the walk, and the result is then the last address that was
/// trusted. If all are trusted, it is the leftmost. Ports, brackets and quotes are taken off, and an IPv4 address in IPv6
/// (`::ffff:10.0.0.1`) is that IPv4 address. A peer that is not trusted is the client, and the header is not read.
///
/// Without a peer (the server was not started with axum's `into_make_service_with_connect_info`, or listens on a Unix
/// socket), the event has no address, since then a header could be anybody's; see [`trusting_unix_socket`](Self::trusting_unix_socket).
#[derive(Clone, Debug, Default)]
pub struct ClientIp {
    header: Option<Header>,
    trusted: Vec<IpNet>,
    trusts_no_peer: bool,
}

#[derive(Clone, Copy, Debug)]
enum Header {
    XForwardedFor,
    Forwarded,
}

impl ClientIp {
    /// The socket's peer: the default.
    #[must_use]
    pub fn peer() -> Self {
        Self::default()
    }

    /// `X-Forwarded-For`, as far as the proxies are trusted that wrote it.
    #[must_use]
    pub fn x_forwarded_for() -> Self {
        Self { header: Some(Header::XForwardedFor), ..Self::default() }
    }

    /// `Forwarded` (RFC 7239), as far as the proxies are trusted that wrote it.
    #[must_use]
    pub fn forwarded() -> Self {
        Self { header: Some(Header::Forwarded), ..Self::default() }
    }

    /// The networks that your proxies are in, and nothing else: not those of clients.
    #[must_use]
    pub fn trusting(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        self.trusted.extend(networks);
        self
    }

    /// Trusts what comes without a peer's address. Only where the server listens on a Unix socket alone, which a proxy of
    /// yours connects to.
    #[must_use]
    pub fn trusting_unix_socket(mut self) -> Self {
        self.trusts_no_peer = true;
        self
    }

    /// The lines that have to be kept of a request.
    pub(crate) fn lines(&self, headers: &HeaderMap) -> Lines {
        let Some(header) = self.header else { return Lines::default() };
        let mut values = headers.get_all(header.name()).iter().cloned();
        Lines { first: values.next(), others: values.collect() }
    }

    /// The client's address, and whether it is from a header.
    pub(crate) fn of(&self, peer: Option<SocketAddr>, lines: &Lines) -> (Option<IpAddr>, bool) {
        let peer = peer.map(|peer| peer.ip().to_canonical());
        let trusted = peer.map_or(self.trusts_no_peer, |peer| self.trusts(peer));
        let Some(header) = self.header.filter(|_| trusted) else { return (peer, false) };
        let mut last = (peer, false);
        for line in lines.last_first() {
            let mut rest = Some(line.as_bytes());
            while let Some(before) = rest {
                let (element, more) = split_last(before);
                rest = more;
                if element.is_empty() {
                    continue;
                }
                let Some(address) = header.address(element) else { return last };
                last = (Some(address), true);
                if !self.trusts(address) {
                    return last;
                }
            }
        }
        last
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

/// The lines of the header. Most requests have one.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    first: Option<HeaderValue>,
    others: Vec<HeaderValue>,
}

impl Lines {
    fn last_first(&self) -> impl Iterator<Item = &HeaderValue> {
        self.others.iter().rev().chain(&self.first)
    }
}

impl Header {
    /// In a place of its own: making a name costs more than looking it up.
    fn name(self) -> &'static HeaderName {
        static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
        static FORWARDED: HeaderName = http::header::FORWARDED;
        match self {
            Self::XForwardedFor => &X_FORWARDED_FOR,
            Self::Forwarded => &FORWARDED,
        }
    }

    fn address(self, element: &[u8]) -> Option<IpAddr> {
        let text = str::from_utf8(element).ok()?;
        match self {
            Self::XForwardedFor => address(unquoted(text)),
            Self::Forwarded => {
                let mut found = None;
                let mut rest = Some(text);
                while let Some(text) = rest {
                    let (pair, more) = first_pair(text)?;
                    rest = more;
                    if pair.is_empty() {
                        continue;
                    }
                    let (name, value) = pair.split_once('=')?;
                    if !is_token(name) || !(is_token(value) || is_quoted(value)) {
                        return None;
                    }
                    if name.eq_ignore_ascii_case("for") && found.replace(value).is_some() {
                        return None;
                    }
                }
                address(unquoted(found?))
            }
        }
    }
}

/// Takes off the last element of a list, without the space around it. Read from the right, since what stands on the left may be
/// written by a stranger, who could open a quote there and never close it.
fn split_last(list: &[u8]) -> (&[u8], Option<&[u8]>) {
    let (mut quoted, mut at) = (false, list.len());
    while at > 0 {
        at -= 1;
        match list[at] {
            b'"' => {
                let escapes = list[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
                if escapes % 2 == 0 {
                    quoted = !quoted;
                }
            }
            b',' if !quoted => return (list[at + 1..].trim_ascii(), Some(&list[..at])),
            _ => {}
        }
    }
    (list.trim_ascii(), None)
}

/// Takes off the first of the pairs of an element, without the space around it. `None` where a quote is never closed.
fn first_pair(text: &str) -> Option<(&str, Option<&str>)> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => return Some((text[..at].trim(), Some(&text[at + 1..]))),
            _ => {}
        }
    }
    (!quoted).then_some((text.trim(), None))
}

/// A token of HTTP, with the colon that proxies leave unquoted in an address with a port.
fn is_token(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:".contains(&byte);
    !text.is_empty() && text.bytes().all(known)
}

/// A text in quotes, with no other quotes in it but escaped ones.
fn is_quoted(text: &str) -> bool {
    let Some(inside) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return false };
    let mut escaped = false;
    for byte in inside.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return false,
            _ => {}
        }
    }
    !escaped
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// An address, with or without a port and brackets.
fn address(text: &str) -> Option<IpAddr> {
    let without_port = || {
        let Some(text) = text.strip_prefix('[') else {
            let (address, port) = text.split_once(':')?;
            let address: Ipv4Addr = address.parse().ok()?;
            return is_port(port).then_some(IpAddr::V4(address));
        };
        let (address, port) = text.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        (port.is_empty() || is_port(port.strip_prefix(':')?)).then_some(IpAddr::V6(address))
    };
    text.parse().ok().or_else(without_port).map(|address| address.to_canonical())
}

/// A port, or the obfuscated one of RFC 7239.
fn is_port(text: &str) -> bool {
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    text.parse::<u16>().is_ok() && text.bytes().all(|byte| byte.is_ascii_digit())
        || text.strip_prefix('_').is_some_and(|text| !text.is_empty() && is_word(text))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use http::{HeaderMap, HeaderValue};

    use super::{ClientIp, Header, address};

    const PEER: &str = "10.0.0.9";

    fn behind(header: &str) -> ClientIp {
        let header = if header == "forwarded" { ClientIp::forwarded() } else { ClientIp::x_forwarded_for() };
        header.trusting(["10.0.0.0/8", "192.168.1.0/24", "fd00::/8"].map(|network| network.parse().expect("a network")))
    }

    /// What comes out for a peer and lines of a header.
    fn of(client_ip: &ClientIp, peer: Option<&str>, name: &'static str, lines: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_bytes(line).expect("bytes that a header may have"));
        }
        let peer = peer.map(|peer| SocketAddr::new(peer.parse().expect("an address"), 4711));
        client_ip.of(peer, &client_ip.lines(&headers)).0.map(|address| address.to_string())
    }

    #[test]
    fn x_forwarded_for_is_walked_from_the_right_as_far_as_it_is_trusted() {
        let rows: &[(&str, &[&str], &str)] = &[
            // Without the header, or with nothing in it.
            (PEER, &[], PEER),
            (PEER, &[""], PEER),
            (PEER, &[" , ,"], PEER),
            // A peer that is not trusted is the client, whatever it says.
            ("203.0.113.7", &["198.51.100.1"], "203.0.113.7"),
            ("203.0.113.7", &["10.0.0.1"], "203.0.113.7"),
            ("::1", &["198.51.100.1"], "::1"),
            // One proxy, several, and what the client wrote before them.
            (PEER, &["198.51.100.1"], "198.51.100.1"),
            (PEER, &["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            (PEER, &["198.51.100.1, 10.0.0.2, 192.168.1.3"], "198.51.100.1"),
            (PEER, &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            (PEER, &["1.1.1.1, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            (PEER, &["10.0.0.1, 198.51.100.1"], "198.51.100.1"),
            (PEER, &["1.1.1.1,2.2.2.2,3.3.3.3,10.0.0.2"], "3.3.3.3"),
            // Over all lines, the last first.
            (PEER, &["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            (PEER, &["198.51.100.1", "10.0.0.2"], "198.51.100.1"),
            (PEER, &["1.1.1.1, 198.51.100.1", "10.0.0.3, 10.0.0.2"], "198.51.100.1"),
            (PEER, &["198.51.100.1", "", "10.0.0.2"], "198.51.100.1"),
            // All are trusted: the leftmost.
            (PEER, &["10.0.0.1"], "10.0.0.1"),
            (PEER, &["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
            (PEER, &["192.168.1.1", "10.0.0.2, 10.0.0.3"], "192.168.1.1"),
            // Almost trusted.
            (PEER, &["192.168.2.1, 10.0.0.2"], "192.168.2.1"),
            (PEER, &["11.0.0.1"], "11.0.0.1"),
            // What is no address ends the walk.
            (PEER, &["unknown"], PEER),
            (PEER, &["198.51.100.1, unknown"], PEER),
            (PEER, &["198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2"),
            (PEER, &["198.51.100.1, _hidden, 10.0.0.2"], "10.0.0.2"),
            (PEER, &["198.51.100.1, 10.0.0.256, 10.0.0.2"], "10.0.0.2"),
            (PEER, &["198.51.100.1; 10.0.0.2"], PEER),
            (PEER, &["198.51.100.1 10.0.0.2"], PEER),
            (PEER, &["010.0.0.1"], PEER),
            (PEER, &["localhost"], PEER),
            (PEER, &["unix:/run/x"], PEER),
            (PEER, &["<script>, 10.0.0.2"], "10.0.0.2"),
            // Ports, brackets, quotes, space.
            (PEER, &["198.51.100.1:4711"], "198.51.100.1"),
            (PEER, &["198.51.100.1:99999"], PEER),
            (PEER, &["198.51.100.1:"], PEER),
            (PEER, &["198.51.100.1:+1"], PEER),
            (PEER, &["\"198.51.100.1\""], "198.51.100.1"),
            (PEER, &["\t198.51.100.1\t,\t10.0.0.2 "], "198.51.100.1"),
            (PEER, &["[2001:db8::1]:4711"], "2001:db8::1"),
            (PEER, &["[2001:db8::1]"], "2001:db8::1"),
            (PEER, &["\"[2001:db8::1]:80\", 10.0.0.2:1234"], "2001:db8::1"),
            (PEER, &["[2001:db8::1]x"], PEER),
            (PEER, &["[198.51.100.1]"], PEER),
            (PEER, &["2001:db8::1"], "2001:db8::1"),
            (PEER, &["fe80::1%eth0"], PEER),
            // IPv4 in IPv6, in the header and as the peer; IPv6 networks.
            (PEER, &["::ffff:198.51.100.1"], "198.51.100.1"),
            (PEER, &["198.51.100.1, ::ffff:10.0.0.2"], "198.51.100.1"),
            ("::ffff:10.0.0.9", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:203.0.113.7", &["198.51.100.1"], "203.0.113.7"),
            ("fd00::9", &["198.51.100.1, fd12::1"], "198.51.100.1"),
            ("fe00::9", &["198.51.100.1"], "fe00::9"),
        ];
        assert!(rows.len() >= 40);
        for (peer, lines, expected) in rows {
            let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            let found = of(&behind("x-forwarded-for"), Some(peer), "x-forwarded-for", &lines);
            assert_eq!(found.as_deref(), Some(*expected), "{peer} {lines:?}");
        }
        // Bytes that are no text do not hide what stands right of them.
        let found = of(&behind("x"), Some(PEER), "x-forwarded-for", &[b"\xFF, 198.51.100.1"]);
        assert_eq!(found.as_deref(), Some("198.51.100.1"));
        let found = of(&behind("x"), Some(PEER), "x-forwarded-for", &[b"198.51.100.1, \xFF"]);
        assert_eq!(found.as_deref(), Some(PEER));
    }

    #[test]
    fn forwarded_is_walked_the_same_way() {
        let rows: &[(&[&str], &str)] = &[
            (&["for=198.51.100.1"], "198.51.100.1"),
            (&["For=198.51.100.1;proto=https;by=10.0.0.9"], "198.51.100.1"),
            (&["proto=https; for=198.51.100.1"], "198.51.100.1"),
            (&["for=\"[2001:db8::1]:4711\""], "2001:db8::1"),
            (&["for=\"198.51.100.1:4711\", for=10.0.0.2"], "198.51.100.1"),
            (&["for=198.51.100.1, for=\"10.0.0.2:_port\""], "198.51.100.1"),
            (&["for=1.1.1.1, for=198.51.100.1", "for=10.0.0.2"], "198.51.100.1"),
            (&["for=10.0.0.1, for=10.0.0.2"], "10.0.0.1"),
            (&["for=198.51.100.1, for=unknown"], PEER),
            (&["for=198.51.100.1, for=_SEVKISEK, for=10.0.0.2"], "10.0.0.2"),
            (&["for=\"_mystery\""], PEER),
            (&["for=\"unix:/run/x\""], PEER),
            (&["proto=https"], PEER),
            (&["198.51.100.1"], PEER),
            (&["for=198.51.100.1;for=1.1.1.1"], PEER),
            (&["for="], PEER),
            (&["for=\"198.51.100.1"], PEER),
            // What is in quotes is no pair, and what is none of RFC 7239's ends the walk.
            (&["for=198.51.100.1;"], "198.51.100.1"),
            (&[";for=198.51.100.1;;proto=https"], "198.51.100.1"),
            (&["for=198.51.100.1;host=\"a;b\""], "198.51.100.1"),
            (&["for=198.51.100.1;host=\"a\\\";for=6.6.6.6\""], "198.51.100.1"),
            (&["by=10.0.0.9;host=\"x;for=6.6.6.6;y=z\""], PEER),
            (&["for=6.6.6.6;x=y, for=198.51.100.1;host=a\"b"], PEER),
            (&["for=6.6.6.6;host=a b"], PEER),
            // A quote that a stranger leaves open does not swallow what a proxy adds.
            (&["for=\"1.1.1.1, for=198.51.100.1"], "198.51.100.1"),
            (&["for=\"1.1.1.1\\, for=198.51.100.1"], "198.51.100.1"),
            (&["for=1.1.1.1;host=\"a,b\", for=198.51.100.1;host=\"c,\\\"d\""], "198.51.100.1"),
        ];
        for (lines, expected) in rows {
            let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            let found = of(&behind("forwarded"), Some(PEER), "forwarded", &lines);
            assert_eq!(found.as_deref(), Some(*expected), "{lines:?}");
        }
    }

    #[test]
    fn without_a_peer_there_is_no_address_unless_a_unix_socket_is_trusted() {
        let line: &[&[u8]] = &[b"198.51.100.1, 10.0.0.2"];
        assert_eq!(of(&behind("x"), None, "x-forwarded-for", line), None);
        let socket = behind("x").trusting_unix_socket();
        assert_eq!(of(&socket, None, "x-forwarded-for", line).as_deref(), Some("198.51.100.1"));
        assert_eq!(of(&socket, None, "x-forwarded-for", &[]), None);
        assert_eq!(of(&ClientIp::peer(), Some("::ffff:1.2.3.4"), "x-forwarded-for", line).as_deref(), Some("1.2.3.4"));
        // Only the header that was named is read.
        assert_eq!(of(&behind("x"), Some(PEER), "forwarded", &[b"for=1.1.1.1"]).as_deref(), Some(PEER));
    }

    #[test]
    fn no_input_is_anything_but_an_address_or_none() {
        for text in ["", "[", "]", "[]", ":", "[:]", "[::1]:", "\"", "\"\"", ":1", "1.2.3.4:5:6", "[::1]]:5"] {
            assert_eq!(address(text), None, "{text}");
            assert_eq!(Header::Forwarded.address(text.as_bytes()), None, "{text}");
        }
    }
}
