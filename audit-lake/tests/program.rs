//! The program `audit-lake`: its commands, its signals, and what it says.

use std::fs;
use std::path::Path;
use std::process::Command;

mod serving;
mod signed_http;

use serving::{CONFIG, Place, text};
use signed_http::{entry, event_data, get};

#[tokio::test]
async fn it_serves_shows_verifies_and_backs_up() {
    let place = Place::new(CONFIG);
    let serving = place.serve();
    for id in ["e1", "e2"] {
        assert_eq!(serving.call("AKIDEXAMPLE", id).send().await.status, 200);
    }
    // While it serves.
    let shown = text(&place.command(&["events", "--json"]).stdout);
    let records: Vec<serde_json::Value> =
        shown.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect();
    assert_eq!(records.len(), 2);
    assert_eq!(records[1]["entry"]["id"], "e2");
    assert_eq!(records[1]["eventData"]["UID"], "e2");
    let table = text(&place.command(&["events", "--limit", "1"]).stdout);
    assert!(table.lines().count() == 2 && table.contains("RefundIssued"), "{table}");
    let none = text(&place.command(&["events", "--json", "--since", "2030-01-01T00:00:00Z"]).stdout);
    assert_eq!(none, "");
    for (flag, found, nothing) in [
        ("--since", "2026-11-21T10:15:30Z", "2026-11-21T10:15:31Z"),
        ("--until", "2026-11-21T10:15:31Z", "2026-11-21T10:15:30Z"),
        ("--source", "orders.example.com", "payments.example.com"),
        ("--name", "RefundIssued", "RefundTaken"),
        ("--principal", "alice@example.com", "mallory@example.com"),
        ("--id", "e1", "e3"),
        ("--limit", "1", "0"),
    ] {
        let lines = |value| text(&place.command(&["events", "--json", flag, value]).stdout).lines().count();
        let one = matches!(flag, "--id" | "--limit");
        assert_eq!((lines(found), lines(nothing)), (if one { 1 } else { 2 }, 0), "{flag}");
    }
    let verified = text(&place.command(&["verify"]).stdout);
    assert!(verified.contains("sound: 2 events"), "{verified}");
    let copy = place.0.path().join("copy.db");
    let backup = place.command(&["backup", "--to", copy.to_str().expect("text")]);
    assert!(backup.status.success() && copy.exists(), "{backup:?}");

    let (status, log) = serving.stop();
    assert!(status.success(), "{status}");
    assert!(log.contains("the lake is closed"), "{log}");
    assert!(!place.data().join("lake.db-wal").exists(), "closed, it leaves no log behind");

    let database = rusqlite::Connection::open(place.data().join("lake.db")).expect("the database");
    database.execute("UPDATE events SET event_data = '{}' WHERE id = 'e1'", []).expect("changed");
    let verified = place.command(&["verify"]);
    assert!(!verified.status.success());
    assert!(text(&verified.stdout).contains("id e1 does not have its checksum"), "{verified:?}");
    assert!(text(&verified.stderr).contains("backup"), "{verified:?}");
}

#[tokio::test]
async fn a_hang_up_reads_the_configuration_anew_and_a_wrong_one_changes_nothing() {
    let place = Place::new(CONFIG);
    let mut serving = place.serve();
    assert_eq!(serving.call("AKIDSECOND", "e1").send().await.error_type(), "UnrecognizedClientException");

    let second = CONFIG.replace(
        "[[channel]]",
        "[[account.key]]\nid = \"AKIDSECOND\"\nsecret = \"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\"\n[[channel]]",
    );
    fs::write(place.config(), &second).expect("written");
    serving.signal("-HUP");
    serving.await_log("read the configuration anew");
    assert_eq!(serving.call("AKIDSECOND", "e1").send().await.status, 200);

    fs::write(place.config(), "[[account]]\nsecret = \"wJalrXUtnFEMI\"").expect("written");
    serving.signal("-HUP");
    let line = serving.await_log("was not read anew");
    assert!(line.contains("3 mistakes") && line.contains("line 2") && !line.contains("wJalrXUtnFEMI"), "{line}");
    assert_eq!(serving.call("AKIDSECOND", "e2").send().await.status, 200);
    assert!(serving.stop().0.success());
}

#[tokio::test]
async fn a_setting_that_a_hang_up_cannot_change_is_logged_and_the_others_change() {
    let place = Place::new(CONFIG);
    let mut serving = place.serve();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
    for file in ["certificate.pem", "key.pem"] {
        fs::copy(here.join(file), place.0.path().join(file)).expect("copied");
    }
    let other = format!(
        "listen = '127.0.0.1:1'\n{}\n[tls]\ncertificate = 'certificate.pem'\nkey = 'key.pem'\n[limits]\nconnections = 7\n",
        CONFIG.replace("AKIDEXAMPLE", "AKIDOTHER")
    );
    fs::write(place.config(), other).expect("written");
    serving.signal("-HUP");
    // In this order, one line each, and no other between them.
    for setting in ["listen", "tls", "limits.connections"] {
        let line = serving.await_log("WARN");
        assert!(line.contains(&format!("setting=\"{setting}\"")) && line.contains("started again"), "{line}");
    }
    let line = serving.await_log("configuration");
    assert!(line.contains("read the configuration anew"), "{line}");
    assert_eq!(serving.call("AKIDOTHER", "e1").send().await.status, 200, "as before without TLS, and with the new key");

    fs::write(place.config(), CONFIG).expect("written");
    serving.signal("-HUP");
    serving.await_log("read the configuration anew");
    let (_, log) = serving.stop();
    assert!(!log.contains("WARN"), "what is as it was at the start needs no restart: {log}");
}

#[test]
fn a_second_one_in_the_same_folder_is_refused() {
    let place = Place::new(CONFIG);
    let _first = place.serve();
    let mut second = Command::new(env!("CARGO_BIN_EXE_audit-lake"));
    second
        .arg("serve")
        .arg("--config")
        .arg(place.config())
        .arg("--data")
        .arg(place.data())
        .args(["--listen", "127.0.0.1:0"]);
    let output = second.output().expect("it runs");
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("in use by another lake"), "{output:?}");
}

#[test]
fn check_config_reports_every_mistake_with_its_line_and_no_secret() {
    let good = Place::new(CONFIG).command(&["check-config"]);
    assert!(good.status.success() && text(&good.stdout).contains("accounts 1, keys 1, channels 1"), "{good:?}");

    let place = Place::new(
        r#"region = "EU WEST"
listen = "8787"
colour = "red"
[[account]]
id = "12345"
[[account.key]]
id = "wJalrXUtnFEMI/K7MDENG"
secret = "AKIDSWAPPED"
secret_env = "HOME"
[[account.key]]
id = "AKIDNOSECRET"
[[account]]
id = "222222222222"
event_per_second = 5
requests_per_second = 0
[[account.key]]
id = "AKIDFILE"
secret_file = "not-there"
expires = "tomorrow"
[[channel]]
arn = "arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders"
account = "222222222222"
sources = []
[[channel]]
arn = "arn:aws:s3:::bucket"
external_id = "x"
destination = "no"
[limits]
connections = 0
[retention]
[log]
format = "xml"
"#,
    );
    let output = place.command(&["check-config"]);
    assert!(!output.status.success());
    let told = text(&output.stderr);
    for (line, what) in [
        (1, "`region` must be"),
        (2, "`listen`"),
        (3, "no key `colour`"),
        (5, "account"),
        (7, "`id` of [[account.key]]"),
        (9, "only one of"),
        (10, "needs one of `secret`"),
        (14, "did you mean `events_per_second`"),
        (15, "1 to 1000000"),
        (18, "not-there cannot be read"),
        (19, "`expires`"),
        (21, "has no [[account]]"),
        (22, "the ARN says 123456789012"),
        (23, "`sources` is empty"),
        (25, "channel/<id>"),
        (26, "1,224 characters"),
        (27, "true or false"),
        (29, "`connections`"),
        (30, "needs `days`"),
        (32, "\"text\", \"json\""),
    ] {
        let found = told.lines().any(|this| this.contains(&format!("line {line},")) && this.contains(what));
        assert!(found, "line {line}: {what}\n{told}");
    }
    assert!(told.starts_with("audit-lake: 20 mistakes in "), "{told}");
    assert!(!told.contains("wJalrXUtnFEMI") && !told.contains("AKIDSWAPPED"), "{told}");

    let both = Place::new(&format!(
        "listen = '127.0.0.1:1'\nadmin = '127.0.0.1:1'\n{}external_id = 'two words'\n",
        CONFIG.replace("secret = \"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\"", "secret_file = '/dev/zero'")
    ));
    let told = text(&both.command(&["check-config"]).stderr);
    assert!(told.starts_with("audit-lake: 3 mistakes in "), "{told}");
    assert!(told.contains("line 2,") && told.contains("another address than `listen`"), "{told}");
    assert!(told.contains("/dev/zero cannot be read: it is not a regular file"), "{told}");
    assert!(told.contains("`external_id` must be 2 to") && !told.contains("two words"), "{told}");

    let not_toml = Place::new("[[account]\nid = \"a\nsecret = wJalrXUtnFEMI\n").command(&["check-config"]);
    let told = text(&not_toml.stderr);
    assert!(told.contains("line 1") && !told.contains("wJalrXUtnFEMI"), "{told}");
    let missing = Command::new(env!("CARGO_BIN_EXE_audit-lake"))
        .args(["check-config", "--config", "/nowhere/lake.toml"])
        .output();
    assert!(text(&missing.expect("it runs").stderr).contains("cannot be read"));
}

#[tokio::test]
async fn it_shows_its_certificate_and_takes_another_one() {
    let place = Place::new(&format!("{CONFIG}\n[tls]\ncertificate = \"certificate.pem\"\nkey = \"key.pem\"\n"));
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
    for file in ["certificate.pem", "key.pem"] {
        fs::copy(here.join(file), place.0.path().join(file)).expect("copied");
    }
    let mut serving = place.serve();
    assert!(serving.url.starts_with("https://"), "{}", serving.url);
    for http2 in [false, true] {
        let protocol = tls_protocol(serving.address(), "certificate.pem", http2).await;
        assert_eq!(protocol.as_deref(), Some(if http2 { &b"h2"[..] } else { &b"http/1.1"[..] }));
    }
    fs::write(place.0.path().join("key.pem"), "no key").expect("written");
    serving.signal("-HUP");
    let line = serving.await_log("was not read anew");
    assert!(line.contains("key.pem holds no private key"), "{line}");
    assert!(
        tls_protocol(serving.address(), "certificate.pem", false).await.is_some(),
        "the certificate before goes on"
    );

    for file in ["certificate.pem", "key.pem"] {
        fs::copy(here.join(format!("other-{file}")), place.0.path().join(file)).expect("copied");
    }
    serving.signal("-HUP");
    serving.await_log("read the configuration anew");
    assert!(tls_protocol(serving.address(), "other-certificate.pem", false).await.is_some(), "the other one is shown");
}

/// Shakes hands, trusting one of the tests' certificates alone, and returns the protocol agreed on, once the service has answered.
async fn tls_protocol(address: &str, certificate: &str, http2: bool) -> Option<Vec<u8>> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(certificate);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(path).expect("a certificate")).expect("a root");
    let provider = std::sync::Arc::new(crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = if http2 { vec![b"h2".to_vec()] } else { vec![b"http/1.1".to_vec()] };
    let stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let mut stream = connector.connect(name, stream).await.expect("a handshake");
    let agreed = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    if !http2 {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("written");
    }
    // HTTP/1.1 answers 404; HTTP/2 begins with its settings.
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.expect("an answer");
    assert_eq!(http2, !first.starts_with(b"HTTP/1.1 404"));
    agreed
}

/// Changes numbers of a table's only row, and its digest by the words of docs/lake.md.
fn change(database: &rusqlite::Connection, table: &str, change: &str) {
    use rusqlite::types::Value;
    use sha2::{Digest, Sha256};
    database.execute(&format!("UPDATE {table} SET {change}"), []).expect("changed");
    let mut select = database.prepare(&format!("SELECT * FROM {table}")).expect("SQL");
    let names: Vec<String> = select.column_names().into_iter().map(str::to_owned).collect();
    let mut digest = Sha256::new();
    let mut add = |mark: u8, number: i64, bytes: &[u8]| {
        digest.update([mark]);
        digest.update(number.to_be_bytes());
        digest.update(bytes);
    };
    let length = |bytes: &[u8]| i64::try_from(bytes.len()).expect("short");
    add(b'T', length(table.as_bytes()), table.as_bytes());
    let add_row = |row: &rusqlite::Row<'_>| {
        for (at, _) in names.iter().enumerate().filter(|(_, name)| !["event_data", "digest"].contains(&name.as_str())) {
            match row.get(at)? {
                Value::Null => add(b'N', 0, b""),
                Value::Integer(number) => add(b'I', number, b""),
                Value::Text(text) => add(b'T', length(text.as_bytes()), text.as_bytes()),
                Value::Blob(blob) => add(b'B', length(&blob), &blob),
                Value::Real(_) => unreachable!("no column has such a number"),
            }
        }
        Ok(())
    };
    select.query_row([], add_row).expect("one row");
    let digest: [u8; 32] = digest.finalize().into();
    database.execute(&format!("UPDATE {table} SET digest = ?1"), [digest]).expect("changed");
}

#[tokio::test]
async fn a_clock_that_is_far_ahead_deletes_nothing_before_an_operator_confirms_it() {
    let config = |days: u32| format!("admin = '127.0.0.1:0'\n{CONFIG}[retention]\ndays = {days}\n");
    let place = Place::new(CONFIG);
    let serving = place.serve();
    let old = event_data("old", &serving::channel()).replace("2026-11-21T10:15:30Z", "2020-01-01T00:00:00Z");
    let call = serving.call("AKIDEXAMPLE", "").entries(&[entry("old", &old)]);
    assert_eq!(call.send().await.body["failed"], serde_json::json!([]));
    assert!(serving.stop().0.success());
    // To the lake it is as if the clock had jumped by three years.
    let database = rusqlite::Connection::open(place.data().join("lake.db")).expect("the database");
    change(&database, "events", "ingestion_time = ingestion_time - 94608000");
    change(&database, "lake", "clock = clock - 94608000");
    drop(database);

    fs::write(place.config(), config(365)).expect("written");
    let mut serving = place.serve();
    let admin = serving.await_admin();
    let line = serving.await_log("are not deleted");
    assert!(
        line.contains("ERROR") && line.contains("31 days") && line.contains("prune --data DIR --confirm"),
        "{line}"
    );
    let ready = get(&admin, "/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("retention waits: the clock says"), "{ready}");
    assert!(get(&admin, "/metrics").await.contains("audit_lake_retention_waits 1"));
    let asked = place.command(&["prune"]);
    assert!(!asked.status.success() && text(&asked.stderr).contains("the last time that is known"), "{asked:?}");
    // An event that comes in now has an ingestion time of now, which proves nothing.
    assert_eq!(serving.call("AKIDEXAMPLE", "new").send().await.status, 200);
    assert!(!place.command(&["prune"]).status.success());
    let shown = |id: &str| text(&place.command(&["events", "--json", "--id", id]).stdout).lines().count();
    assert_eq!((shown("old"), shown("new")), (1, 1));

    let confirmed = place.command(&["prune", "--confirm"]);
    assert!(
        confirmed.status.success() && text(&confirmed.stdout).starts_with("confirmed that it is 2"),
        "{confirmed:?}"
    );
    assert!(place.command(&["prune"]).status.success());
    // Retention looks once a minute, and when its setting changes.
    fs::write(place.config(), config(364)).expect("written");
    serving.signal("-HUP");
    serving.await_log("retention no longer waits");
    assert_eq!(get(&admin, "/readyz").await.lines().last(), Some("ready"));
    assert_eq!((shown("old"), shown("new")), (0, 1));
}
