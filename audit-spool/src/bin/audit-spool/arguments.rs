//! The command line.

use std::path::PathBuf;

use audit_spool::{Encryption, SpoolOptions, slots_in};
use clap::{Parser, Subcommand};

use crate::Failure;

/// Show what is in a spool that no process has open, retry or remove its dead letters
#[derive(Debug, Parser)]
#[command(name = "audit-spool", version)]
pub(crate) struct Arguments {
    /// The spool's directory
    pub(crate) dir: PathBuf,
    /// The spool's name; without it, every slot: default, default-1 and so on
    #[arg(long, global = true)]
    pub(crate) name: Option<String>,
    /// A key of an encrypted spool: its id, and a file with 32 bytes or 64 hex digits; the first one given writes
    #[arg(long = "key", global = true, value_name = "ID=FILE")]
    pub(crate) keys: Vec<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Count what waits, what is dead and what is damaged
    Status,
    /// List the events that wait and the dead letters: number, state, bytes, time, name, id, UID, and why it is dead
    List {
        /// An object of JSON a line
        #[arg(long)]
        json: bool,
    },
    /// Show an event and, of a dead letter, why it is one
    Show {
        /// The entry's id
        id: String,
        /// Only the event data, byte for byte
        #[arg(long)]
        raw: bool,
    },
    /// Put dead letters back among the events that wait
    Retry {
        /// The ids of those; without any, all
        ids: Vec<String>,
        /// Give each a new id and UID: for ids that were used before, for another event
        #[arg(long)]
        new_id: bool,
    },
    /// Remove dead letters or damaged segments for good
    Purge {
        /// The dead letters
        #[arg(long)]
        dead: bool,
        /// The segments that are kept because of damage in them
        #[arg(long)]
        damaged: bool,
        /// Do it; without this, only say what would be removed
        #[arg(long)]
        yes: bool,
    },
}

impl Arguments {
    /// The names of the spools that are meant.
    pub(crate) fn names(&self) -> Result<Vec<String>, Failure> {
        let names = match &self.name {
            Some(name) => vec![name.clone()],
            None => slots_in(&self.dir)?,
        };
        // Where there is none, opening it says so.
        Ok(if names.is_empty() { vec!["default".to_owned()] } else { names })
    }

    /// The options that a spool is opened with.
    pub(crate) fn options(&self, name: &str) -> Result<SpoolOptions, Failure> {
        let mut encryption: Option<Encryption> = None;
        for key in &self.keys {
            // The text itself stays out of errors: it may be the key instead of its file.
            let (id, file) = key.split_once('=').ok_or("--key is to be given as ID=FILE")?;
            let bytes = read_key(file)?;
            encryption = Some(match encryption {
                None => Encryption::new(id, &bytes)?,
                Some(keys) => keys.also_reads(id, &bytes)?,
            });
        }
        let options = SpoolOptions::new().name(name);
        Ok(match encryption {
            None => options,
            Some(keys) => options.encryption(keys),
        })
    }
}

/// A key from a file: as it is, or in hex digits.
fn read_key(file: &str) -> Result<Vec<u8>, Failure> {
    let bytes = std::fs::read(file).map_err(|error| format!("cannot read the file of --key: {error}"))?;
    let digits = bytes.trim_ascii();
    if digits.len() != 64 {
        return Ok(bytes);
    }
    let pairs = digits.chunks_exact(2).map(|pair| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16).ok()
    });
    let key: Option<Vec<u8>> = pairs.collect();
    key.ok_or_else(|| "the file of --key has 64 characters that are not all hex digits".into())
}
