//! A web shop: an axum service whose events say who did what, from where. It loses none of them.
//!
//! ```sh
//! cargo run --bin checkout                       # listens on 127.0.0.1:3000, sends to a lake of its own
//! curl -X POST http://127.0.0.1:3000/orders -H 'x-user: alice@example.com' -H 'content-type: application/json' \
//!      -d '{"item":"teapot","quantity":1,"amountCents":1999,"iban":"DE02120300000000202051"}'
//! curl -X POST http://127.0.0.1:3000/orders/1/refund -H 'x-staff: bob@example.com'
//! kill -TERM PID                                 # answers open requests, then accounts for every event
//! ```
//!
//! With `AUDIT_CHANNEL_ARN` set, it sends to that channel; the other settings come from the environment too.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use audit_client::{
    AuditClient, AuditError, AuditEvent, ClientConfig, Credentials, EmitError, EventId, Identity, UserIdentity,
};
use audit_lake::Lake;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// Shorter than an orchestrator waits before it kills the process.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(10);

#[derive(UserIdentity)]
#[audit(type = "Customer")]
struct Customer {
    #[audit(principal_id)]
    email: String,
}

/// The event names its actor, so the client can emit it as it is.
#[derive(AuditEvent)]
#[audit(source = "shop.example.com")]
struct OrderPlaced<'a> {
    #[audit(id)]
    event: EventId,
    #[audit(user_identity)]
    by: &'a Customer,
    #[audit(source_ip)]
    from: std::net::IpAddr,
    #[audit(user_agent)]
    with: Option<&'a str>,
    order_id: u64,
    item: &'a str,
    quantity: u32,
    amount_cents: u64,
    // Events of the same account can be found; the account number cannot be read.
    #[audit(hmac)]
    iban: &'a str,
}

/// The event names no actor: the handler adds one with `acting_as`.
#[derive(AuditEvent)]
#[audit(source = "shop.example.com", generate_id)]
struct RefundIssued<'a> {
    order_id: u64,
    #[audit(outcome)]
    outcome: &'a Result<Payout, RefundError>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Payout {
    amount_cents: u64,
}

#[derive(Clone, Copy, Debug)]
enum RefundError {
    UnknownOrder,
    AlreadyRefunded,
}

impl fmt::Display for RefundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownOrder => "there is no such order",
            Self::AlreadyRefunded => "the order was refunded before",
        })
    }
}

impl AuditError for RefundError {
    fn error_code(&self) -> Cow<'_, str> {
        match self {
            Self::UnknownOrder => "UnknownOrder".into(),
            Self::AlreadyRefunded => "AlreadyRefunded".into(),
        }
    }
}

#[derive(Clone)]
struct Shop {
    audit: AuditClient,
    /// What each order paid, until it is refunded.
    orders: Arc<Mutex<HashMap<u64, Option<u64>>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    item: String,
    quantity: u32,
    amount_cents: u64,
    iban: String,
}

async fn place_order(
    State(shop): State<Shop>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(order): Json<Order>,
) -> Result<Response, Refused> {
    let by = Customer { email: signed_in(&headers, "x-user")? };
    let order_id = {
        let mut orders = shop.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let order_id = orders.len() as u64 + 1;
        orders.insert(order_id, Some(order.amount_cents));
        order_id
    };
    let placed = OrderPlaced {
        event: EventId::generate(),
        by: &by,
        from: peer.ip(),
        with: user_agent(&headers),
        order_id,
        item: &order.item,
        quantity: order.quantity,
        amount_cents: order.amount_cents,
        iban: &order.iban,
    };
    // Accepted is enough: the customer need not wait for the delivery.
    let _receipt = shop.audit.emit(&placed).await?;
    Ok((StatusCode::CREATED, Json(serde_json::json!({ "orderId": order_id }))).into_response())
}

async fn refund(
    State(shop): State<Shop>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(order_id): Path<u64>,
) -> Result<Response, Refused> {
    let staff = Identity::new("Staff", &signed_in(&headers, "x-staff")?).map_err(|_| Refused::NotSignedIn)?;
    let outcome = pay_back(&shop, order_id);
    // A refused refund is an event too.
    let acting = shop.audit.acting_as(&staff).source_ip(peer.ip());
    let acting = user_agent(&headers).map_or(acting.clone(), |agent| acting.user_agent(agent));
    let _receipt = acting.emit(&RefundIssued { order_id, outcome: &outcome }).await?;
    Ok(match outcome {
        Ok(payout) => Json(payout).into_response(),
        Err(error) => (StatusCode::CONFLICT, error.to_string()).into_response(),
    })
}

fn pay_back(shop: &Shop, order_id: u64) -> Result<Payout, RefundError> {
    let mut orders = shop.orders.lock().unwrap_or_else(PoisonError::into_inner);
    let paid = orders.get_mut(&order_id).ok_or(RefundError::UnknownOrder)?;
    let amount_cents = paid.take().ok_or(RefundError::AlreadyRefunded)?;
    Ok(Payout { amount_cents })
}

/// Takes the place of a session: a real shop must not trust a header.
fn signed_in(headers: &HeaderMap, header: &str) -> Result<String, Refused> {
    let name = headers.get(header).and_then(|name| name.to_str().ok()).filter(|name| !name.is_empty());
    name.map(ToOwned::to_owned).ok_or(Refused::NotSignedIn)
}

fn user_agent(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok())
}

/// Why the shop refuses a request.
#[derive(Debug)]
enum Refused {
    NotSignedIn,
    NotAudited(EmitError),
}

impl From<EmitError> for Refused {
    fn from(error: EmitError) -> Self {
        Self::NotAudited(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "who are you?").into_response(),
            Self::NotAudited(EmitError::Encode(error)) => {
                (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response()
            }
            // Without an event, nothing happens in this shop.
            Self::NotAudited(_) => (StatusCode::SERVICE_UNAVAILABLE, "try again later").into_response(),
        }
    }
}

fn shop(audit: AuditClient) -> Router {
    Router::new()
        .route("/orders", post(place_order))
        .route("/orders/{order_id}/refund", post(refund))
        .with_state(Shop { audit, orders: Arc::default() })
}

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
            .credentials(Credentials::new(key.id(), key.secret(), None, None, "checkout"))
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

    let routes = shop(audit.clone()).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, routes)
        .with_graceful_shutdown(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        })
        .await?;

    // Not earlier: open requests had to emit their events first.
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

#[cfg(test)]
mod tests {
    use super::{RefundIssued, Shop, pay_back};
    use audit_client::Identity;
    use audit_client::testing::Recorder;
    use std::sync::Arc;

    #[tokio::test]
    async fn refunding_emits_refund_issued_with_its_amount_and_its_actor() {
        let recorder = Recorder::new();
        let shop = Shop { audit: recorder.client(), orders: Arc::default() };
        shop.orders.lock().expect("orders").insert(7, Some(1999));
        let staff = Identity::new("Staff", "bob@example.com").expect("valid");

        let outcome = pay_back(&shop, 7);
        let event = RefundIssued { order_id: 7, outcome: &outcome };
        drop(shop.audit.acting_as(&staff).emit(&event).await.expect("accepted"));

        let refund = recorder.only("RefundIssued");
        assert_eq!(refund.request("orderId"), 7);
        assert_eq!(refund.response("amountCents"), 1999);
        assert_eq!(refund.principal_id(), "bob@example.com");

        recorder.clear();
        let outcome = pay_back(&shop, 7);
        let event = RefundIssued { order_id: 7, outcome: &outcome };
        drop(shop.audit.acting_as(&staff).emit(&event).await.expect("accepted"));
        assert_eq!(recorder.only("RefundIssued").error_code(), Some("AlreadyRefunded"));
    }
}
