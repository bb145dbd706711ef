//! Delivers what is left in a spool whose application does not run any more, and ends.
//!
//! The environment says where and as whom: `AUDIT_SPOOL_DIR`, `AUDIT_CHANNEL_ARN`, and AWS's own variables. While the service
//! cannot be reached, the program waits; interrupt it at any time, and what is not delivered stays in the spool.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::error::Error;
use std::time::Duration;

use audit_client::ClientConfig;

fn main() -> Result<(), Box<dyn Error>> {
    let client = ClientConfig::from_env()?.into_builder().build_blocking()?;
    client.flush_blocking()?;
    println!("{}", client.shutdown_blocking(Duration::from_secs(10)));
    Ok(())
}
