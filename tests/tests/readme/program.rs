//! The program in README.md.
#![allow(clippy::print_stdout, reason = "it is a program that shows something")]

include!(concat!(env!("OUT_DIR"), "/readme.rs"));
