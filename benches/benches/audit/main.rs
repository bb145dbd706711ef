//! All measurements, in one table: `cargo bench -p audit-bench`, and `--features peers` for client and lake.
//! `-- --save` writes the plots beside this package's README; `-- encoding queues` measures only these tables, of encoding,
//! parsing, payloads, flatness, queues, web, requests and end-to-end.
#![allow(clippy::print_stdout, reason = "it prints its tables")]

mod encoding;
mod flatness;
mod parsing;
#[cfg(feature = "peers")]
mod peers;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let save = arguments.iter().any(|argument| argument == "--save");
    let named: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| !argument.starts_with("--")).collect();
    let wants = |name: &str| named.is_empty() || named.contains(&name);
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The payloads come last: after a larger heap, trees of values take longer, and the peers' rows would include that.
    if wants("encoding") {
        for table in encoding::tables()? {
            println!("{table}");
        }
    }
    if wants("parsing") {
        println!("{}", parsing::table()?);
    }
    if wants("payloads") {
        for table in encoding::payload_tables()? {
            println!("{table}");
        }
    }
    if wants("flatness") {
        let (table, plot) = flatness::table()?;
        println!("{table}");
        if save {
            std::fs::write(directory.join("cost.svg"), plot)?;
        }
    }
    #[cfg(feature = "peers")]
    {
        if wants("queues") {
            println!("{}", peers::queues::table()?);
        }
        if wants("web") {
            for table in peers::web::tables()? {
                println!("{table}");
            }
        }
        if wants("requests") {
            let (table, plot) = peers::requests::table()?;
            println!("{table}");
            if save {
                std::fs::write(directory.join("throughput.svg"), plot)?;
            }
        }
        if wants("end-to-end") {
            println!("{}", peers::end_to_end::table()?);
        }
    }
    Ok(())
}
