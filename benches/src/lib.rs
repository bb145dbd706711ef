//! A plain harness: rows that are measured in turns, so that what slows the machine down slows all of them down, and told as
//! ratios of one another.

pub mod event;
pub mod measure;
pub mod plot;
pub mod table;
