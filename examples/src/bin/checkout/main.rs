//! A web shop: an axum service whose events say who did what, from where, for whom. It loses none of them.
//!
//! ```sh
//! cargo run --bin checkout                       # listens on 127.0.0.1:3000, sends to a lake of its own
//! shop=http://127.0.0.1:3000 json='content-type: application/json'
//! curl $shop/sign-in -H "$json" -d '{"email":"alice@example.com","password":"teapot"}'    # {"token":"…"}
//! curl $shop/orders -H 'authorization: Bearer TOKEN' -H "$json" \
//!      -d '{"item":"teapot","quantity":1,"amountCents":1999,"iban":"DE02120300000000202051"}'
//! curl $shop/webhooks/payments -H "x-webhook-key: an example's key" -H "$json" -d '{"orderId":1,"amountCents":1999}'
//! curl $shop/sign-in -H "$json" -d '{"email":"bob@example.com","password":"kettle"}'
//! curl -X POST $shop/orders/1/refund -H 'authorization: Bearer TOKEN'
//! kill -TERM PID                                 # answers open requests, then accounts for every event
//! ```
//!
//! With `AUDIT_CHANNEL_ARN` set, it sends to that channel; the other settings come from the environment too.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

mod events;
mod jobs;
mod people;
mod routes;
mod shop;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use audit_client::{AuditClient, ClientConfig};
use audit_lake::Lake;
use audit_tower::AuditLayer;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::routes::routes;
use crate::shop::Shop;

/// Shorter than an orchestrator waits before it kills the process.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(10);
const JOBS: usize = 100;

/// A client with settings from the environment; without a channel there, a client of a new lake.
async fn start() -> Result<(AuditClient, Option<Lake>), Box<dyn Error>> {
    let config = ClientConfig::from_env()?;
    let (builder, lake) = if config.channel_arn.is_some() {
        (config.into_builder(), None)
    } else {
        let lake = Lake::builder().start().await?;
        let key = lake.access_key();
        let builder = config
            .into_builder()
            .channel_arn(lake.channel_arn().as_str())
            .endpoint_url(lake.endpoint_url())
            .access_key(key.id(), key.secret())
            // A real key is kept in a secret store and stays the same.
            .hmac_key("2026a", b"an example's key, of thirty-two bytes")
            .linger(Duration::from_millis(50));
        (builder, Some(lake))
    };
    let client = builder
        .on_dead_letter(|letter| println!("dead letter {}: {} {}", letter.id, letter.code, letter.message))
        .build()
        .await?;
    Ok((client, lake))
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let (audit, lake) = start().await?;
    let listener = TcpListener::bind(&address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    println!("the shop listens on http://{}", listener.local_addr()?);

    let (jobs, queue) = mpsc::channel(JOBS);
    let shop = Shop::new(jobs);
    let worker = tokio::spawn(jobs::work(audit.clone(), shop.orders.clone(), queue));
    let layer = AuditLayer::new(audit.clone()).on_unaudited(|route, method, status| {
        tracing::warn!("{method} {route} answered {status} and left no audit event");
    });
    let routes = routes(shop, layer).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, routes)
        .with_graceful_shutdown(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        })
        .await?;

    // Not earlier: open requests and queued jobs had to emit their events first.
    worker.await?;
    let report = audit.shutdown(SHUTDOWN_DEADLINE).await;
    if let Some(lake) = lake {
        for event in lake.events().await? {
            println!("stored {}", event.event_data);
        }
        lake.shutdown().await;
    }
    println!("{report}");
    Ok(if report.lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
