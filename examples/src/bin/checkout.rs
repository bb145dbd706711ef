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
use std::sync::atomic::{AtomicU64, Ordering};
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
    next_order: Arc<AtomicU64>,
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
    let order_id = shop.next_order.fetch_add(1, Ordering::Relaxed);
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
    // Encoded before the order is placed: what cannot be on record does not happen.
    let entry = shop.audit.encode(&placed)?;
    shop.orders.lock().unwrap_or_else(PoisonError::into_inner).insert(order_id, Some(order.amount_cents));
    // Accepted is enough: the customer need not wait for the delivery.
    let _receipt = shop.audit.emit(entry).await?;
    Ok((StatusCode::CREATED, Json(serde_json::json!({ "orderId": order_id }))).into_response())
}

async fn refund(
    State(shop): State<Shop>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(order_id): Path<u64>,
) -> Result<Response, Refused> {
    let staff = Identity::new("Staff", &signed_in(&headers, "x-staff")?).map_err(|_| Refused::NotSignedIn)?;
    let acting = shop.audit.acting_as(&staff).source_ip(peer.ip());
    let acting = user_agent(&headers).map_or(acting.clone(), |agent| acting.user_agent(agent));
    let outcome = pay_back(&shop, order_id);
    // A refused refund is an event too. Nothing in it has a limit that a caller could exceed, and from its first poll on the
    // event stays in line, so it is on record also if the caller disconnects here.
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
        .with_state(Shop { audit, orders: Arc::default(), next_order: Arc::new(AtomicU64::new(1)) })
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
    use std::task::Poll;

    use audit_client::testing::Recorder;

    use super::*;

    #[tokio::test]
    async fn refunding_emits_refund_issued_with_its_amount_and_its_actor() {
        let recorder = Recorder::new();
        let shop = Shop { audit: recorder.client(), orders: Arc::default(), next_order: Arc::default() };
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

    /// A server drops a handler when its caller disconnects, at whichever await it stands.
    #[tokio::test]
    async fn a_caller_that_disconnects_leaves_no_refund_without_its_event() {
        let lake = Lake::builder().start().await.expect("a lake");
        let key = lake.access_key();
        let spool = tempfile::tempdir().expect("a folder");
        let audit = AuditClient::builder()
            .channel_arn(lake.channel_arn().as_str())
            .endpoint_url(lake.endpoint_url())
            .credentials(Credentials::new(key.id(), key.secret(), None, None, "checkout"))
            .hmac_key("2026a", b"a test's key, of thirty-two bytes")
            .spool(spool.path())
            .build()
            .await
            .expect("a client");
        let shop = Shop { audit, orders: Arc::default(), next_order: Arc::default() };
        let mut headers = HeaderMap::new();
        headers.insert("x-staff", "bob@example.com".parse().expect("a header"));
        headers.insert("x-user", "alice@example.com".parse().expect("a header"));
        headers.insert("user-agent", "x".repeat(2_000).parse().expect("a header"));
        let peer = ConnectInfo(([192, 0, 2, 1], 1).into());
        let mut completed = 0;
        for polls in 0..200 {
            let item = "teapot".to_owned();
            let order = Order { item, quantity: 1, amount_cents: 5, iban: "DE02120300000000202051".to_owned() };
            let placing = place_order(State(shop.clone()), peer, headers.clone(), Json(order));
            completed += usize::from(poll_up_to(polls, placing).await);
            let refunding = refund(State(shop.clone()), peer, headers.clone(), Path(polls));
            completed += usize::from(poll_up_to(polls, refunding).await);
        }
        assert!((1..400).contains(&completed), "some callers stayed, and some did not: {completed}");
        let orders = shop.orders.lock().expect("orders").clone();
        let report = shop.audit.shutdown(Duration::from_secs(20)).await;
        assert!(report.is_complete(), "{report}");

        let mut stored: HashMap<(String, u64), usize> = HashMap::new();
        for event in lake.events().await.expect("events") {
            let data: serde_json::Value = serde_json::from_str(&event.event_data).expect("JSON");
            let order = data["requestParameters"]["orderId"].as_u64().expect("an order");
            if data.get("errorCode").is_none() {
                *stored.entry((data["eventName"].as_str().expect("a name").to_owned(), order)).or_default() += 1;
            }
        }
        for (order, paid) in orders {
            assert_eq!(stored.get(&("OrderPlaced".to_owned(), order)), Some(&1), "order {order}");
            let refunds = stored.get(&("RefundIssued".to_owned(), order)).copied().unwrap_or_default();
            assert_eq!(refunds, usize::from(paid.is_none()), "order {order}");
        }
        lake.shutdown().await;
    }

    /// Polls a handler this many times, then drops it. Says whether it was complete.
    async fn poll_up_to<F: Future>(polls: u64, handler: F) -> bool {
        let mut handler = std::pin::pin!(handler);
        for _ in 0..polls {
            if std::future::poll_fn(|context| Poll::Ready(handler.as_mut().poll(context).is_ready())).await {
                return true;
            }
            tokio::task::yield_now().await;
        }
        false
    }
}
