//! `docs/derive.md`: every example compiles (the build script makes modules of them) and gives the JSON that stands below
//! it. `DOCS=overwrite` writes the JSON anew.
// Fields that are redacted or skipped are never read; variants are there to be seen.
#![allow(dead_code)]
// `with` calls its function with a reference, also to what is small.
#![allow(clippy::trivially_copy_pass_by_ref)]

use std::iter;
use std::path::Path;

use audit_core::{AccountId, Context, EncodeError, Entry, Identity};

type Encode = fn(&Context) -> Result<Entry, EncodeError>;

include!(concat!(env!("OUT_DIR"), "/docs_examples.rs"));

/// What the page leaves out where it is so.
const ALIKE: [&str; 5] = [
    r#""version": "1.0""#,
    r#""eventSource": "shop.example.com""#,
    r#""recipientAccountId": "123456789012""#,
    r#""eventTime": "2026-11-21T10:15:30Z""#,
    r#""userIdentity": {"type": "Service", "principalId": "shop"}"#,
];

/// The members of an object, each with a space behind its colons and commas.
fn members(json: &str) -> Vec<String> {
    let (mut members, mut depth, mut text, mut escaped) = (vec![String::new()], 0, false, false);
    for letter in json.chars() {
        if text {
            text = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
        } else {
            match letter {
                '"' => text = true,
                '{' | '[' => depth += 1,
                '}' | ']' => depth -= 1,
                _ => {}
            }
            if depth == 1 && letter == ',' {
                members.push(String::new());
                continue;
            }
            if (depth == 1 && letter == '{' && members == [""]) || depth == 0 {
                continue;
            }
        }
        let spaced = !text && matches!(letter, ':' | ',');
        members
            .last_mut()
            .into_iter()
            .for_each(|member| member.extend(iter::once(letter).chain(spaced.then_some(' '))));
    }
    members
}

/// The JSON as the page shows it.
fn shown(json: &str, full: bool) -> String {
    let kept = members(json).into_iter().filter(|member| full || !ALIKE.contains(&member.as_str()));
    let lines: Vec<_> = kept.map(|member| format!("  {}", without_new_id(&member))).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

/// A generated id is another one each time.
fn without_new_id(member: &str) -> String {
    let is_new = |id: &str| id.len() == 36 && id.as_bytes()[14] == b'7';
    match member.strip_prefix("\"UID\": \"").and_then(|rest| rest.strip_suffix('"')) {
        Some(id) if is_new(id) => r#""UID": "<a new UUIDv7>""#.to_owned(),
        _ => member.to_owned(),
    }
}

#[test]
fn every_example_gives_the_json_that_the_page_shows() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/derive.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let context = Context::new(AccountId::from_static("123456789012"))
        .identity(&Identity::new("Service", "shop").unwrap())
        .hmac_key("2026a", b"key")
        .time(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_256_130));
    let mut written = String::new();
    let mut parts = page.split("```json");
    written += parts.next().unwrap();
    let mut seen = 0;
    for (part, encode) in parts.zip(EXAMPLES) {
        let (kind, rest) = part.split_once('\n').unwrap();
        let (expected, after) = rest.split_once("```").unwrap();
        let entry = encode(&context).unwrap();
        let actual = shown(entry.event_data(), kind.contains("full"));
        if std::env::var_os("DOCS").is_none() {
            assert_eq!(expected, actual, "example {seen}");
        }
        written.extend(["```json", kind, "\n", &actual, "```", after]);
        seen += 1;
    }
    assert_eq!(seen, EXAMPLES.len(), "each example is followed by its JSON");
    assert!(seen > 25, "only {seen} examples found");
    if std::env::var_os("DOCS").is_some() {
        std::fs::write(&path, written).unwrap();
    }
}
