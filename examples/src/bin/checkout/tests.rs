//! The shop as its callers meet it, and what they leave in the record.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use audit_client::AuditClient;
use audit_client::testing::{RecordedEvent, Recorder};
use audit_lake::Lake;
use audit_tower::AuditLayer;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use axum::routing::post;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::jobs;
use crate::people::{Person, Sessions};
use crate::routes::routes;
use crate::shop::{OrderState, Shop};

const PROVIDER: (&str, &str) = ("x-webhook-key", "an example's key");

/// A shop without a network, and its routes that forgot their event.
struct Scene {
    recorder: Recorder,
    shop: Shop,
    routes: Router,
    queue: mpsc::Receiver<String>,
    unaudited: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    fn new() -> Self {
        let recorder = Recorder::with(|builder| builder.hmac_key("test", b"a test's key, of thirty-two bytes"));
        let (jobs, queue) = mpsc::channel(10);
        let shop = Shop::new(jobs);
        let unaudited: Arc<Mutex<Vec<String>>> = Arc::default();
        let told = unaudited.clone();
        let layer = AuditLayer::new(recorder.client()).on_unaudited(move |route, method, _| {
            told.lock().expect("routes").push(format!("{method} {route}"));
        });
        let forgets = Router::new().route("/gift-wrap", post(async || "wrapped")).layer(layer.clone());
        let routes = routes(shop.clone(), layer).merge(forgets);
        Self { recorder, shop, routes, queue, unaudited }
    }

    async fn post(&self, path: &str, header: (&str, &str), body: &Value) -> (StatusCode, Value) {
        let response = self.routes.clone().oneshot(request(path, header, body)).await.expect("infallible");
        let status = response.status();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// The header of somebody who has signed in.
    async fn sign_in(&self, email: &str, password: &str) -> String {
        let login = json!({"email": email, "password": password});
        let (status, body) = self.post("/sign-in", ("x-none", ""), &login).await;
        assert_eq!(status, StatusCode::OK);
        format!("Bearer {}", body["token"].as_str().expect("a token"))
    }
}

fn request(path: &str, header: (&str, &str), body: &Value) -> Request<Body> {
    Request::post(path)
        .header(header.0, header.1)
        .header("user-agent", "test/1")
        .header("content-type", "application/json")
        .extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 1))))
        .body(body.to_string().into())
        .expect("a request")
}

fn order() -> Value {
    json!({"item": "teapot", "quantity": 2, "amountCents": 1999, "iban": "DE02120300000000202051"})
}

#[tokio::test]
async fn each_route_leaves_who_did_it_from_where_and_for_whom() {
    let mut scene = Scene::new();
    let alice = scene.sign_in("alice@example.com", "teapot").await;
    let bob = scene.sign_in("bob@example.com", "kettle").await;
    let (alice, bob) = (("authorization", alice.as_str()), ("authorization", bob.as_str()));

    assert_eq!(scene.post("/orders", alice, &order()).await, (StatusCode::CREATED, json!({"orderId": 1})));
    let placed = scene.recorder.only("OrderPlaced");
    assert_eq!((placed.principal_id(), &placed.json()["sourceIPAddress"]), ("alice@example.com", &json!("192.0.2.1")));
    assert_eq!(placed.json()["userAgent"], "test/1");
    assert!(placed.request("iban").as_str().expect("text").starts_with("hmac-sha256:"));
    scene.recorder.clear();

    assert_eq!(scene.post("/customers/carol@example.com/orders", bob, &order()).await.0, StatusCode::CREATED);
    let placed = scene.recorder.only("OrderPlaced");
    let identity = &placed.json()["userIdentity"];
    assert_eq!(identity["principalId"], "bob@example.com");
    assert_eq!(identity["details"]["onBehalfOf"]["principalId"], "carol@example.com");

    assert_eq!(scene.post("/orders/1/refund", bob, &Value::Null).await.0, StatusCode::CONFLICT);
    assert_eq!(scene.recorder.only("RefundIssued").error_code(), Some("NotPaid"));
    let payment = json!({"orderId": 1, "amountCents": 1999});
    assert_eq!(scene.post("/webhooks/payments", PROVIDER, &payment).await.0, StatusCode::NO_CONTENT);
    assert_eq!(scene.recorder.only("PaymentReceived").principal_id(), "payments.example.com");
    assert_eq!(scene.post("/webhooks/payments", PROVIDER, &payment).await.0, StatusCode::NOT_FOUND, "the same again");
    scene.recorder.clear();

    assert_eq!(scene.post("/orders/1/refund", bob, &Value::Null).await.0, StatusCode::OK);
    assert_eq!(scene.recorder.only("RefundIssued").response("amountCents"), 1999);
    let restocked = scene.recorder.only("Restocked");
    assert_eq!((restocked.principal_id(), restocked.request("quantity")), ("bob@example.com", &json!(2)));

    assert_eq!(scene.post("/exports", alice, &Value::Null).await.0, StatusCode::ACCEPTED);
    assert_eq!(scene.post("/prices", alice, &order()).await.0, StatusCode::OK);
    assert_eq!(scene.recorder.events().len(), 3);
    scene.queue.close();
    let orders = scene.shop.orders.clone();
    jobs::work(scene.recorder.client(), orders, std::mem::replace(&mut scene.queue, mpsc::channel(1).1)).await;
    let (requested, finished) = (scene.recorder.only("ExportRequested"), scene.recorder.only("ExportFinished"));
    for member in ["userIdentity", "sourceIPAddress", "userAgent", "additionalEventData"] {
        assert_eq!(finished.json()[member], requested.json()[member], "{member}");
    }
    assert_eq!(*scene.unaudited.lock().expect("routes"), [""; 0]);
}

#[tokio::test]
async fn a_login_that_fails_is_on_record_and_names_no_actor() {
    let scene = Scene::new();
    let login = json!({"email": "alice@example.com", "password": "guessed"});
    assert_eq!(scene.post("/sign-in", ("x-none", ""), &login).await.0, StatusCode::UNAUTHORIZED);
    let tried = scene.recorder.only("SignIn");
    assert_eq!(tried.json()["userIdentity"], json!({"type": "Anonymous", "principalId": "-"}));
    assert_eq!((tried.request("email"), tried.error_code()), (&json!("alice@example.com"), Some("WrongPassword")));
    assert!(!tried.json().to_string().contains("guessed"));
}

#[tokio::test]
async fn who_is_not_allowed_changes_nothing() {
    let scene = Scene::new();
    let alice = scene.sign_in("alice@example.com", "teapot").await;
    let alice = ("authorization", alice.as_str());
    for (path, header, status) in [
        ("/orders", ("x-none", ""), StatusCode::UNAUTHORIZED),
        ("/orders/1/refund", alice, StatusCode::FORBIDDEN),
        ("/webhooks/payments", alice, StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(scene.post(path, header, &order()).await.0, status, "{path}");
    }
    let names: Vec<_> = scene.recorder.events().iter().map(RecordedEvent::name).map(ToOwned::to_owned).collect();
    assert_eq!(names, ["SignIn"]);
}

#[tokio::test]
async fn the_one_route_that_forgets_its_event_is_found() {
    let scene = Scene::new();
    assert_eq!(scene.post("/gift-wrap", ("x-none", ""), &order()).await.0, StatusCode::OK);
    assert_eq!(*scene.unaudited.lock().expect("routes"), ["POST /gift-wrap"]);
}

/// A server drops a handler when its caller disconnects, at whichever await it stands.
#[tokio::test]
async fn a_caller_that_disconnects_leaves_nothing_done_without_its_event() {
    let lake = Lake::builder().start().await.expect("a lake");
    let key = lake.access_key();
    let spool = tempfile::tempdir().expect("a folder");
    let audit = AuditClient::builder()
        .channel_arn(lake.channel_arn().as_str())
        .endpoint_url(lake.endpoint_url())
        .access_key(key.id(), key.secret())
        .hmac_key("2026a", b"a test's key, of thirty-two bytes")
        .spool(spool.path())
        .build()
        .await
        .expect("a client");
    let (jobs, _queue) = mpsc::channel(1);
    let shop = Shop::new(jobs);
    let routes = routes(shop.clone(), AuditLayer::new(audit.clone()));
    let session = |email, password| {
        let person: Person = Sessions::person(email, password).expect("a person");
        format!("Bearer {}", shop.sessions.begin(person))
    };
    let (alice, bob) = (session("alice@example.com", "teapot"), session("bob@example.com", "kettle"));
    let mut completed = 0;
    for polls in 0..200_u64 {
        let (order_id, agent) = (polls + 1, "x".repeat(2_000));
        let order = json!({"item": "teapot", "quantity": 1, "amountCents": 5, "iban": "DE02120300000000202051"});
        let payment = json!({"orderId": order_id, "amountCents": 5});
        for mut request in [
            request("/orders", ("authorization", &alice), &order),
            request("/webhooks/payments", PROVIDER, &payment),
            request(&format!("/orders/{order_id}/refund"), ("authorization", &bob), &Value::Null),
        ] {
            request.headers_mut().insert("user-agent", agent.parse().expect("a header"));
            completed += usize::from(poll_up_to(polls, routes.clone().oneshot(request)).await);
        }
    }
    assert!((1..600).contains(&completed), "some callers stayed, and some did not: {completed}");
    let orders = shop.orders.lock().expect("orders").clone();
    let report = audit.shutdown(Duration::from_secs(20)).await;
    assert!(report.is_complete(), "{report}");

    let mut stored: HashMap<(String, u64), usize> = HashMap::new();
    for event in lake.events().await.expect("events") {
        let data: Value = serde_json::from_str(&event.event_data).expect("JSON");
        if data.get("errorCode").is_none() {
            let order = data["requestParameters"]["orderId"].as_u64().unwrap_or_default();
            *stored.entry((data["eventName"].as_str().expect("a name").to_owned(), order)).or_default() += 1;
        }
    }
    let count = |name: &str, order| stored.get(&(name.to_owned(), order)).copied().unwrap_or_default();
    for (&id, order) in &orders {
        assert_eq!(count("OrderPlaced", id), 1, "order {id}");
        assert_eq!(count("PaymentReceived", id), usize::from(order.state != OrderState::Placed), "order {id}");
        assert_eq!(count("RefundIssued", id), usize::from(order.state == OrderState::Refunded), "order {id}");
    }
    let placed = i64::try_from(orders.len()).expect("few");
    let restocked = i64::try_from(count("Restocked", 0)).expect("few");
    assert_eq!(shop.stock.lock().expect("stock")["teapot"], restocked - placed);
    lake.shutdown().await;
}

/// Polls a request this many times, then drops it. Says whether it was complete.
async fn poll_up_to<F: Future>(polls: u64, request: F) -> bool {
    let mut request = std::pin::pin!(request);
    for _ in 0..polls {
        if std::future::poll_fn(|context| Poll::Ready(request.as_mut().poll(context).is_ready())).await {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}
