//! The program `audit-lake` with a configuration and a data folder of its own.

// Each test program uses its own part of this.
#![allow(dead_code, reason = "shared by several test programs")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use tempfile::TempDir;

use crate::signed_http::{Call, entry, event_data};

pub(crate) const CONFIG: &str = r#"
[[account]]
id = "123456789012"
[[account.key]]
id = "AKIDEXAMPLE"
secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
[[channel]]
arn = "arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders"
"#;

pub(crate) fn channel() -> audit_core::ChannelArn {
    audit_core::ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders")
}

/// A folder with a configuration and a place for data.
pub(crate) struct Place(pub(crate) TempDir);

impl Place {
    pub(crate) fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("lake.toml"), config).expect("written");
        Self(folder)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.0.path().join("lake.toml")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_audit-lake"));
        command.args(arguments);
        match arguments[0] {
            "check-config" => command.arg("--config").arg(self.config()),
            _ => command.arg("--data").arg(self.data()),
        };
        command.output().expect("it runs")
    }

    pub(crate) fn serve(&self) -> Serving {
        self.serve_after(":")
    }

    /// Serves in a process of which a shell command sets the limits.
    pub(crate) fn serve_after(&self, limits: &str) -> Serving {
        let mut child = Command::new("sh")
            .args(["-c", &format!("{limits}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_audit-lake"), "serve"])
            .arg("--config")
            .arg(self.config())
            .arg("--data")
            .arg(self.data())
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let log = BufReader::new(child.stderr.take().expect("its log"));
        let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        Serving { child, url, log }
    }
}

pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) url: String,
    pub(crate) log: BufReader<std::process::ChildStderr>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Serving {
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().expect("kill");
        assert!(status.success());
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        self.url.split_once("://").map_or("", |(_, address)| address)
    }

    /// Reads log lines until one has the text.
    pub(crate) fn await_log(&mut self, text: &str) -> String {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(self.log.read_line(&mut line).expect("a line"), 0, "the log ended without \"{text}\"");
        }
        line
    }

    /// Reads log lines until one names the admin address, which the configuration must have.
    pub(crate) fn await_admin(&mut self) -> String {
        let line = self.await_log("the lake takes events");
        let admin = line.split(' ').find_map(|field| field.strip_prefix("admin=")).expect("an admin address");
        admin.trim().to_owned()
    }

    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.signal("-TERM");
        let mut log = String::new();
        self.log.read_to_string(&mut log).expect("the log");
        (self.child.wait().expect("its end"), log)
    }

    pub(crate) fn call(&self, key_id: &str, id: &str) -> Call {
        Call {
            address: self.address().to_owned(),
            key_id: key_id.to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: None,
            region: "eu-west-1".to_owned(),
            service: "cloudtrail-data".to_owned(),
            time: std::time::SystemTime::now(),
            method: "POST".to_owned(),
            path: "/PutAuditEvents".to_owned(),
            query: "channelArn=orders".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            presigned: false,
        }
        .entries(&[entry(id, &event_data(id, &channel()))])
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}
