//! The times that `--since` and `--until` take.

use std::fmt;
use std::str::FromStr;

use audit_lake::EventTime;

const SECONDS_A_DAY: u64 = 86_400;

/// A time, or how long ago it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    At(EventTime),
    SecondsAgo(u64),
}

/// A text that is none of the forms of a [`Moment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoMoment;

impl fmt::Display for NoMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "write a day (2026-11-19: its beginning, UTC), a time in UTC (2026-11-19T10:15:30Z), or how long ago it was, in days, \
             hours or minutes (7d, 12h, 30m)",
        )
    }
}

impl std::error::Error for NoMoment {}

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        let time = text.parse().or_else(|_| format!("{text}T00:00:00Z").parse());
        if let Ok(time) = time {
            return Ok(Self::At(time));
        }
        let seconds = [('d', SECONDS_A_DAY), ('h', 3_600), ('m', 60)];
        seconds
            .into_iter()
            .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
            .filter(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
            // A number that is too large is longer ago than any event.
            .map(|(number, seconds)| {
                Self::SecondsAgo(number.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(seconds))
            })
            .ok_or(NoMoment)
    }
}

impl Moment {
    /// The time that is meant if it is `now`. Before the year 0 there is none: then the first time there is.
    pub(super) fn seen_at(self, now: EventTime) -> EventTime {
        const FIRST: EventTime = EventTime::from_static("0000-01-01T00:00:00Z");
        match self {
            Self::At(time) => time,
            Self::SecondsAgo(seconds) => i64::try_from(seconds)
                .ok()
                .and_then(|seconds| now.unix_seconds().checked_sub(seconds))
                .and_then(EventTime::from_unix_seconds)
                .unwrap_or(FIRST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EventTime, Moment, NoMoment};

    const NOW: EventTime = EventTime::from_static("2026-11-27T12:00:00Z");

    #[test]
    fn a_day_a_time_and_how_long_ago_are_times() {
        for (text, time) in [
            ("2026-11-19", "2026-11-19T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            ("2026-11-19T10:15:30Z", "2026-11-19T10:15:30Z"),
            ("2026-11-19T10:15:30", "2026-11-19T10:15:30Z"),
            ("7d", "2026-11-20T12:00:00Z"),
            ("12h", "2026-11-27T00:00:00Z"),
            ("30m", "2026-11-27T11:30:00Z"),
            ("0d", "2026-11-27T12:00:00Z"),
            ("1000000d", "0000-01-01T00:00:00Z"),
            ("9999999999999999999d", "0000-01-01T00:00:00Z"),
            ("99999999999999999999999m", "0000-01-01T00:00:00Z"),
        ] {
            let moment: Moment = text.parse().expect(text);
            assert_eq!(moment.seen_at(NOW).to_string(), time, "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_forms_there_are() {
        for text in [
            "",
            "d",
            "7",
            "7w",
            "-7d",
            "+7d",
            "7 d",
            "7D",
            "1.5h",
            "7d12h",
            "٧d",
            "yesterday",
            "2026-11",
            "2026-11-31",
            "2026-02-29",
            "2026-11-19T10:15",
            "2026-11-19T10:15:30+01:00",
            "2026-11-19T",
            "19.11.2026",
        ] {
            assert_eq!(text.parse::<Moment>(), Err(NoMoment), "{text}");
        }
        let forms = NoMoment.to_string();
        for form in ["2026-11-19", "2026-11-19T10:15:30Z", "7d", "12h", "30m"] {
            assert!(forms.contains(form) && form.parse::<Moment>().is_ok(), "{form}: {forms}");
        }
    }
}
