//! The client against a service on a real socket, over hyper and rustls: what `tests/against_a_service` has, but for the SDK's own.

mod by_http;
#[path = "../against_a_service/delivery_table.rs"]
mod delivery_table;
#[path = "../against_a_service/environment.rs"]
mod environment;
#[path = "../against_a_service/runtimes.rs"]
mod runtimes;
#[path = "../against_a_service/scripted.rs"]
mod scripted;
#[path = "../against_a_service/soak.rs"]
mod soak;
#[path = "../against_a_service/spooled.rs"]
mod spooled;
#[path = "../against_a_service/unreachable.rs"]
mod unreachable;

use by_http as transport;
