//! The client against a service on a real socket, through the real SDK. `tests/over_http` is the same through the other transport.

mod by_sdk;
mod delivery_table;
mod environment;
mod runtimes;
mod scripted;
mod soak;
mod spooled;
mod unreachable;

use by_sdk as transport;
