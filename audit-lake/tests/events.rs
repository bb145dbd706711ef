//! `audit-lake events`: what it shows, and in which forms.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

mod serving;
mod signed_http;

use serving::{CONFIG, Place, Serving, channel, text};
use signed_http::{entry, event_data};

/// Another channel of the same account.
const TWO_CHANNELS: &str = "[[channel]]\narn = \"arn:aws:cloudtrail:eu-west-1:123456789012:channel/logins\"\n";

async fn send(serving: &Serving, channel_id: &str, id: &str, changes: Value) {
    let mut event: Value = serde_json::from_str(&event_data(id, &channel())).expect("JSON");
    for (field, value) in changes.as_object().expect("an object") {
        event[field] = value.clone();
    }
    let call = serving.call("AKIDEXAMPLE", id).query(&format!("channelArn={channel_id}"));
    let answer = call.entries(&[entry(id, &event.to_string())]).send().await;
    assert_eq!(answer.body["failed"], json!([]), "{answer:?}");
}

/// A lake with one event of each kind, which still serves.
async fn some_events() -> (Place, Serving) {
    let place = Place::new(&format!("{CONFIG}{TWO_CHANNELS}"));
    let serving = place.serve();
    send(&serving, "orders", "a", json!({ "eventTime": "2026-11-18T23:59:59Z" })).await;
    let denied = json!({ "eventTime": "2026-11-19T00:00:00Z", "errorCode": "AccessDenied", "errorMessage": "no, \"never\"",
        "sourceIPAddress": "203.0.113.7" });
    send(&serving, "orders", "b", denied).await;
    send(&serving, "logins", "c", json!({ "errorMessage": "wrong password", "sourceIPAddress": "2001:DB8::1" })).await;
    send(&serving, "logins", "d", json!({ "errorCode": "", "sourceIPAddress": "::ffff:203.0.113.7" })).await;
    let formula = json!({ "eventName": "=cmd|' /C calc'!A0", "userAgent": "@SUM(1,2)", "errorCode": "-1\u{202E}",
        "userIdentity": { "type": "Staff", "principalId": "a;b,\"c\"" } });
    send(&serving, "orders", "-e", formula).await;
    (place, serving)
}

fn shown(place: &Place, arguments: &[&str]) -> String {
    let output = place.command(&[&["events"], arguments].concat());
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    text(&output.stdout)
}

/// The ids of what is shown, without what follows their first character that is no dash.
fn ids(place: &Place, arguments: &[&str]) -> String {
    let shown = shown(place, &[&["--json"], arguments].concat());
    let id = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["entry"]["id"].as_str().map(str::to_owned);
    shown.lines().filter_map(id).collect()
}

#[tokio::test]
async fn each_filter_holds_beside_the_others_and_beside_the_running_service() {
    let (place, _serving) = some_events().await;
    for (arguments, found) in [
        (&[][..], "abcd-e"),
        (&["--failed"], "bc-e"),
        (&["--ip", "203.0.113.7"], "bd"),
        (&["--ip", "::ffff:203.0.113.7"], "bd"),
        (&["--ip", "2001:db8:0::1"], "c"),
        (&["--ip", "2001:db8::2"], ""),
        (&["--channel", "logins"], "cd"),
        (&["--channel", "arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders"], "ab-e"),
        (&["--channel", "login"], ""),
        (&["--channel", "%"], ""),
        (&["--since", "2026-11-19"], "bcd-e"),
        (&["--until", "2026-11-19"], "a"),
        (&["--since", "2026-11-19", "--until", "2026-11-20"], "b"),
        (&["--since", "1000000d"], "abcd-e"),
        (&["--until", "1000000d"], ""),
        (&["--failed", "--limit", "2"], "c-e"),
        (&["--failed", "--limit", "0"], ""),
        (&["--failed", "--limit", "9"], "bc-e"),
        (&["--failed", "--channel", "orders", "--principal", "alice@example.com", "--limit", "2"], "b"),
        (
            &[
                "--failed",
                "--ip",
                "203.0.113.7",
                "--channel",
                "orders",
                "--since",
                "2026-11-19",
                "--source",
                "orders.example.com",
            ],
            "b",
        ),
        (&["--failed", "--ip", "203.0.113.7", "--channel", "logins"], ""),
        (&["--id=-e", "--failed"], "-e"),
    ] {
        assert_eq!(ids(&place, arguments), found, "{arguments:?}");
    }
}

#[tokio::test]
async fn the_table_has_a_column_for_the_outcome() {
    let (place, serving) = some_events().await;
    let table = shown(&place, &[]);
    let at = table.find("outcome").expect("a column");
    let outcomes = |table: &str| -> Vec<String> {
        table.lines().skip(1).map(|line| line[at..].split("  ").next().unwrap_or_default().trim().to_owned()).collect()
    };
    let expected = ["success", "failure: AccessDenied", "failure", "success", "failure: -1\\u{202e}"];
    assert_eq!(outcomes(&table), expected, "{table}");
    assert!(serving.stop().0.success());

    let database = rusqlite::Connection::open(place.data().join("lake.db")).expect("the database");
    database.execute("UPDATE events SET event_data = '{}' WHERE id = 'b'", []).expect("changed");
    assert_eq!(outcomes(&shown(&place, &[]))[1], "unreadable");
    assert_eq!(ids(&place, &["--failed"]), "c-e");
}

#[tokio::test]
async fn csv_has_a_header_and_no_formula() {
    let (place, _serving) = some_events().await;
    let shown = shown(&place, &["--csv"]);
    let lines: Vec<&str> = shown.split_terminator("\r\n").collect();
    assert_eq!(
        lines[0],
        "eventTime,eventSource,eventName,outcome,errorCode,errorMessage,userIdentity.type,userIdentity.principalId,\
         sourceIPAddress,userAgent,recipientAccountId,channelARN,ingestionTime,eventID,UID,id"
    );
    let begins = "2026-11-19T00:00:00Z,orders.example.com,RefundIssued,failure,AccessDenied,\"no, \"\"never\"\"\",Staff,\
                  alice@example.com,203.0.113.7,,123456789012,arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders,20";
    assert!(lines[2].starts_with(begins), "{}", lines[2]);
    assert!(lines[3].contains(",failure,,wrong password,") && lines[4].contains(",success,,,"), "{shown}");
    let begins = "2026-11-21T10:15:30Z,orders.example.com,'=cmd|' /C calc'!A0,failure,'-1\\u{202e},,Staff,\
                  \"a;b,\"\"c\"\"\",,\"'@SUM(1,2)\",";
    assert!(lines[5].starts_with(begins) && lines[5].ends_with(",'-e,'-e"), "{}", lines[5]);
    assert_eq!(lines.len(), 6);
}

#[test]
fn a_wrong_argument_is_answered_with_the_forms_there_are() {
    let place = Place::new(CONFIG);
    for (arguments, needed) in [
        (&["--since", "yesterday"][..], &["yesterday", "2026-11-19", "2026-11-19T10:15:30Z", "7d, 12h, 30m"][..]),
        (&["--until", "2026-02-29"], &["2026-02-29", "2026-11-19T10:15:30Z", "7d, 12h, 30m"]),
        (&["--ip", "203.0.113"], &["203.0.113", "IP address"]),
        (&["--csv", "--json"], &["--csv", "--json"]),
    ] {
        let output = place.command(&[&["events"], arguments].concat());
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        for needed in needed {
            assert!(text(&output.stderr).contains(needed), "{needed}: {output:?}");
        }
    }
}

#[tokio::test]
async fn a_pipe_that_its_reader_closed_ends_it_without_a_word() {
    let (place, _serving) = some_events().await;
    for form in [&[][..], &["--csv"], &["--json"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_audit-lake"))
            .arg("events")
            .args(form)
            .arg("--data")
            .arg(place.data())
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .expect("it runs");
        assert!(output.status.success() && output.stderr.is_empty(), "{form:?}: {output:?}");
    }
}
