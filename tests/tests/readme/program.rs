//! The program in README.md.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

include!(concat!(env!("OUT_DIR"), "/readme.rs"));
