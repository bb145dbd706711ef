//! The types of other crates, in fields and as ids.
#![cfg(all(feature = "jiff02", feature = "chrono04", feature = "time03", feature = "uuid1", feature = "ulid"))]

use audit_core::{EventId, EventTime, EventTimeValue};

fn written(time: &impl EventTimeValue) -> String {
    time.event_time().expect("within the years").expect("there is one").to_string()
}

#[test]
fn the_time_crates_write_the_same_second() {
    for (millis, text) in [
        (1_795_256_130_999, "2026-11-21T10:15:30Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (-1_000, "1969-12-31T23:59:59Z"),
        (0, "1970-01-01T00:00:00Z"),
    ] {
        let jiff = jiff::Timestamp::from_millisecond(millis).expect("within its range");
        assert_eq!(written(&jiff), text);
        assert_eq!(written(&jiff.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(-7)))), text);
        let chrono = chrono::DateTime::from_timestamp_millis(millis).expect("within its range");
        assert_eq!(written(&chrono), text);
        assert_eq!(written(&chrono.with_timezone(&chrono::FixedOffset::east_opt(9 * 3_600).expect("an offset"))), text);
        let time = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).expect("its range");
        assert_eq!(written(&time), text);
        assert_eq!(written(&time.to_offset(time::UtcOffset::from_hms(5, 45, 0).expect("an offset"))), text);
        assert_eq!(written(&Some(time.to_utc())), text);
    }
}

#[test]
fn a_time_beyond_the_year_9999_is_an_error() {
    let far = chrono::DateTime::from_timestamp(253_402_300_800, 0).expect("within chrono's range");
    assert!(far.event_time().is_err());
    assert_eq!(None::<EventTime>.event_time(), Ok(None));
}

#[test]
fn uuids_and_ulids_are_ids_as_they_are_written() {
    let uuid = uuid::Uuid::from_u128(0x0190_b6c2_6c1e_7cc3_8f0e_2f6c_9f1c_2a11);
    assert_eq!(EventId::from(uuid).as_str(), "0190b6c2-6c1e-7cc3-8f0e-2f6c9f1c2a11");
    assert_eq!(EventId::from(uuid), EventId::derive(&uuid.to_string()));
    assert_eq!(EventId::from(ulid::Ulid::from(17_u128)).as_str(), "0000000000000000000000000H");
}
