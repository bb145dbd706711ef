//! Whatever a `Serialize` does, what stands in the event is to the byte what `serde_json` writes.

use std::collections::{BTreeMap, HashMap, HashSet};

use audit_core::{
    AccountId, AuditEvent, Context, EncodeError, EncodeFault, Entry, EventDataWriter, EventType, Identity, Violation,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::ser::{
    Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant,
};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

struct Holds<T>(T);

impl<T: Serialize> AuditEvent for Holds<T> {
    fn event_type(&self) -> &'static EventType {
        const { &EventType::new("tests.example.com", "Holds") }
    }
    fn write(&self, data: &mut EventDataWriter<'_>) -> Result<(), EncodeError> {
        data.id("1").request("value", &[&self.0]).done()
    }
}

/// The JSON of a value, cut out of an event that holds it in a list.
fn written<T: Serialize>(value: T) -> Result<String, EncodeError> {
    let identity = Identity::new("Staff", "alice").expect("short");
    let context = Context::new(AccountId::from_static("123456789012")).identity(&identity);
    let entry = Holds(value).to_entry(&context)?;
    Entry::parse(entry.id(), entry.event_data()).expect("what is written keeps the contract");
    let (_, value) = entry.event_data().split_once(r#""requestParameters":{"value":["#).expect("it is there");
    Ok(value.strip_suffix("]}}").expect("it is the last").to_owned())
}

/// A tree of calls of serde's data model.
#[derive(Clone, Debug)]
enum Data {
    Bool(bool),
    Ints((i8, i16, i32, i64, i128)),
    Uints((u8, u16, u32, u64, u128)),
    F32(f32),
    F64(f64),
    Char(char),
    Str(String),
    Displayed(String),
    Bytes(Vec<u8>),
    None,
    Some(Box<Data>),
    Unit,
    UnitStruct,
    UnitVariant,
    NewtypeStruct(Box<Data>),
    NewtypeVariant(Box<Data>),
    Seq(bool, Vec<Data>),
    Tuple(Vec<Data>),
    TupleStruct(Vec<Data>),
    TupleVariant(Vec<Data>),
    Map(bool, Vec<(Key, Data)>),
    Struct(Vec<(&'static str, Data)>),
    StructVariant(Vec<(&'static str, Data)>),
}

#[derive(Clone, Debug)]
enum Key {
    Str(String),
    Displayed(String),
    Int(i64),
    Big(u128),
    Bool(bool),
    Char(char),
    F64(f64),
    Variant,
    Some(Box<Key>),
    Newtype(Box<Key>),
}

impl Key {
    fn text(&self) -> String {
        match self {
            Self::Str(text) | Self::Displayed(text) => text.clone(),
            Self::Int(number) => number.to_string(),
            Self::Big(number) => number.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Char(value) => value.to_string(),
            Self::F64(number) => serde_json::to_string(number).expect("a number"),
            Self::Variant => "Variant\"\n".to_owned(),
            Self::Some(key) | Self::Newtype(key) => key.text(),
        }
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Str(text) => serializer.serialize_str(text),
            Self::Displayed(text) => serializer.collect_str(text),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Big(number) => serializer.serialize_u128(*number),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Char(value) => serializer.serialize_char(*value),
            Self::F64(number) => serializer.serialize_f64(*number),
            Self::Variant => serializer.serialize_unit_variant("Enum", 0, "Variant\"\n"),
            Self::Some(key) => serializer.serialize_some(key),
            Self::Newtype(key) => serializer.serialize_newtype_struct("Newtype", key),
        }
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Ints(all) => all.serialize(serializer),
            Self::Uints(all) => all.serialize(serializer),
            Self::F32(value) => serializer.serialize_f32(*value),
            Self::F64(value) => serializer.serialize_f64(*value),
            Self::Char(value) => serializer.serialize_char(*value),
            Self::Str(value) => serializer.serialize_str(value),
            Self::Displayed(value) => serializer.collect_str(value),
            Self::Bytes(value) => serializer.serialize_bytes(value),
            Self::None => serializer.serialize_none(),
            Self::Some(value) => serializer.serialize_some(value),
            Self::Unit => serializer.serialize_unit(),
            Self::UnitStruct => serializer.serialize_unit_struct("Unit"),
            Self::UnitVariant => serializer.serialize_unit_variant("Enum", 0, "Vari\tant"),
            Self::NewtypeStruct(value) => serializer.serialize_newtype_struct("Newtype", value),
            Self::NewtypeVariant(value) => serializer.serialize_newtype_variant("Enum", 0, "New", value),
            Self::Seq(counted, values) => {
                let mut seq = serializer.serialize_seq(counted.then_some(values.len()))?;
                values.iter().try_for_each(|value| seq.serialize_element(value))?;
                seq.end()
            }
            Self::Tuple(values) => {
                let mut tuple = serializer.serialize_tuple(values.len())?;
                values.iter().try_for_each(|value| tuple.serialize_element(value))?;
                tuple.end()
            }
            Self::TupleStruct(values) => {
                let mut tuple = serializer.serialize_tuple_struct("Tuple", values.len())?;
                values.iter().try_for_each(|value| tuple.serialize_field(value))?;
                tuple.end()
            }
            Self::TupleVariant(values) => {
                let mut tuple = serializer.serialize_tuple_variant("Enum", 0, "Tup\\le", values.len())?;
                values.iter().try_for_each(|value| tuple.serialize_field(value))?;
                tuple.end()
            }
            Self::Map(entries, values) => {
                let mut map = serializer.serialize_map(Some(values.len()))?;
                for (key, value) in values {
                    if *entries {
                        map.serialize_entry(key, value)?;
                    } else {
                        map.serialize_key(key)?;
                        map.serialize_value(value)?;
                    }
                }
                map.end()
            }
            Self::Struct(values) => {
                let mut fields = serializer.serialize_struct("Struct", values.len())?;
                values.iter().try_for_each(|(key, value)| fields.serialize_field(key, value))?;
                fields.end()
            }
            Self::StructVariant(values) => {
                let mut fields = serializer.serialize_struct_variant("Enum", 0, "Str", values.len())?;
                values.iter().try_for_each(|(key, value)| fields.serialize_field(key, value))?;
                fields.end()
            }
        }
    }
}

impl Data {
    /// Whether no object in it has the same key twice.
    fn distinct(&self) -> bool {
        match self {
            Self::Some(value) | Self::NewtypeStruct(value) | Self::NewtypeVariant(value) => value.distinct(),
            Self::Seq(_, values) | Self::Tuple(values) | Self::TupleStruct(values) | Self::TupleVariant(values) => {
                values.iter().all(Self::distinct)
            }
            Self::Map(_, members) => {
                let keys: HashSet<String> = members.iter().map(|(key, _)| key.text()).collect();
                keys.len() == members.len() && members.iter().all(|(_, value)| value.distinct())
            }
            Self::Struct(members) | Self::StructVariant(members) => {
                let keys: HashSet<&str> = members.iter().map(|(key, _)| *key).collect();
                keys.len() == members.len() && members.iter().all(|(_, value)| value.distinct())
            }
            _ => true,
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ -~]{0,70}", "[\\x00-\\x1f\"\\\\/\u{7f}\u{80}é€😀]{0,40}", "[ab]{0,2}"]
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        text().prop_map(Key::Str),
        text().prop_map(Key::Displayed),
        (-20_i64..20).prop_map(Key::Int),
        any::<u128>().prop_map(Key::Big),
        any::<bool>().prop_map(Key::Bool),
        any::<char>().prop_map(Key::Char),
        proptest::num::f64::NORMAL.prop_map(Key::F64),
        Just(Key::Variant),
        text().prop_map(|text| Key::Some(Box::new(Key::Newtype(Box::new(Key::Str(text)))))),
    ]
}

fn field() -> impl Strategy<Value = &'static str> + Clone {
    const FIELDS: [&str; 40] = [
        "",
        "a",
        "b",
        "aa",
        "bb",
        "abc",
        "abd",
        "dcba",
        "dcbb",
        "quote\"",
        "new\nline",
        "back\\slash",
        "é",
        "ünï",
        "id",
        "name",
        "login",
        "node_id",
        "events_url",
        "issue_events_url",
        "avatar_url",
        "git_refs_url",
        "git_tags_url",
        "f0",
        "f1",
        "f2",
        "f3",
        "f4",
        "f5",
        "f6",
        "f7",
        "f8",
        "f9",
        "g0",
        "g1",
        "g2",
        "g3",
        "g4",
        "g5",
        "g6",
    ];
    proptest::sample::select(&FIELDS[..])
}

fn data() -> impl Strategy<Value = Data> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Data::Bool),
        any::<(i8, i16, i32, i64, i128)>().prop_map(Data::Ints),
        any::<(u8, u16, u32, u64, u128)>().prop_map(Data::Uints),
        any::<f32>().prop_map(Data::F32),
        any::<f64>().prop_map(Data::F64),
        any::<char>().prop_map(Data::Char),
        text().prop_map(Data::Str),
        text().prop_map(Data::Displayed),
        vec(any::<u8>(), 0..9).prop_map(Data::Bytes),
        Just(Data::None),
        Just(Data::Unit),
        Just(Data::UnitStruct),
        Just(Data::UnitVariant),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let values = vec(inner.clone(), 0..6);
        let members = vec((field(), inner.clone()), 0..6);
        prop_oneof![
            boxed.clone().prop_map(Data::Some),
            boxed.clone().prop_map(Data::NewtypeStruct),
            boxed.prop_map(Data::NewtypeVariant),
            (any::<bool>(), values.clone()).prop_map(|(counted, values)| Data::Seq(counted, values)),
            values.clone().prop_map(Data::Tuple),
            values.clone().prop_map(Data::TupleStruct),
            values.prop_map(Data::TupleVariant),
            (any::<bool>(), vec((key(), inner), 0..6)).prop_map(|(entries, members)| Data::Map(entries, members)),
            members.clone().prop_map(Data::Struct),
            members.prop_map(Data::StructVariant),
        ]
    })
}

fn compare(data: &Data) {
    match written(data) {
        Ok(json) => {
            assert!(data.distinct(), "{json}");
            assert_eq!(json, serde_json::to_string(data).expect("as ours"));
        }
        Err(error) => {
            assert!(!data.distinct(), "{error}");
            assert!(matches!(error.fault(), EncodeFault::Contract(Violation::DuplicateKey { .. })), "{error}");
        }
    }
}

proptest! {
    #[test]
    fn any_calls_write_what_serde_json_writes(data in data()) {
        compare(&data);
    }

    #[test]
    fn any_keys_of_large_objects_are_told_apart_or_refused(
        keys in vec(prop_oneof![field().prop_map(str::to_owned), "[a-e]{1,3}"], 0..120),
        fields in vec(field(), 0..60),
    ) {
        compare(&Data::Map(true, keys.iter().map(|key| (Key::Str(key.clone()), Data::Unit)).collect()));
        let distinct: HashSet<&String> = keys.iter().collect();
        compare(&Data::Map(true, distinct.iter().map(|key| (Key::Str((*key).clone()), Data::Unit)).collect()));
        compare(&Data::Struct(fields.iter().map(|key| (*key, Data::Unit)).collect()));
    }
}

#[test]
fn floats_are_written_as_serde_json_writes_them() {
    for float in [0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 1e21, 1e-7, f64::MAX, f64::MIN_POSITIVE, 5e-324] {
        assert_eq!(written(float).expect("JSON"), serde_json::to_string(&float).expect("JSON"));
        #[allow(clippy::cast_possible_truncation, reason = "the nearest is meant")]
        let single = float as f32;
        // Beyond an f32's range it is an infinity, which is written as text.
        if single.is_finite() {
            assert_eq!(written(single).expect("JSON"), serde_json::to_string(&single).expect("JSON"));
        }
    }
}

#[test]
fn a_key_that_cannot_be_text_is_refused_in_the_words_of_serde_json() {
    #[derive(Serialize, PartialEq, Eq, Hash, PartialOrd, Ord, Clone)]
    enum Odd {
        Newtype(u8),
        Tuple(u8, u8),
        Struct { a: u8 },
    }
    fn refused<K: Serialize + std::hash::Hash + Eq>(key: K) {
        let map = HashMap::from([(key, 1)]);
        let ours = written(&map).unwrap_err();
        let EncodeFault::NotJson { reason, key } = ours.fault() else { panic!("{ours}") };
        assert_eq!(
            (reason.as_str(), key.as_str()),
            (&*serde_json::to_string(&map).unwrap_err().to_string(), "requestParameters.value")
        );
    }
    refused(());
    refused(None::<u8>);
    refused(vec![1]);
    refused((1, 2));
    refused(BTreeMap::from([(1, 2)]));
    refused(Odd::Newtype(1));
    refused(Odd::Tuple(1, 2));
    refused(Odd::Struct { a: 1 });
}

/// `serde_json` writes null, or refuses it as a key.
#[test]
fn a_float_that_is_not_finite_is_written_as_a_text() {
    for (float, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "Infinity"), (f64::NEG_INFINITY, "-Infinity")] {
        assert_eq!(written(float).expect("JSON"), format!("{text:?}"));
        assert_eq!(written([Some(float)]).expect("JSON"), format!("[{text:?}]"));
        #[allow(clippy::cast_possible_truncation, reason = "the same in fewer bits")]
        let single = float as f32;
        assert_eq!(written(single).expect("JSON"), format!("{text:?}"));
        let map = Data::Map(true, vec![(Key::F64(float), Data::Unit)]);
        assert_eq!(written(map).expect("JSON"), format!("{{{text:?}:null}}"));
    }
}

#[test]
fn json_that_is_there_already_is_taken_as_it_is_and_held_to_the_contract() {
    let raw = |json: &str| RawValue::from_string(json.to_owned()).expect("JSON");
    for json in ["1", "\"a\\u0041\\n\"", "{ \"b\" : [ 1.50, -0, {} ] }", "null", "123456789012345678901234567890.5"] {
        assert_eq!(written(raw(json)).expect("fine"), json);
        assert_eq!(written(Some(BTreeMap::from([("k", raw(json))]))).expect("fine"), format!("{{\"k\":{json}}}"));
    }
    let twice = written(raw(r#"{"a":{"b":1,"b":2}}"#)).unwrap_err();
    assert!(matches!(twice.fault(), EncodeFault::Contract(Violation::DuplicateKey { .. })), "{twice}");
    // Around the value are the event, the object and the list.
    let nested = |levels: usize| raw(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    assert!(written(nested(97)).is_ok());
    let deep = written(nested(98)).unwrap_err();
    assert!(matches!(deep.fault(), EncodeFault::Contract(Violation::TooDeep { .. })), "{deep}");
}

/// What `serde_json::Number` is when some crate has asked for arbitrary precision.
struct Precise<'a>(&'a str, usize);

impl Serialize for Precise<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut number = serializer.serialize_struct("$serde_json::private::Number", 1)?;
        for _ in 0..self.1 {
            number.serialize_field("$serde_json::private::Number", self.0)?;
        }
        number.end()
    }
}

#[test]
fn a_number_of_arbitrary_precision_keeps_its_digits() {
    for number in ["3.141592653589793238462643383279", "-1", "1E+2"] {
        assert_eq!(written(Precise(number, 1)).expect("a number"), number);
    }
    assert!(written(Precise("1e999", 1)).is_err(), "readers differ in what that is");
    assert!(written(Precise("1,2", 1)).is_err());
    assert!(written(Precise("1", 0)).is_err());
    assert!(written(Precise("1", 2)).is_err());
}

/// An impl of `Serialize` that does what it should not.
struct Rogue(u8);

struct Fails;

impl Serialize for Fails {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("half", "way")?;
        Err(S::Error::custom("failed"))
    }
}

impl Serialize for Rogue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 < 2 {
            let mut seq = serializer.serialize_seq(None)?;
            let _ = seq.serialize_element(&Fails);
            return if self.0 == 0 { seq.end() } else { Err(S::Error::custom("told")) };
        }
        let mut map = serializer.serialize_map(None)?;
        match self.0 {
            2 => map.serialize_value(&1)?,
            3 => map.serialize_key("k")?,
            4 => {
                map.serialize_key("k")?;
                map.serialize_key("l")?;
                map.serialize_value(&1)?;
            }
            5 => drop(map.serialize_key(&Fails)),
            _ => drop(map.serialize_entry("k", &Fails)),
        }
        map.end()
    }
}

#[test]
fn a_serialize_that_breaks_the_rules_or_hides_an_error_is_an_error() {
    for rogue in 0..=6 {
        let error = written(Rogue(rogue)).unwrap_err();
        assert!(matches!(error.fault(), EncodeFault::NotJson { .. }), "{rogue}: {error}");
        assert!(written(Data::None).is_ok(), "and the next event is as if nothing had been");
    }
}

#[test]
fn a_display_that_fails_is_an_error() {
    struct Silent;
    impl std::fmt::Display for Silent {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("half")?;
            Err(std::fmt::Error)
        }
    }
    impl Serialize for Silent {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }
    let error = written(Silent).unwrap_err();
    assert!(error.to_string().ends_with("its Display fails"), "{error}");
}
