//! When an event happened, as the service writes it: UTC, to the second.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use super::error::{NameError, readable};

const SECONDS_A_DAY: i64 = 86_400;
/// 0000-01-01T00:00:00Z
const FIRST: i64 = -62_167_219_200;
/// 9999-12-31T23:59:59Z
const LAST: i64 = 253_402_300_799;
/// How many characters `yyyy-MM-ddTHH:mm:ss` has, without the `Z`.
const LENGTH: usize = 19;

/// A UTC time to the second, between the years 0000 and 9999.
///
/// Written `yyyy-MM-ddTHH:mm:ssZ`; read with or without the `Z`. What a source knows beyond the second is cut off, so put
/// it under `additionalEventData` where it matters.
///
/// ```
/// use audit_core::EventTime;
///
/// const OPENED: EventTime = EventTime::from_static("2026-11-21T10:15:30Z");
/// assert_eq!(OPENED.unix_seconds(), 1_795_256_130);
/// assert_eq!("2026-11-21T10:15:30".parse(), Ok(OPENED));
/// assert!("2026-02-29T00:00:00Z".parse::<EventTime>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventTime(i64);

impl EventTime {
    /// Takes a literal. In a constant, a wrong one does not compile.
    ///
    /// # Panics
    /// Outside of a constant, if the text is not such a time.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        match parse(text.as_bytes()) {
            Some(time) => time,
            None => panic!("an event's time must be a UTC time like 2026-11-21T10:15:30Z"),
        }
    }

    /// Whether the text is such a time, with or without its `Z`.
    pub(crate) const fn is_text(text: &[u8]) -> bool {
        parse(text).is_some()
    }

    /// The time now, by the system's clock. A clock before the year 0 or after 9999 gives the nearest time that can be
    /// written.
    #[must_use]
    pub fn now() -> Self {
        Self(unix_seconds(SystemTime::now()).clamp(FIRST, LAST))
    }

    /// The time `seconds` after 1970-01-01T00:00:00Z, or `None` outside the years 0000 to 9999.
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Option<Self> {
        if seconds < FIRST || seconds > LAST { None } else { Some(Self(seconds)) }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0
    }

    /// The text, as bytes: `2026-11-21T10:15:30Z`.
    pub(crate) fn to_bytes(self) -> [u8; LENGTH + 1] {
        let (year, month, day) = civil_from_days(self.0.div_euclid(SECONDS_A_DAY));
        let second = self.0.rem_euclid(SECONDS_A_DAY);
        let mut text = *b"0000-00-00T00:00:00Z";
        // Each number fits its two digits: the type keeps the year below 10,000.
        let mut put = |at: usize, value: i64| {
            let value = u8::try_from(value).unwrap_or_default();
            text[at] = b'0' + value / 10;
            text[at + 1] = b'0' + value % 10;
        };
        put(0, year / 100);
        put(2, year % 100);
        put(5, month);
        put(8, day);
        put(11, second / 3_600);
        put(14, second / 60 % 60);
        put(17, second % 60);
        text
    }
}

fn unix_seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        // Before 1970: towards the past, as every other fraction is cut.
        Err(before) => {
            let before = before.duration();
            let whole = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
            -whole - i64::from(before.subsec_nanos() > 0)
        }
    }
}

const fn parse(text: &[u8]) -> Option<EventTime> {
    let with_z = text.len() == LENGTH + 1 && text[LENGTH] == b'Z';
    if !(with_z || text.len() == LENGTH) {
        return None;
    }
    if !(text[4] == b'-' && text[7] == b'-' && text[10] == b'T' && text[13] == b':' && text[16] == b':') {
        return None;
    }
    let (Some(year), Some(month), Some(day)) = (number(text, 0, 4), number(text, 5, 2), number(text, 8, 2)) else {
        return None;
    };
    let (Some(hour), Some(minute), Some(second)) = (number(text, 11, 2), number(text, 14, 2), number(text, 17, 2))
    else {
        return None;
    };
    if month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 59
    {
        return None;
    }
    Some(EventTime(days_from_civil(year, month, day) * SECONDS_A_DAY + hour * 3_600 + minute * 60 + second))
}

const fn number(text: &[u8], start: usize, digits: usize) -> Option<i64> {
    let (mut value, mut at) = (0, start);
    while at < start + digits {
        if !text[at].is_ascii_digit() {
            return None;
        }
        value = value * 10 + (text[at] - b'0') as i64;
        at += 1;
    }
    Some(value)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// Both ways between days and dates count years from March, so that the leap day is the last of its year, and in eras of
// 400 years, which all have 146,097 days. 719,468 days lie between 0000-03-01 and 1970-01-01.

const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + if month <= 2 { 1 } else { 0 }, month, day)
}

impl TryFrom<&str> for EventTime {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, NameError> {
        parse(text.as_bytes())
            .ok_or_else(|| NameError::new("an event's time", "a UTC time like 2026-11-21T10:15:30Z", text))
    }
}

impl TryFrom<SystemTime> for EventTime {
    type Error = NameError;

    fn try_from(time: SystemTime) -> Result<Self, NameError> {
        Self::from_unix_seconds(unix_seconds(time)).ok_or_else(|| {
            NameError::new("an event's time", "between the years 0000 and 9999", "a system time far away")
        })
    }
}

impl From<EventTime> for SystemTime {
    fn from(time: EventTime) -> Self {
        let distance = Duration::from_secs(time.0.unsigned_abs());
        if time.0 < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
    }
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Digits, dashes and colons: always text.
        f.pad(std::str::from_utf8(&self.to_bytes()).unwrap_or_default())
    }
}

impl fmt::Debug for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventTime({self})")
    }
}

readable!(EventTime);

impl Serialize for EventTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{EventTime, FIRST, LAST};

    #[test]
    fn every_day_of_ten_thousand_years_reads_back_as_it_was_written() {
        let mut before = String::new();
        for day in (FIRST / 86_400)..=(LAST / 86_400) {
            let time = EventTime::from_unix_seconds(day * 86_400 + 3_661).expect("within the years");
            let text = time.to_string();
            assert!(text > before, "{text} after {before}");
            assert_eq!(text.parse(), Ok(time));
            before = text;
        }
        assert_eq!(before, "9999-12-31T01:01:01Z");
    }

    #[test]
    fn known_times_are_what_gnu_date_says() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_621_305_118, "2021-05-18T02:31:58Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (FIRST, "0000-01-01T00:00:00Z"),
            (LAST, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(EventTime::from_unix_seconds(seconds).expect(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_time_of_this_form_is_refused() {
        for text in [
            "",
            "2026-11-21",
            "2026-11-21 10:15:30Z",
            "2026-11-21T10:15:30z",
            "2026-11-21T10:15:30.000Z",
            "2026-11-21T10:15:30+00:00",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "+026-01-01T00:00:00Z",
            "２026-01-01T00:00:00Z",
        ] {
            assert!(text.parse::<EventTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_fraction_of_a_second_is_cut_towards_the_past() {
        let half = Duration::from_millis(500);
        assert_eq!(EventTime::try_from(UNIX_EPOCH + half).expect("1970").unix_seconds(), 0);
        assert_eq!(EventTime::try_from(UNIX_EPOCH - half).expect("1969").unix_seconds(), -1);
        let far = UNIX_EPOCH + Duration::from_secs(u64::try_from(LAST).expect("positive") + 1);
        assert!(EventTime::try_from(far).is_err());
        assert_eq!(SystemTime::from(EventTime::from_static("1969-12-31T23:59:59Z")), UNIX_EPOCH - 2 * half);
    }
}
