//! A bank's gRPC service: each call leaves who made it, from where, with what.
//!
//! ```sh
//! cargo run -p audit-example-grpc                # a server, two calls over TCP, and what they left in a lake
//! ```
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

mod server;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::time::Duration;

use audit_client::AuditClient;
use audit_lake::Lake;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::Request;
use tonic::metadata::MetadataValue;

use generated::bank_client::BankClient;

/// What `build.rs` makes.
mod generated {
    #![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::pedantic, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/bank.Bank.rs"));
}

#[derive(Clone, PartialEq, prost::Message)]
struct TransferRequest {
    #[prost(string, tag = "1")]
    from_account: String,
    #[prost(string, tag = "2")]
    to_account: String,
    #[prost(uint64, tag = "3")]
    cents: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TransferReply {
    #[prost(uint64, tag = "1")]
    balance_cents: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StatementRequest {
    #[prost(string, tag = "1")]
    account: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Posting {
    #[prost(int64, tag = "1")]
    cents: i64,
}

/// A call in the name of somebody. A real service checks a token.
fn as_user<T>(user: &str, message: T) -> Result<Request<T>, Box<dyn Error>> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-user", MetadataValue::try_from(user)?);
    Ok(request)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let lake = Lake::builder().start().await?;
    let key = lake.access_key();
    let audit = AuditClient::builder()
        .channel_arn(lake.channel_arn().as_str())
        .endpoint_url(lake.endpoint_url())
        .access_key(key.id(), key.secret())
        .build()
        .await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (end, ended) = oneshot::channel::<()>();
    let server = tokio::spawn(server::serve(listener, audit.clone(), async { drop(ended.await) }));

    let mut bank = BankClient::connect(format!("http://{address}")).await?;
    let transfer = TransferRequest { from_account: "A".to_owned(), to_account: "B".to_owned(), cents: 1_999 };
    let reply = bank.transfer(as_user("alice", transfer.clone())?).await?;
    println!("alice has {} cents left", reply.into_inner().balance_cents);
    let refused = bank.transfer(as_user("bob", TransferRequest { cents: 1_000_000, ..transfer })?).await;
    println!("bob: {}", refused.err().map_or_else(|| "no error".to_owned(), |status| status.message().to_owned()));

    drop((bank, end));
    server.await??;
    let report = audit.shutdown(Duration::from_secs(10)).await;
    for event in lake.events().await? {
        println!("stored {}", event.event_data);
    }
    lake.shutdown().await;
    println!("{report}");
    Ok(())
}
