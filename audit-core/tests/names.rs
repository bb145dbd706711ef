//! What all names have in common.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use audit_core::{AccountId, ChannelArn, Checksum, EventId, EventTime, ExternalId, NameError};
use serde::Serialize;
use serde::de::DeserializeOwned;

const ID: EventId = EventId::from_static("refund-17");
const CHANNEL: ChannelArn =
    ChannelArn::from_static("arn:aws-cn:cloudtrail:cn-north-1:123456789012:channel/EXAMPLE8-0558");
const EXTERNAL: ExternalId = ExternalId::from_static("partner=7,stage:prod");
const ACCOUNT: AccountId = AccountId::from_static("012345678901");
const TIME: EventTime = EventTime::from_static("2026-11-21T10:15:30Z");
const CHECKSUM: Checksum = Checksum::from_static("RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=");

fn is_a_name<N>(name: &N, text: &str, wrong: &str)
where
    N: Clone + Debug + Display + PartialEq + Serialize + DeserializeOwned + FromStr<Err = NameError>,
    N: for<'a> TryFrom<&'a str, Error = NameError> + TryFrom<String, Error = NameError>,
{
    assert_eq!(name.to_string(), text);
    assert_eq!(format!("{name:>300}").len(), 300, "Display takes a width");
    assert!(format!("{name:?}").contains(text));
    assert_eq!(&text.parse::<N>().expect(text), name);
    assert_eq!(&N::try_from(text).expect(text), name);
    assert_eq!(&N::try_from(text.to_owned()).expect(text), name);
    let json = serde_json::to_string(name).expect("a string");
    assert_eq!(json, serde_json::to_string(text).expect("a string"));
    assert_eq!(&serde_json::from_str::<N>(&json).expect(&json), name);
    // Read from a stream, where nothing can be borrowed.
    assert_eq!(&serde_json::from_reader::<_, N>(json.as_bytes()).expect(&json), name);

    let error = wrong.parse::<N>().expect_err(wrong).to_string();
    assert!(error.starts_with(&format!("\"{wrong}\" is not ")) && error.contains("it must be"), "{error}");
    let told = serde_json::from_value::<N>(wrong.into()).expect_err(wrong).to_string();
    assert!(told.contains(&error), "{told}");
    assert!(serde_json::from_str::<N>("17").is_err());
}

#[test]
fn every_name_is_read_and_written_the_same_way() {
    is_a_name(&ID, "refund-17", "refund 17");
    is_a_name(
        &CHANNEL,
        "arn:aws-cn:cloudtrail:cn-north-1:123456789012:channel/EXAMPLE8-0558",
        "arn:aws:cloudtrail:eu-west-1:123456789012:trail/x",
    );
    is_a_name(&EXTERNAL, "partner=7,stage:prod", "x");
    is_a_name(&ACCOUNT, "012345678901", "12345678901");
    is_a_name(&TIME, "2026-11-21T10:15:30Z", "2026-11-21 10:15:30");
    is_a_name(&CHECKSUM, "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=", "RBNvo1WzZ4oRRq0W9");
}

#[test]
fn the_parts_of_a_channel_are_those_of_its_arn() {
    assert_eq!(
        (CHANNEL.partition(), CHANNEL.region(), CHANNEL.account().as_str(), CHANNEL.channel_id()),
        ("aws-cn", "cn-north-1", "123456789012", "EXAMPLE8-0558")
    );
}

#[test]
fn an_external_id_has_2_to_1224_ascii_characters_of_its_alphabet() {
    for good in ["ab", "a_b+c=d,e.f@g:h/i-j", &"x".repeat(1_223), &"x".repeat(1_224)] {
        assert!(ExternalId::try_from(good).is_ok(), "{good}");
    }
    for bad in ["", "a", "a b", "ä1", "a\\b", "a*", &"x".repeat(1_225)] {
        assert!(ExternalId::try_from(bad).is_err(), "{bad}");
    }
}
