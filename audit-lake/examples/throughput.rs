//! How many events a second a lake takes: `cargo run --release -p audit-lake --example throughput -- [OPTION VALUE]…`
//!
//! | option | values | default |
//! |---|---|---|
//! | `--seconds` | how long to measure | 10 |
//! | `--connections` | how many send at a time | 16 |
//! | `--folder` | the lake's data folder; what is in it stays | `throughput-data` |
//! | `--ids` | `random` (UUID version 4), `derived` (of a UID that is no id), `ascending` | `random` |
//! | `--times` | `now`, or `random-backfill`: any second of the last 365 days | `now` |
//! | `--already` | how many events the lake holds before; the missing ones are sent first | 0 |
//!
//! Requests of 100 events of some 485 bytes, each with its checksum. What is measured was signed and written out beforehand, so
//! that the sender costs little beside the lake, which runs in the same process. Every request is answered after its commit was
//! synced. The folder is in the current one by default, since the temporary folder may be no disk at all.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use audit_core::{Checksum, EventId, EventTime};
use audit_lake::Lake;
use serde_json::json;
use tokio::net::TcpStream;
use uuid::Uuid;

#[path = "../tests/signed_http/mod.rs"]
mod signed_http;

use signed_http::Call;

type Failed = Box<dyn Error + Send + Sync>;

/// Events of a request.
const EVENTS: u64 = 100;
const SECONDS_A_YEAR: u128 = 365 * 86_400;

#[derive(Clone, Copy, Debug)]
enum Ids {
    Random,
    Derived,
    Ascending,
}

#[derive(Clone, Copy, Debug)]
enum Times {
    Now,
    RandomBackfill,
}

#[derive(Clone, Debug)]
struct Settings {
    seconds: u32,
    connections: usize,
    folder: PathBuf,
    ids: Ids,
    times: Times,
    already: u64,
}

impl Settings {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failed> {
        let mut settings = Self {
            seconds: 10,
            connections: 16,
            folder: "throughput-data".into(),
            ids: Ids::Random,
            times: Times::Now,
            already: 0,
        };
        while let Some(option) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{option} needs a value"))?;
            match (option.as_str(), value.as_str()) {
                ("--seconds", value) => settings.seconds = value.parse()?,
                ("--connections", value) => settings.connections = value.parse()?,
                ("--folder", value) => settings.folder = value.into(),
                ("--already", value) => settings.already = value.parse()?,
                ("--ids", "random") => settings.ids = Ids::Random,
                ("--ids", "derived") => settings.ids = Ids::Derived,
                ("--ids", "ascending") => settings.ids = Ids::Ascending,
                ("--times", "now") => settings.times = Times::Now,
                ("--times", "random-backfill") => settings.times = Times::RandomBackfill,
                _ => return Err(format!("{option} {value} is no option; the head of this file lists them").into()),
            }
        }
        Ok(settings)
    }
}

/// Writes requests whose events no other request has.
struct Writer {
    settings: Settings,
    call: Call,
    account: String,
    /// Orders the ids of this run behind those of earlier ones.
    run: u64,
    events: AtomicU64,
}

impl Writer {
    fn request(&self) -> Vec<u8> {
        let entries: Vec<_> = (0..EVENTS).map(|_| self.entry()).collect();
        let mut call = self.call.clone().entries(&entries);
        call.time = std::time::SystemTime::now();
        call.to_bytes()
    }

    fn entry(&self) -> serde_json::Value {
        let at = self.events.fetch_add(1, Ordering::Relaxed);
        let uid = match self.settings.ids {
            Ids::Random => Uuid::new_v4().to_string(),
            Ids::Derived => format!("refund/{}", &Uuid::new_v4().simple().to_string()[3..]),
            Ids::Ascending => format!("0190b6c2-{:08x}-{at:018x}", self.run),
        };
        let now = EventTime::now();
        let time = match self.settings.times {
            Times::Now => now,
            Times::RandomBackfill => {
                let ago = i64::try_from(Uuid::new_v4().as_u128() % SECONDS_A_YEAR).unwrap_or_default();
                EventTime::from_unix_seconds(now.unix_seconds() - ago).unwrap_or(now)
            }
        };
        let data = format!(
            r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"user{}@example.com","details":{{"department":"support","mfa":true}}}},"userAgent":"orders-admin/3.2","eventSource":"orders.example.com","eventName":"RefundIssued{}","eventTime":"{time}","UID":"{uid}","requestParameters":{{"orderId":"ord_01HZX3V7Q8","amountCents":1999,"currency":"EUR","reason":"damaged in transit"}},"sourceIPAddress":"203.0.113.7","recipientAccountId":"{}"}}"#,
            at % 50,
            at % 7,
            self.account
        );
        json!({ "id": EventId::derive(&uid), "eventData": data, "eventDataChecksum": Checksum::of(data.as_bytes()) })
    }
}

/// What some senders had answered.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    events: u32,
    slowest: Duration,
}

/// Sends requests one after another over each of some connections, until there is no next one.
async fn send<R: AsRef<[u8]> + Send>(
    address: SocketAddr,
    connections: usize,
    next: impl Fn() -> Option<R> + Clone + Send + 'static,
) -> Result<Taken, Failed> {
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let next = next.clone();
        senders.spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut taken = Taken::default();
            while let Some(request) = next() {
                let sent = Instant::now();
                tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_ref()).await?;
                let answer = signed_http::read_answer(&mut stream).await.ok_or("the connection ended")?;
                let successful = answer.body["successful"].as_array().map_or(0, Vec::len);
                if successful as u64 != EVENTS {
                    return Err(format!("not every event was taken: {answer:?}").into());
                }
                taken.events += u32::try_from(successful)?;
                taken.slowest = taken.slowest.max(sent.elapsed());
            }
            Ok::<Taken, Failed>(taken)
        });
    }
    let mut all = Taken::default();
    while let Some(taken) = senders.join_next().await {
        let taken = taken??;
        all.events += taken.events;
        all.slowest = all.slowest.max(taken.slowest);
    }
    Ok(all)
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let settings = Settings::read(std::env::args().skip(1))?;
    let lake = Lake::builder().data_dir(&settings.folder).start().await?;
    let database = rusqlite::Connection::open(lake.data_dir().join("lake.db"))?;
    let stored = || -> Result<u64, Failed> {
        Ok(database.query_row("SELECT count(*) FROM events", [], |row| row.get::<_, i64>(0))?.try_into()?)
    };
    let writer = Arc::new(Writer {
        settings: settings.clone(),
        call: Call::to(&lake),
        account: lake.channel_arn().account().to_string(),
        run: std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs(),
        events: AtomicU64::new(0),
    });

    let mut before = stored()?;
    if before < settings.already {
        let missing = AtomicU64::new((settings.already - before).div_ceil(EVENTS));
        let (missing, writer) = (Arc::new(missing), Arc::clone(&writer));
        let one_less = |left: u64| left.checked_sub(1);
        let next =
            move || missing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).ok().map(|_| writer.request());
        send(lake.address(), settings.connections, next).await?;
        before = stored()?;
    }

    // Enough for 100,000 events a second; who is faster ends earlier.
    let requests: Vec<Vec<u8>> = (0..usize::try_from(settings.seconds)? * 1_000).map(|_| writer.request()).collect();
    let (requests, at) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let end = Duration::from_secs(settings.seconds.into());
    let (began, cpu_before) = (Instant::now(), cpu_seconds());
    let next = move || {
        let at = (began.elapsed() < end).then(|| at.fetch_add(1, Ordering::Relaxed))?;
        (at < requests.len()).then(|| Prepared { requests: Arc::clone(&requests), at })
    };
    let taken = send(lake.address(), settings.connections, next).await?;
    let elapsed = began.elapsed().as_secs_f64();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} events in {elapsed:.2} s over {} connections, ids {:?}, times {:?}, {before} events before: {:.0} events a second; \
         slowest answer {} ms",
        taken.events,
        settings.connections,
        settings.ids,
        settings.times,
        f64::from(taken.events) / elapsed,
        taken.slowest.as_millis()
    )?;
    if let (Some(before), Some(after)) = (cpu_before, cpu_seconds()) {
        let cpu = after - before;
        writeln!(
            out,
            "processor time: {cpu:.2} s, {:.1} microseconds an event, sender included; {:.2} processors were had",
            cpu * 1_000_000.0 / f64::from(taken.events),
            cpu / elapsed
        )?;
    }
    lake.shutdown().await;
    Ok(())
}

/// One of the requests that were written beforehand.
struct Prepared {
    requests: Arc<Vec<Vec<u8>>>,
    at: usize,
}

impl AsRef<[u8]> for Prepared {
    fn as_ref(&self) -> &[u8] {
        &self.requests[self.at]
    }
}

/// The processor time of this process so far, where Linux reports it: in its hundredths of a second.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // User and system time are the 12th and 13th after the name, which may hold anything but ends in the last parenthesis.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / 100.0)
}
