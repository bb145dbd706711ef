//! The macro's own reading of the contract, held against `audit_core`'s.

use audit_core::Entry;
use proc_macro2::{TokenStream, TokenTree};
use proptest::prelude::*;
use quote::quote;

use super::entry;
use crate::expand::tests::messages;

/// What `entry!` makes of an event: its JSON, or what is wrong with it.
fn expand(id: &str, event: &str) -> Result<String, Vec<String>> {
    let event: TokenStream = event.parse().unwrap();
    let code = entry(quote!((::audit_core::__) #id, #event));
    let errors = all_messages(code.clone());
    if !errors.is_empty() {
        return Err(errors);
    }
    let Some(TokenTree::Group(arguments)) = code.into_iter().last() else { panic!("no call") };
    let (_, json): (syn::LitStr, syn::LitStr) = syn::parse::Parser::parse2(
        |input: syn::parse::ParseStream<'_>| {
            let id = input.parse()?;
            input.parse::<syn::Token![,]>()?;
            let json = input.parse()?;
            input.parse::<TokenStream>()?;
            Ok((id, json))
        },
        arguments.stream(),
    )
    .unwrap();
    Ok(json.value())
}

/// Also those within the block of a failed expansion.
fn all_messages(code: TokenStream) -> Vec<String> {
    let mut found = messages(code.clone());
    for token in code {
        if let TokenTree::Group(group) = token {
            found.extend(messages(group.stream()));
        }
    }
    found
}

const RIGHT: &str = r#"{
    "version": "1.0", "userIdentity": { "type": "Staff", "principalId": "alice", "details": { "mfa": true } },
    "eventSource": "a.example.com", "eventName": "N", "eventTime": "2026-11-21T10:15:30Z", "UID": "u/1 \u{1F600}\n\"",
    "requestParameters": { "a": [1, -2.5e3, 0, null, {}, []], "b": "\u{0}\u{2028}" }, "recipientAccountId": "123456789012",
}"#;

#[test]
fn a_right_event_is_what_audit_core_takes() {
    let json = expand("id", RIGHT).unwrap();
    let entry = Entry::parse("id", &json).unwrap();
    assert_eq!(entry.event_data(), json);
    assert!(json.contains(r#""UID":"u/1 😀\n\"","requestParameters":{"a":[1,-2.5e3,0,null,{},[]],"b":"\u0000"#));
}

#[test]
fn an_id_comes_from_uid_as_audit_core_derives_it() {
    let long = ["a".repeat(128), "a".repeat(129)];
    for uid in ["u-1_Z", "order 17/3", "größe", "a.b", "é", &long[0], &long[1]] {
        assert_eq!(super::derive_id(uid), audit_core::EventId::derive(uid).as_str(), "{uid}");
    }
    let event: TokenStream = RIGHT.parse().unwrap();
    let code = entry(quote!((::audit_core::__) #event)).to_string();
    let id = audit_core::EventId::derive("u/1 😀\n\"");
    assert!(code.contains(&format!("\"{id}\"")), "{code}");
}

proptest! {
    #[test]
    fn any_uid_gives_the_id_that_audit_core_derives(uid in "[-_A-Za-z0-9]{0,140}|.{0,40}") {
        prop_assert_eq!(super::derive_id(&uid), audit_core::EventId::derive(&uid).as_str().to_owned());
    }
}

#[test]
fn each_mistake_is_told_and_all_of_them_at_once() {
    let errors = expand(
        "a b",
        r#"{ "version": 1, "userIdentity": { "typ": "Staff" }, "eventTim": "now", "UID": "", "sourceIPAddress": "x",
            "requestParameters": [], userAgent: "x", "b" "c", "eventName": 'c', "eventSource": x, "recipientAccountId": "1", "recipientAccountId": "2" }"#,
    )
    .unwrap_err();
    let expected = [
        "' ' cannot stand in an entry's id",
        "a key is a string: `\"userAgent\"`",
        "a key is followed by a colon",
        "JSON has strings in double quotes and numbers",
        "a JSON value is expected here",
        "the key \"recipientAccountId\" stands here first",
        "the key \"recipientAccountId\" stands twice",
        "`version` is a number; it must be a string",
        "`userIdentity.typ` is not a field of the schema: did you mean `type`?",
        "`userIdentity.principalId` is missing",
        "`eventTim` is not a field of the schema: did you mean `eventTime`?",
        "`UID` is empty",
        "`sourceIPAddress` is an IPv4 or IPv6 address",
        "`requestParameters` is an array; it must be an object",
        "`recipientAccountId` is the 12 digits",
        "`recipientAccountId` is the 12 digits",
    ];
    for (error, expected) in errors.iter().zip(expected) {
        assert!(error.starts_with(expected), "{error}\n{expected}");
    }
    // What could not be read is not called missing in addition.
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
}

#[test]
fn numbers_are_those_of_json() {
    let number = |digits: &str| expand("id", &RIGHT.replace("-2.5e3", digits));
    for (digits, json) in [
        ("0xff", "255"),
        ("1_000", "1000"),
        ("-0", "-0"),
        ("1e5", "1e5"),
        ("340282366920938463463374607431768211455", "340282366920938463463374607431768211455"),
    ] {
        assert!(number(digits).unwrap().contains(&format!("[1,{json},0")), "{digits}");
    }
    for wrong in ["1u8", "1.0f64", "1.", "1e999", "--1", "-\"a\"", "+1", "1 2", "inf", "'1'", "b\"a\""] {
        assert!(number(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn nesting_ends_where_that_of_audit_core_ends() {
    let nested = |levels: usize| RIGHT.replace("-2.5e3", &format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    // The event, its requestParameters and the array around make three.
    let json = expand("id", &nested(97)).unwrap();
    assert!(Entry::parse("id", &json).is_ok());
    assert_eq!(expand("id", &nested(98)).unwrap_err().len(), 1);
    assert!(Entry::parse("id", &json.replace("[[", "[[[").replace("]]", "]]]")).is_err());
}

/// The tokens of a JSON value.
fn tokens(value: &serde_json::Value) -> TokenStream {
    match value {
        serde_json::Value::String(text) => quote!(#text),
        serde_json::Value::Array(items) => {
            let items = items.iter().map(tokens);
            quote!([#(#items),*])
        }
        serde_json::Value::Object(members) => {
            let members = members.iter().map(|(key, value)| {
                let value = tokens(value);
                quote!(#key: #value)
            });
            quote!({#(#members),*})
        }
        other => other.to_string().parse().unwrap(),
    }
}

/// A value for a field: mostly right, at times of the wrong kind or length.
fn value_for(field: &'static str) -> BoxedStrategy<Option<serde_json::Value>> {
    use serde_json::json;
    let text = |limit: usize| {
        prop_oneof![
            6 => "[a-zé\\n]{1,8}".prop_map(|text| Some(json!(text))),
            1 => Just(Some(json!("é".repeat(limit)))),
            1 => Just(Some(json!("é".repeat(limit + 1)))),
            1 => Just(Some(json!(""))),
            1 => Just(None),
            1 => Just(Some(json!(7))),
        ]
        .boxed()
    };
    let object = |limit: usize| {
        // {"a":"…"} is 8 bytes and the text.
        prop_oneof![
            4 => Just(Some(json!({"a": [1, {"b": null}], "c": -0.5}))),
            1 => Just(Some(json!({"a": "x".repeat(limit - 8)}))),
            1 => Just(Some(json!({"a": "x".repeat(limit - 7)}))),
            2 => Just(None),
            1 => Just(Some(json!([]))),
        ]
        .boxed()
    };
    match field {
        "version" | "errorCode" | "errorMessage" => text(256),
        "type" => text(128),
        "requestParameters" | "responseElements" => object(100_000),
        "additionalEventData" => object(28_000),
        "eventTime" => prop_oneof![
            6 => "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z".prop_map(|text| Some(json!(text))),
            6 => Just(Some(json!("2024-02-29T23:59:59Z"))),
            1 => Just(Some(json!("2026-11-21T10:15:30"))),
            1 => Just(Some(json!("2026-11-21t10:15:30Z"))),
        ]
        .boxed(),
        "sourceIPAddress" => prop_oneof![
            3 => Just(Some(json!("203.0.113.7"))), 2 => Just(Some(json!("2001:db8::1"))), 2 => Just(None),
            1 => Just(Some(json!("203.0.113.07"))), 1 => Just(Some(json!("")))
        ]
        .boxed(),
        "recipientAccountId" => prop_oneof![
            6 => Just(Some(json!("123456789012"))), 1 => Just(Some(json!("12345678901"))), 1 => Just(Some(json!("12345678901x")))
        ]
        .boxed(),
        _ => text(1_024),
    }
}

prop_compose! {
    fn event()(
        fields in [
            "version", "eventSource", "eventName", "eventTime", "UID", "requestParameters", "responseElements", "errorCode",
            "errorMessage", "sourceIPAddress", "recipientAccountId", "additionalEventData", "userAgent",
        ].map(|field| value_for(field).prop_map(move |value| (field, value))),
        identity in ["type", "principalId"].map(|field| value_for(field).prop_map(move |value| (field, value))),
        unknown in prop_oneof![9 => Just(None), 1 => Just(Some("eventID"))],
    ) -> serde_json::Value {
        let object = |fields: &[(&'static str, Option<serde_json::Value>)]| -> serde_json::Map<_, _> {
            fields.iter().filter_map(|(key, value)| Some(((*key).to_owned(), value.clone()?))).collect()
        };
        let mut event = object(&fields);
        event.insert("userIdentity".to_owned(), object(&identity).into());
        event.extend(unknown.map(|key| (key.to_owned(), 1.into())));
        event.into()
    }
}

proptest! {
    #[test]
    fn the_macro_takes_what_audit_core_takes_and_nothing_else(event in event()) {
        let json = event.to_string();
        let ours = expand("id", &tokens(&event).to_string());
        let theirs = Entry::parse("id", &json);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}\n{:?}", ours, theirs);
        if let Ok(ours) = ours {
            prop_assert_eq!(ours, json);
        }
    }

    #[test]
    fn a_time_is_one_where_audit_core_sees_one(text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z?") {
        let theirs = audit_core::EventTime::try_from(text.as_str()).is_ok() && text.ends_with('Z');
        prop_assert_eq!(super::time::is_utc(&text), theirs);
    }

    #[test]
    fn an_id_is_one_where_audit_core_sees_one(id in "[-_A-Za-z0-9é /]{0,4}|[a-z]{127,129}") {
        prop_assert_eq!(expand(&id, RIGHT).is_ok(), audit_core::EventId::try_from(id.as_str()).is_ok());
    }
}
