//! The commands of the program `audit-lake`, one file each.

mod backup;
mod command;
mod csv;
mod events;
mod log;
mod moment;
mod output;
mod prune;
mod serve;
mod verify;

pub(crate) use command::Command;
pub(crate) use output::complain;
