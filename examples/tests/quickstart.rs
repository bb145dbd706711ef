//! The main job, as a newcomer runs it.

use std::path::Path;
use std::process::Command;

/// Runs the quickstart in a folder and gives back what it prints.
fn quickstart(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_quickstart"))
        .current_dir(folder)
        .args(arguments)
        .env_remove("AUDIT_CHANNEL_ARN")
        .output()
        .expect("the quickstart starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn folder(name: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // Left there by an earlier run, if at all.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn a_second_run_into_the_same_folder_stores_nothing_twice() {
    let folder = folder("quickstart-twice");
    for run in ["the first", "the second"] {
        let printed = quickstart(&folder, &[]);
        assert!(printed.contains("\n36 events are stored."), "{run}: {printed}");
        assert!(printed.contains("line 35: repository_vulnerability_alert.create: no `actor`"), "{run}: {printed}");
        assert!(printed.contains("line 38: team.rename: "), "{run}: {printed}");
        let last = "accepted 37 = delivered 36 + dead 1 + kept 0 + lost 0";
        assert_eq!(printed.trim_end().lines().last(), Some(last), "{run}");
    }
}

#[test]
fn a_file_of_ones_own_is_accounted_for_line_by_line() {
    let folder = folder("quickstart-file");
    let lines = [
        r#"{"action":"repo.create","actor":"mona","created_at":1795255200123,"repo":"acme/a","repository":"acme/a"}"#,
        "",
        "not JSON",
        r#"{"action":"repo.create","actor":"","created_at":1795255200123}"#,
        r#"{"action":"","actor":"mona","created_at":1795255200123}"#,
    ];
    std::fs::write(folder.join("log.ndjson"), lines.join("\r\n")).expect("written");
    let printed = quickstart(&folder, &["log.ndjson"]);
    for why in ["line 3: (not an entry): ", "line 5: : "] {
        assert!(printed.contains(why), "{printed}");
    }
    // Who acted is unknown in line 4, but what was done is not: it is recorded, with `-` as the principal.
    assert!(!printed.contains("line 4: "), "{printed}");
    assert!(printed.ends_with("accepted 2 = delivered 2 + dead 0 + kept 0 + lost 0\n"), "{printed}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_quickstart"))
        .current_dir(folder("quickstart-missing"))
        .arg("nowhere.ndjson")
        .output()
        .expect("the quickstart starts");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere.ndjson"));
}
