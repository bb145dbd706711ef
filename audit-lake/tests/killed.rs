//! The lake and a client at full load, both killed (SIGKILL) and started again, time after time: every event that was
//! acknowledged is stored, once, under the eventID of its answer; and every event that the client accepted into its spool
//! arrives in the end.
//!
//! This program is its own client: started with the argument `sender`, it sends until its standard input ends. How many
//! times each is killed: `AUDIT_LAKE_KILLS`, 3 by default.

use std::collections::HashMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use audit_client::{AuditClient, Entry};
use audit_core::EventId;
use audit_lake::{EventFilter, EventReader};
use aws_credential_types::Credentials;

const CHANNEL: &str = "arn:aws:cloudtrail:eu-west-1:123456789012:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE";
const CONFIG: &str = r#"
[[account]]
id = "123456789012"
[[account.key]]
id = "AKIDEXAMPLE"
secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
[[channel]]
arn = "arn:aws:cloudtrail:eu-west-1:123456789012:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE"
[log]
level = "error"
"#;
/// How many acknowledgements must come between one kill and the next: so both were at work.
const BETWEEN: usize = 3_000;
/// Events that a sender has under way at a time.
const UNDER_WAY: usize = 5_000;
/// When something that must come has not come.
const TOO_LONG: Duration = Duration::from_mins(2);

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments[1..] {
        [role, endpoint, folder, generation] if role == "sender" => {
            tokio::runtime::Runtime::new()?.block_on(send(endpoint, Path::new(folder), generation))
        }
        _ => kill_and_count(),
    }
}

/// Files in the common folder.
struct Files(PathBuf);

impl Files {
    fn acknowledged(&self) -> PathBuf {
        self.0.join("acknowledged")
    }
    fn accepted(&self) -> PathBuf {
        self.0.join("accepted")
    }
    fn data(&self) -> PathBuf {
        self.0.join("data")
    }
}

fn append_to(path: &Path) -> Result<Arc<Mutex<File>>, Failure> {
    Ok(Arc::new(Mutex::new(File::options().create(true).append(true).open(path)?)))
}

/// One line in one write: it is whole or not there, and outlives this process.
fn note(file: &Mutex<File>, line: &str) -> Result<(), Failure> {
    let mut file = file.lock().map_err(|_| "a panic elsewhere")?;
    Ok(file.write_all(format!("{line}\n").as_bytes())?)
}

async fn send(endpoint: &str, folder: &Path, generation: &str) -> Result<(), Failure> {
    let files = Files(folder.to_owned());
    let (acknowledged, accepted) = (append_to(&files.acknowledged())?, append_to(&files.accepted())?);
    let client = AuditClient::builder()
        .channel_arn(CHANNEL)
        .endpoint_url(endpoint)
        .credentials(Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None, "test"))
        .spool(folder.join("spool"))
        .build()
        .await?;
    let (ending, mut ended) = tokio::sync::watch::channel(false);
    std::thread::spawn(move || {
        // Its end is the parent's word to finish.
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        ending.send_replace(true);
    });
    let places = Arc::new(tokio::sync::Semaphore::new(UNDER_WAY));
    for number in 0_u64.. {
        if *ended.borrow_and_update() {
            break;
        }
        let place = Arc::clone(&places).acquire_owned().await?;
        let id = format!("{generation}-{number}");
        let data = format!(
            r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"alice"}},"eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z","UID":"{id}","recipientAccountId":"123456789012"}}"#
        );
        let receipt = client.emit(Entry::parse(EventId::try_from(id.as_str())?, data)?).await?;
        note(&accepted, &id)?;
        let acknowledged = Arc::clone(&acknowledged);
        tokio::spawn(async move {
            if let Ok(delivery) = receipt.delivered().await {
                note(&acknowledged, &format!("{id} {}", delivery.event_id))?;
            }
            drop(place);
            Ok::<(), Failure>(())
        });
    }
    let report = client.shutdown(TOO_LONG).await;
    if report.kept + report.lost + report.dead > 0 {
        return Err(format!("not everything was delivered in the end: {report:?}").into());
    }
    Ok(())
}

/// A process that is killed when it is no longer needed.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Running {
    fn kill(mut self) -> Result<(), Failure> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

fn start_lake(files: &Files, port: u16) -> Result<Running, Failure> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_audit-lake"))
        .args(["serve", "--config"])
        .arg(files.0.join("lake.toml"))
        .arg("--data")
        .arg(files.data())
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .stdout(Stdio::piped())
        .spawn()?;
    // It prints one line when it serves.
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).read_line(&mut line)?;
    }
    let running = Running(child);
    if line.is_empty() { Err("the lake did not start".into()) } else { Ok(running) }
}

fn start_sender(files: &Files, port: u16, generation: usize) -> Result<Running, Failure> {
    let child = Command::new(std::env::current_exe()?)
        .arg("sender")
        .arg(format!("http://127.0.0.1:{port}"))
        .arg(&files.0)
        .arg(format!("g{generation}"))
        .stdin(Stdio::piped())
        .spawn()?;
    Ok(Running(child))
}

/// Waits until so many acknowledgements have come.
fn await_acknowledgements(files: &Files, wanted: usize) -> Result<usize, Failure> {
    let began = Instant::now();
    loop {
        let count = lines(&files.acknowledged())?.len();
        if count >= wanted {
            return Ok(count);
        }
        if began.elapsed() > TOO_LONG {
            return Err(format!("only {count} of {wanted} acknowledgements came").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn lines(path: &Path) -> Result<Vec<String>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

fn kill_and_count() -> Result<(), Failure> {
    let kills: usize = std::env::var("AUDIT_LAKE_KILLS").map_or(Ok(3), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let files = Files(folder.path().to_owned());
    std::fs::write(folder.path().join("lake.toml"), CONFIG)?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let began = Instant::now();

    let mut lake = start_lake(&files, port)?;
    let mut sender = start_sender(&files, port, 0)?;
    let mut count = 0;
    for kill in 0..kills {
        count = await_acknowledgements(&files, count + BETWEEN)?;
        lake.kill()?;
        lake = start_lake(&files, port)?;
        count = await_acknowledgements(&files, count + BETWEEN)?;
        sender.kill()?;
        sender = start_sender(&files, port, kill + 1)?;
    }
    await_acknowledgements(&files, count + BETWEEN)?;
    drop(sender.0.stdin.take());
    let status = sender.0.wait()?;
    if !status.success() {
        return Err(format!("the last sender ended with {status}").into());
    }
    lake.kill()?;
    let load = began.elapsed();
    // Started once more, so that what stands here is what a restart after the last kill leaves.
    let _lake = start_lake(&files, port)?;

    let reader = EventReader::open(files.data())?;
    let verification = reader.verify()?;
    if !verification.is_sound() {
        return Err(format!("{verification:?}").into());
    }
    let mut stored = HashMap::new();
    for event in reader.events(&EventFilter::default())? {
        if stored.insert(event.id.clone(), event.event_id).is_some() {
            return Err(format!("{} is stored twice", event.id).into());
        }
    }
    let acknowledged = lines(&files.acknowledged())?;
    for line in &acknowledged {
        let (id, event_id) = line.split_once(' ').ok_or("a torn line")?;
        if stored.get(id).map(String::as_str) != Some(event_id) {
            return Err(format!("{id} was acknowledged as {event_id}, and stored as {:?}", stored.get(id)).into());
        }
    }
    let accepted = lines(&files.accepted())?;
    if let Some(lost) = accepted.iter().find(|id| !stored.contains_key(*id)) {
        return Err(format!("{lost} was accepted into the spool and never arrived").into());
    }
    writeln!(
        std::io::stdout().lock(),
        "{kills} kills of each in {:.0} s: accepted {}, acknowledged to a living client {}, stored {}, each once",
        load.as_secs_f64(),
        accepted.len(),
        acknowledged.len(),
        stored.len()
    )?;
    Ok(())
}
