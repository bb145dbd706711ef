//! Checks `docs/lake.md`: its configuration, its commands, its SQL, and the names of what is counted.
//! (Its program in Rust is a doc test.)

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use audit_lake::{Lake, LakeConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

mod serving;
mod signed_http;

use serving::{CONFIG, Place, text};
use signed_http::{Call, entry, event_data};

const PAGE: &str = include_str!("../../docs/lake.md");

/// The blocks of one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    let found: Vec<&str> =
        PAGE.split(opening.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    assert!(!found.is_empty(), "the page has no {language}");
    found
}

/// What stands between backticks in the page's tables and text, and begins with a prefix.
fn names(beginning: &str) -> BTreeSet<&'static str> {
    let within = |line: &'static str| line.split('`').skip(1).step_by(2);
    PAGE.lines().flat_map(within).filter(|name| name.starts_with(beginning)).collect()
}

#[test]
fn the_configuration_shown_is_good_and_has_every_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
    for file in ["certificate.pem", "key.pem"] {
        fs::copy(here.join(file), folder.path().join(file)).expect("copied");
    }
    let path = folder.path().join("lake.toml");
    for shown in blocks("toml") {
        fs::write(&path, shown).expect("written");
        LakeConfig::load(&path).unwrap_or_else(|error| panic!("{error}"));
    }
    // A key that is not known is answered with those that are: asked for a wrong one in each table, every key is named.
    let mut asked = String::new();
    for line in blocks("toml")[0].lines() {
        asked.extend([line, "\n"]);
        if line.starts_with('[') {
            asked.push_str("unknown_unknown = 1\n");
        }
    }
    let told = LakeConfig::parse(&format!("unknown_unknown = 1\n{asked}")).expect_err("unknown keys").to_string();
    let mut tables = 0;
    for keys in told.lines().filter_map(|line| line.split_once("it may hold ").map(|(_, keys)| keys)) {
        tables += 1;
        for key in keys.split(", ") {
            let key = key.trim();
            assert!(blocks("toml")[0].contains(key), "the page does not show `{key}`");
        }
    }
    assert_eq!(tables, 9, "{told}");
}

#[test]
fn the_commands_shown_are_those_that_there_are() {
    let place = Place::new(CONFIG);
    let help = |command: &str| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_audit-lake")).args([command, "--help"]).output();
        text(&output.expect("it runs").stdout)
    };
    let flags = |text: &str| -> BTreeSet<String> {
        let flag = |word: &str| word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-').to_owned();
        text.split_whitespace().map(flag).filter(|word| word.starts_with("--") && word != "--help").collect()
    };
    let mut commands = BTreeSet::new();
    for row in PAGE.lines().filter_map(|line| line.strip_prefix("| `")) {
        let Some((usage, _)) = row.split_once('`') else { continue };
        let command = usage.split(' ').next().unwrap_or_default();
        if !usage.contains(" --") {
            continue;
        }
        commands.insert(command);
        assert_eq!(flags(usage), flags(&help(command)), "{command}");
    }
    assert_eq!(commands, BTreeSet::from(["backup", "check-config", "events", "prune", "serve", "verify"]));
    // And they run: without a database, `events` says so.
    let output = place.command(&["events"]);
    assert!(text(&output.stderr).contains("there is no lake"), "{output:?}");
}

/// A text with zeros for what differs between two runs: the digits of UUIDs, and the ingestion time behind a channel's ARN.
fn without_chance(text: &str) -> String {
    let mut masked = text.to_owned();
    for (at, _) in text.match_indices("-4").filter(|(at, _)| *at >= 13) {
        let Some(candidate) = text.get(at - 13..at + 23) else { continue };
        let parts: Vec<usize> = candidate.split('-').map(str::len).collect();
        if parts == [8, 4, 4, 4, 12] && candidate.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()) {
            masked.replace_range(at - 13..at + 23, "00000000-0000-0000-0000-000000000000");
        }
    }
    let ingested = |line: &str| match line.split_once("channel/orders,") {
        Some((before, after)) => {
            format!("{before}channel/orders,{}", after.split_once(',').map_or("", |(_, after)| after))
        }
        None => line.to_owned(),
    };
    masked.lines().map(ingested).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_events_shown_are_what_the_program_writes() {
    let place = Place::new(CONFIG);
    let serving = place.serve();
    let event = |id: &str, changes: serde_json::Value| {
        let mut event: serde_json::Value = serde_json::from_str(&event_data(id, &serving::channel())).expect("JSON");
        for (field, value) in changes.as_object().expect("an object") {
            event[field] = value.clone();
        }
        entry(id, &event.to_string())
    };
    let entries = [
        event(
            "refund-7301",
            serde_json::json!({ "eventTime": "2026-11-20T09:12:03Z", "sourceIPAddress": "198.51.100.23" }),
        ),
        event(
            "refund-7302",
            serde_json::json!({
                "errorCode": "AccessDenied", "errorMessage": "not in the group \"refunds\"", "sourceIPAddress": "203.0.113.7"
            }),
        ),
        event(
            "login-9981",
            serde_json::json!({
                "eventTime": "2026-11-21T10:16:02Z", "eventName": "LoginFailed", "errorCode": "WrongPassword",
                "sourceIPAddress": "203.0.113.7", "userAgent": "curl/8.5.0",
                "userIdentity": { "type": "Anonymous", "principalId": "=1+1" },
            }),
        ),
    ];
    let call = serving.call("AKIDEXAMPLE", "").entries(&entries);
    assert_eq!(call.send().await.body["failed"], serde_json::json!([]));
    let mut commands = 0;
    let blocks = blocks("console");
    for shown in blocks.iter().flat_map(|block| block.split("$ audit-lake ").skip(1)) {
        let (command, shown) = shown.split_once('\n').expect("an output");
        let arguments: Vec<&str> =
            command.split(' ').filter(|word| !matches!(*word, "--data" | "/var/lib/lake")).collect();
        let written = text(&place.command(&arguments).stdout);
        assert_eq!(without_chance(shown), without_chance(&written), "{command}; it writes\n{written}");
        commands += 1;
    }
    assert_eq!(commands, 2);
}

#[tokio::test]
async fn the_sql_shown_runs_and_gives_the_record_and_the_data() {
    let lake = Lake::builder().start().await.expect("a lake");
    let data = event_data("e1", lake.channel_arn());
    assert_eq!(Call::to(&lake).entries(&[entry("e1", &data)]).send().await.status, 200);
    let database = rusqlite::Connection::open(lake.data_dir().join("lake.db")).expect("a connection");
    let queries: Vec<&str> = blocks("sh")
        .into_iter()
        .flat_map(str::lines)
        .filter(|line| line.starts_with("sqlite3 lake.db"))
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    let results: Vec<String> = queries
        .iter()
        .map(|query| database.query_row(query, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{query}: {error}")))
        .collect();
    assert_eq!(results.len(), 2);
    let record: serde_json::Value = serde_json::from_str(&results[0]).expect("a record");
    assert_eq!(record["eventData"]["UID"], "e1");
    assert_eq!(results[1], data);
}

#[tokio::test]
async fn the_metrics_named_are_those_that_there_are() {
    let channel = serving::channel();
    let config = {
        let mut made = LakeConfig::default();
        made.admin = Some(([127, 0, 0, 1], 0).into());
        made
    };
    let account = channel.account();
    let lake = Lake::builder().config(config).channel(channel).access_key(account, "AKID", "secret").start().await;
    let lake = lake.expect("a lake");
    // What is counted by code is there from the first of a code on.
    let data = event_data("e1", lake.channel_arn());
    assert_eq!(Call::to(&lake).entries(&[entry("e1", &data)]).send().await.status, 200);
    let address = lake.admin_address().expect("an admin address");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let request = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.expect("written");
    let mut metrics = String::new();
    stream.read_to_string(&mut metrics).await.expect("text");
    let there: BTreeSet<&str> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split(' ').next())
        .collect();
    let named: BTreeSet<&str> = names("audit_lake_")
        .into_iter()
        .map(|name| name.split('{').next().unwrap_or(name))
        .map(|name| name.strip_suffix("_total").unwrap_or(name))
        .collect();
    assert_eq!(named, there);
}
