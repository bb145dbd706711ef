//! A plain harness: rows are measured in turns, so that other load on the machine affects all of them alike, and reported as
//! ratios of one another.

pub mod event;
pub mod measure;
pub mod plot;
pub mod table;
