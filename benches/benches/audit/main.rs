//! All of what is measured, in one table: `cargo bench -p audit-bench`, and `--features peers` for client and lake.
//! `-- --save` writes the plots beside this package's README.
#![allow(clippy::print_stdout, reason = "it prints its tables")]

mod encoding;
mod flatness;
mod parsing;
#[cfg(feature = "peers")]
mod peers;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let save = std::env::args().any(|argument| argument == "--save");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The payloads come last: where a heap was larger, trees of values take longer, and what stands beside us would pay for it.
    for table in encoding::tables()? {
        println!("{table}");
    }
    println!("{}", parsing::table()?);
    println!("{}", encoding::payload_table()?);
    let (table, plot) = flatness::table()?;
    println!("{table}");
    if save {
        std::fs::write(directory.join("cost.svg"), plot)?;
    }
    #[cfg(feature = "peers")]
    {
        let (tables, plot) = peers::tables()?;
        println!("{tables}");
        if save {
            std::fs::write(directory.join("throughput.svg"), plot)?;
        }
    }
    Ok(())
}
