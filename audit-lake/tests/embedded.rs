//! A lake inside a program, spoken to over its socket by a signer that this crate did not write.

use audit_core::{ChannelArn, Checksum};
use audit_lake::{ChannelConfig, Lake, LakeConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

mod signed_http;

use signed_http::{Call, entry, event_data};

/// How long to wait for what must happen, before a test fails rather than hangs.
const A_LONG_TIME: std::time::Duration = std::time::Duration::from_mins(1);

#[tokio::test]
async fn a_lake_with_all_defaults_takes_an_event_and_shows_it_byte_for_byte() {
    let lake = Lake::builder().start().await.expect("a lake");
    let data = event_data("e1", lake.channel_arn());
    let answer = Call::to(&lake).entries(&[entry("e1", &data)]).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["failed"], serde_json::json!([]));
    let event_id = answer.body["successful"][0]["eventID"].as_str().expect("an eventID").to_owned();

    let events = lake.events().await.expect("events");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event_id, event_id);
    assert_eq!(events[0].event_data, data);
    assert_eq!(events[0].checksum, Checksum::of(data.as_bytes()));
    let record = events[0].record();
    assert_eq!(record["eventCategory"], "ActivityAuditLog");
    assert_eq!(record["metadata"]["channelARN"], lake.channel_arn().as_str());
    assert_eq!(record["eventData"]["UID"], "e1");
    lake.shutdown().await;
}

#[tokio::test]
async fn the_same_entry_twice_gets_its_first_event_id_and_other_data_is_refused() {
    let lake = Lake::builder().start().await.expect("a lake");
    let data = event_data("e1", lake.channel_arn());
    let first = Call::to(&lake).entries(&[entry("e1", &data)]).send().await;
    let second = Call::to(&lake).entries(&[entry("e1", &data)]).send().await;
    assert_eq!(first.body["successful"], second.body["successful"]);

    let other = data.replace("RefundIssued", "RefundTaken");
    let third = Call::to(&lake).entries(&[entry("e1", &other)]).send().await;
    assert_eq!(third.body["failed"][0]["errorCode"], "InvalidData");
    assert_eq!(lake.events().await.expect("events").len(), 1);
}

#[tokio::test]
async fn two_sources_of_a_channel_may_use_one_id() {
    let lake = Lake::builder().start().await.expect("a lake");
    let data = event_data("1", lake.channel_arn());
    let other = data.replace("orders.example.com", "payments.example.com");
    assert_ne!(data, other);
    let first = Call::to(&lake).entries(&[entry("1", &data)]).send().await;
    let second = Call::to(&lake).entries(&[entry("1", &other)]).send().await;
    assert_ne!(first.body["successful"][0]["eventID"], second.body["successful"][0]["eventID"]);
    for (data, answer) in [(&data, first), (&other, second)] {
        let again = Call::to(&lake).entries(&[entry("1", data)]).send().await;
        assert_eq!(again.body["successful"], answer.body["successful"]);
    }
    let both = Call::to(&lake).entries(&[entry("1", &data), entry("1", &other)]).send().await;
    assert_eq!(both.error_type(), "DuplicatedAuditEventId");
    assert_eq!(lake.events().await.expect("events").len(), 2);
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_stores_nothing() {
    let lake = Lake::builder().start().await.expect("a lake");
    let data = event_data("e1", lake.channel_arn());
    let answer = Call::to(&lake).secret("not the secret").entries(&[entry("e1", &data)]).send().await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.error_type(), "InvalidSignatureException");
    assert!(answer.header("x-amzn-requestid").is_some());
    assert!(lake.events().await.expect("events").is_empty());
}

#[tokio::test]
async fn one_bad_entry_does_not_fail_the_others() {
    let lake = Lake::builder().start().await.expect("a lake");
    let good = event_data("good", lake.channel_arn());
    let answer = Call::to(&lake).entries(&[entry("bad", "[]"), entry("good", &good), entry("empty", "")]).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["successful"][0]["id"], "good");
    let failed: Vec<_> = answer.body["failed"].as_array().expect("a list").iter().collect();
    assert_eq!((&failed[0]["id"], &failed[0]["errorCode"]), (&"bad".into(), &"InvalidData".into()));
    assert_eq!((&failed[1]["id"], &failed[1]["errorCode"]), (&"empty".into(), &"FieldNotFound".into()));
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let channel = ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders");
    let start = || Lake::builder().data_dir(folder.path()).channel(channel.clone()).start();
    let lake = start().await.expect("a lake");
    let data = event_data("e1", &channel);
    let first = Call::to(&lake).entries(&[entry("e1", &data)]).send().await;
    lake.shutdown().await;

    let lake = start().await.expect("the same lake");
    let second = Call::to(&lake).entries(&[entry("e1", &data)]).send().await;
    assert_eq!(first.body, second.body);
    assert_eq!(lake.events().await.expect("events").len(), 1);
}

#[tokio::test]
async fn retention_that_is_set_anew_deletes_what_is_too_old_by_event_time_and_counts_it() {
    let channel = ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders");
    let admin = Some(([127, 0, 0, 1], 0).into());
    let mut config = {
        let mut made = LakeConfig::default();
        made.admin = admin;
        made
    };
    config.channels.push(ChannelConfig::new(channel.clone()));
    let lake = Lake::builder().config(config.clone()).access_key(channel.account(), "AKID", "secret").start().await;
    let lake = lake.expect("a lake");
    let old = event_data("old", &channel).replace("2026-11-21", "2001-01-01");
    let new = event_data("new", &channel).replace("2026-11-21", "9000-01-01");
    let answer = Call::to(&lake).entries(&[entry("old", &old), entry("new", &new)]).send().await;
    assert_eq!(answer.body["successful"].as_array().map(Vec::len), Some(2), "{answer:?}");
    assert_eq!(lake.events().await.expect("events").len(), 2, "without retention both stay");

    config.retention = Some(std::time::Duration::from_hours(24));
    lake.reload(&config).expect("reloaded");
    // Deleting goes on beside this; the store itself says what is left in the end.
    let left = async {
        loop {
            let events = lake.events().await.expect("events");
            if events.len() < 2 {
                break events;
            }
        }
    };
    let left = tokio::time::timeout(A_LONG_TIME, left).await.expect("something is deleted");
    assert_eq!(left.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), ["new"]);
    let address = lake.admin_address().expect("an admin address").to_string();
    let count = async {
        loop {
            let mut stream = tokio::net::TcpStream::connect(&address).await.expect("a connection");
            let request = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
            stream.write_all(request).await.expect("written");
            let mut metrics = String::new();
            stream.read_to_string(&mut metrics).await.expect("text");
            // It is counted a moment after it is gone.
            let line =
                metrics.lines().find(|line| line.starts_with("audit_lake_pruned_events_total")).expect("a count");
            if !line.ends_with(" 0") {
                break line.to_owned();
            }
        }
    };
    let count = tokio::time::timeout(A_LONG_TIME, count).await.expect("what is deleted is counted");
    assert_eq!(count, "audit_lake_pruned_events_total 1");
}

#[tokio::test]
async fn an_error_says_its_own_part_and_names_its_cause_as_its_source() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a-file");
    std::fs::write(&file, "text").expect("written");
    let channel = ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders");
    let with = |change: &dyn Fn(&mut LakeConfig)| {
        let mut config = LakeConfig::default();
        let mut account = audit_lake::AccountConfig::new(channel.account());
        account.keys.push(audit_lake::KeyConfig::new("AKID", "secret"));
        config.accounts.push(account);
        config.channels.push(ChannelConfig::new(channel.clone()));
        change(&mut config);
        Lake::builder().config(config)
    };
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
    let (certificate, other_key) = (here.join("certificate.pem"), here.join("other-key.pem"));
    let tls = |certificate: &std::path::Path, key: &std::path::Path| {
        let tls = audit_lake::TlsConfig::new(certificate, key);
        with(&move |config| config.tls = Some(tls.clone()))
    };
    // Whether there is a cause, and a word of it.
    let errors: Vec<(audit_lake::LakeError, Option<&str>)> = vec![
        (with(&|_| ()).data_dir(&file).start().await.expect_err("a file"), Some("")),
        (
            tls(&folder.path().join("none"), &other_key).start().await.expect_err("no certificate"),
            Some("cannot be read: No such file"),
        ),
        (tls(&file, &other_key).start().await.expect_err("no certificate"), Some("holds no certificate")),
        (tls(&certificate, &file).start().await.expect_err("no key"), Some("holds no private key")),
        (tls(&certificate, &other_key).start().await.expect_err("another key"), Some("do not serve together: ")),
        (with(&|config| config.channels.clear()).start().await.expect_err("no channel"), None),
        (with(&|config| config.accounts.clear()).start().await.expect_err("no key"), None),
        (
            with(&|_| ()).listen("192.0.2.1:1".parse().expect("an address")).start().await.expect_err("not ours"),
            Some(""),
        ),
    ];
    let config = LakeConfig::load(folder.path().join("none")).expect_err("no file");
    let sources = |error: &(dyn std::error::Error + 'static)| {
        std::iter::successors(error.source(), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(config.mistakes().is_empty() && config.to_string().ends_with("none cannot be read"), "{config}");
    assert_eq!(sources(&config).len(), 1, "{config:?}");
    for (error, cause) in &errors {
        let own = error.to_string();
        let causes = sources(error);
        if let Some(cause) = cause {
            let chain = causes.join(": ");
            assert!(!causes.is_empty() && chain.contains(cause), "{own}: {causes:?}");
        } else {
            assert!(causes.is_empty(), "{own}: {causes:?}");
        }
        let mut before = own.clone();
        for cause in causes {
            assert!(!before.contains(&cause), "\"{before}\" repeats its cause \"{cause}\"");
            before = cause;
        }
    }
}
