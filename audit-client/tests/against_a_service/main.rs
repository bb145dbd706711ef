//! The client against a service on a real socket, through the real SDK.

mod delivery_table;
mod environment;
mod runtimes;
mod scripted;
mod soak;
mod spooled;
mod unreachable;
