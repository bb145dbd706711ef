//! The types that fields of a role may have.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use crate::names::{EventTime, NameError};

/// What can be an event's time: a [`SystemTime`], an [`EventTime`], and with their features the types of `jiff`,
/// `chrono` and `time`; also in an `Option`, whose `None` leaves the time to the context.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a time that an event can have",
    note = "use a `std::time::SystemTime` or an `EventTime`",
    note = "the features `jiff02`, `chrono04` and `time03` add those crates' types that know their offset from UTC"
)]
pub trait EventTimeValue {
    /// The time, to the second, or `None` to leave it to the context.
    fn event_time(&self) -> Result<Option<EventTime>, NameError>;
}

impl EventTimeValue for EventTime {
    fn event_time(&self) -> Result<Option<EventTime>, NameError> {
        Ok(Some(*self))
    }
}

impl EventTimeValue for SystemTime {
    fn event_time(&self) -> Result<Option<EventTime>, NameError> {
        EventTime::try_from(*self).map(Some)
    }
}

impl<T: EventTimeValue> EventTimeValue for Option<T> {
    fn event_time(&self) -> Result<Option<EventTime>, NameError> {
        self.as_ref().map_or(Ok(None), T::event_time)
    }
}

impl<T: EventTimeValue + ?Sized> EventTimeValue for &T {
    fn event_time(&self) -> Result<Option<EventTime>, NameError> {
        (**self).event_time()
    }
}

#[cfg(any(feature = "jiff02", feature = "chrono04", feature = "time03"))]
fn from_seconds(seconds: i64) -> Result<Option<EventTime>, NameError> {
    EventTime::from_unix_seconds(seconds).map(Some).ok_or_else(|| {
        NameError::new("an event's time", "between the years 0000 and 9999", &format!("{seconds} s from 1970"))
    })
}

#[cfg(feature = "jiff02")]
impl EventTimeValue for jiff::Timestamp {
    fn event_time(&self) -> Result<Option<EventTime>, NameError> {
        // Its seconds are rounded towards zero, its fraction has their sign.
        from_seconds(self.as_second() - i64::from(self.subsec_nanosecond() < 0))
    }
}

#[cfg(feature = "jiff02")]
impl EventTimeValue for jiff::Zoned {
    fn event_time(&self) -> Result<Option<EventTime>, NameError> {
        self.timestamp().event_time()
    }
}

#[cfg(feature = "chrono04")]
impl<Z: chrono::TimeZone> EventTimeValue for chrono::DateTime<Z> {
    fn event_time(&self) -> Result<Option<EventTime>, NameError> {
        from_seconds(self.timestamp())
    }
}

#[cfg(feature = "time03")]
impl EventTimeValue for time::OffsetDateTime {
    fn event_time(&self) -> Result<Option<EventTime>, NameError> {
        from_seconds(self.unix_timestamp())
    }
}

#[cfg(feature = "time03")]
impl EventTimeValue for time::UtcDateTime {
    fn event_time(&self) -> Result<Option<EventTime>, NameError> {
        from_seconds(self.unix_timestamp())
    }
}

/// What can be a text of the schema, such as the user agent: the kinds of strings; also in an `Option`, whose `None`
/// leaves it to the context, or out.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not text",
    note = "use a `String`, a `&str`, or an `Option` of one; or give the field `with = path`"
)]
pub trait TextValue {
    /// The text, or `None` where there is none.
    fn text(&self) -> Option<Cow<'_, str>>;
}

impl TextValue for str {
    fn text(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self))
    }
}

impl TextValue for String {
    fn text(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self))
    }
}

impl TextValue for Cow<'_, str> {
    fn text(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self))
    }
}

impl<T: TextValue> TextValue for Option<T> {
    fn text(&self) -> Option<Cow<'_, str>> {
        self.as_ref().and_then(T::text)
    }
}

macro_rules! text_through_pointer {
    ($($pointer:ty),*) => {$(
        impl<T: TextValue + ?Sized> TextValue for $pointer {
            fn text(&self) -> Option<Cow<'_, str>> {
                (**self).text()
            }
        }
    )*};
}
text_through_pointer!(&T, Box<T>, Rc<T>, Arc<T>);

/// What can be a source address: the standard library's IP and socket addresses; also in an `Option`, whose `None` leaves
/// it to the context.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an IP address",
    note = "use a `std::net::IpAddr`, an `Option` of one, or parse the text: `text.parse::<IpAddr>()`"
)]
pub trait SourceIp {
    /// The address, or `None` to leave it to the context.
    fn source_ip(&self) -> Option<IpAddr>;
}

impl SourceIp for IpAddr {
    fn source_ip(&self) -> Option<IpAddr> {
        Some(*self)
    }
}

macro_rules! source_ip {
    ($($address:ty => $get:expr),*) => {$(
        impl SourceIp for $address {
            fn source_ip(&self) -> Option<IpAddr> {
                let get: fn(&$address) -> IpAddr = $get;
                Some(get(self))
            }
        }
    )*};
}
source_ip!(
    Ipv4Addr => |address| IpAddr::V4(*address),
    Ipv6Addr => |address| IpAddr::V6(*address),
    SocketAddr => SocketAddr::ip,
    SocketAddrV4 => |address| IpAddr::V4(*address.ip()),
    SocketAddrV6 => |address| IpAddr::V6(*address.ip())
);

impl<T: SourceIp> SourceIp for Option<T> {
    fn source_ip(&self) -> Option<IpAddr> {
        self.as_ref().and_then(T::source_ip)
    }
}

impl<T: SourceIp + ?Sized> SourceIp for &T {
    fn source_ip(&self) -> Option<IpAddr> {
        (**self).source_ip()
    }
}

/// What can be the id of a target: anything that implements `Display`; also in an `Option`, whose `None` is no target.
///
/// `M` tells the impls apart, since an `Option` could implement `Display` some day. The compiler infers it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the id of a target",
    label = "has no text that identifies a thing",
    note = "use a type that implements `Display`, or an `Option` of one"
)]
pub trait TargetId<M> {
    /// The id, or `None` where there is no target; an error where its `Display` fails.
    fn target_id(&self) -> Result<Option<String>, fmt::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Display + ?Sized> TargetId<()> for T {
    fn target_id(&self) -> Result<Option<String>, fmt::Error> {
        let mut text = String::new();
        write!(text, "{self}").map(|()| Some(text))
    }
}

#[diagnostic::do_not_recommend]
impl<M, T: TargetId<M>> TargetId<Option<M>> for Option<T> {
    fn target_id(&self) -> Result<Option<String>, fmt::Error> {
        self.as_ref().map_or(Ok(None), T::target_id)
    }
}

#[diagnostic::do_not_recommend]
impl<M, T> TargetId<&M> for &Option<T>
where
    Option<T>: TargetId<M>,
{
    fn target_id(&self) -> Result<Option<String>, fmt::Error> {
        (**self).target_id()
    }
}

/// What an `outcome` asks of an error: a code that stays the same, beside the message for people.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no error code for the audit record",
    label = "not an `AuditError`",
    note = "derive `AuditError` for the error type, or implement it: `fn error_code(&self) -> Cow<'_, str>`"
)]
pub trait AuditError: Display {
    /// The `errorCode`: a name for the kind of error, at most 256 characters.
    fn error_code(&self) -> Cow<'_, str>;
}

impl<E: AuditError + ?Sized> AuditError for &E {
    fn error_code(&self) -> Cow<'_, str> {
        (**self).error_code()
    }
}

impl<E: AuditError + ?Sized> AuditError for Box<E> {
    fn error_code(&self) -> Cow<'_, str> {
        (**self).error_code()
    }
}

impl<E: AuditError + ?Sized> AuditError for Arc<E> {
    fn error_code(&self) -> Cow<'_, str> {
        (**self).error_code()
    }
}
