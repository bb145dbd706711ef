//! The program and the statements of README.md.

use std::path::Path;
use std::process::Command;

use audit_lake::{Lake, LakeConfig};

/// The lake's certificate, which is not in any trust store.
const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../audit-lake/tests/tls/certificate.pem");

async fn runs_against(lake: Lake, name: &str) {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // An earlier run may have left it.
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("a folder");
    let key = lake.access_key();
    let output = Command::new(env!("CARGO_BIN_EXE_readme"))
        .env("AUDIT_CHANNEL_ARN", lake.channel_arn().as_str())
        .env("AUDIT_SPOOL_DIR", dir.join("spool"))
        .env("AUDIT_HMAC_KEY", "2026a:a test's key, of thirty-two bytes")
        .env("AWS_ENDPOINT_URL_CLOUDTRAIL_DATA", lake.endpoint_url())
        .env("AWS_ACCESS_KEY_ID", key.id())
        .env("AWS_SECRET_ACCESS_KEY", key.secret())
        .env("SSL_CERT_FILE", CERTIFICATE)
        .output()
        .expect("it starts");
    let (told, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}{error}");

    let events = lake.events().await.expect("events");
    let [event] = events.as_slice() else { panic!("{} events", events.len()) };
    assert_eq!(
        told.trim_end().lines().collect::<Vec<_>>(),
        [&format!("stored as {}", event.event_id), "accepted 1 = delivered 1 + dead 0 + kept 0 + lost 0"]
    );
    let data: serde_json::Value = serde_json::from_str(&event.event_data).expect("JSON");
    assert_eq!(data["UID"], event.id.as_str());
    assert_eq!(data["userIdentity"]["principalId"], "alice@example.com");
    assert_eq!(data["sourceIPAddress"], "203.0.113.7");
    let request = &data["requestParameters"];
    assert_eq!((&request["orderId"], &request["amountCents"]), (&"ord_01HZX3V7Q8".into(), &1999.into()));
    assert!(request["iban"].as_str().is_some_and(|iban| iban.starts_with("hmac-sha256:")), "{request}");
    lake.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_program_stores_its_event_in_a_lake() {
    runs_against(Lake::builder().start().await.expect("a lake"), "readme").await;
}

/// The recipe of docs/recipes.md for a private CA.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_program_trusts_the_certificates_in_ssl_cert_file() {
    let key = CERTIFICATE.replace("certificate.pem", "key.pem");
    let arn = "arn:aws:cloudtrail:eu-west-1:123456789012:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE";
    let config = format!(
        "[tls]\ncertificate = {CERTIFICATE:?}\nkey = {key:?}\n[[account]]\nid = \"123456789012\"\n[[account.key]]\nid = \"AKIDEXAMPLE\"\nsecret = \"secret\"\n[[channel]]\narn = {arn:?}\n"
    );
    let config = LakeConfig::parse(&config).expect("a configuration");
    runs_against(Lake::builder().config(config).start().await.expect("a lake"), "readme-tls").await;
}

#[test]
fn features_are_in_the_manifests_of_their_crates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect(path);
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let readme = read("README.md");
    let (_, table) = readme.split_once("| feature |").expect("the table");
    for row in table.lines().skip(2).take_while(|line| !line.is_empty()) {
        let mut cells = row.split('|').skip(1);
        let (features, crates) = (cells.next().map(names), cells.next().map(names));
        for (of, feature) in crates.iter().flatten().flat_map(|of| features.iter().flatten().map(move |it| (of, it))) {
            assert!(read(&format!("{of}/Cargo.toml")).contains(&format!("\n{feature} = [")), "{of}: {feature}");
        }
    }
}

#[test]
fn links_lead_to_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "benches/README.md", "docs/README.md"];
    let docs = std::fs::read_dir(root.join("docs")).expect("docs");
    let docs = docs.map(|file| format!("docs/{}", file.expect("a file").file_name().to_string_lossy()));
    for page in pages.map(str::to_owned).into_iter().chain(docs) {
        let text = std::fs::read_to_string(root.join(&page)).expect(&page);
        let folder = root.join(&page).parent().expect("a folder").to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.starts_with("http") {
                continue;
            }
            assert!(folder.join(file).exists(), "{page}: {link}");
        }
    }
}
