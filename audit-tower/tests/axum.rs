//! An axum server with the layer, called as its callers do.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use audit_client::testing::Recorder;
use audit_client::{ActingAs, AuditClient, AuditEvent, EventId, UserIdentity, spawn};
use audit_tower::{Audit, AuditAnonymous, AuditLayer, ClientIp, NotAudited, PeerAddr, RequestId};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use axum::routing::{any, get, post};
use http_body_util::{BodyExt, Empty};
use serde_json::Value;
use tower::{Layer, ServiceExt};

#[derive(UserIdentity)]
#[audit(type = "Staff")]
struct Staff {
    #[audit(principal_id)]
    name: String,
}

impl<S: Sync> FromRequestParts<S> for Staff {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let name = parts.headers.get("x-staff").and_then(|name| name.to_str().ok());
        name.map(|name| Self { name: name.to_owned() }).ok_or((StatusCode::UNAUTHORIZED, "who are you?"))
    }
}

#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
struct Refunded {
    #[audit(id)]
    event: EventId,
    order: u64,
}

fn refunded(order: u64) -> Refunded {
    Refunded { event: EventId::generate(), order }
}

async fn refund(audit: Audit<Staff>, Path(order): Path<u64>) {
    audit.emit(&refunded(order)).await.expect("room");
}

async fn login(audit: AuditAnonymous) -> StatusCode {
    audit.emit(&refunded(0)).await.expect("room");
    StatusCode::UNAUTHORIZED
}

/// Three calls below the handler, in another task, and in the body.
async fn deep(audit: Audit<Staff>) -> Body {
    async fn business(order: u64) {
        tokio::task::yield_now().await;
        ActingAs::current().expect("in a scope").emit(&refunded(order)).await.expect("room");
    }
    drop(audit);
    business(1).await;
    spawn(business(2)).await.expect("no panic");
    Body::new(Late)
}

/// Emits when it is read.
struct Late;

impl axum::body::HttpBody for Late {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        ActingAs::current().expect("in a scope").try_emit(&refunded(3)).expect("room");
        std::task::Poll::Ready(None)
    }
}

/// Panics when it is read.
struct Panics;

impl axum::body::HttpBody for Panics {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        panic!("on purpose")
    }
}

fn layer(client: AuditClient) -> AuditLayer {
    AuditLayer::new(client)
}

fn router(layer: AuditLayer) -> Router {
    Router::new()
        .route("/orders/{id}/refund", post(refund))
        .route("/login", post(login))
        .route("/deep", post(deep))
        .route("/forgets/{id}", any(async || "done"))
        .route("/fails", post(async || StatusCode::BAD_REQUEST))
        .route("/search", post(async || "found").layer(NotAudited("reads only")))
        .route(
            "/later",
            post(async || {
                drop(spawn(async {
                    tokio::task::yield_now().await;
                    emit().await;
                }));
            }),
        )
        .layer(layer)
}

async fn emit() {
    let acting = ActingAs::current().expect("in a scope");
    acting.acting_as(&Staff { name: "job".to_owned() }).emit(&refunded(9)).await.expect("room");
}

fn request(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let peer = SocketAddr::from(([10, 0, 0, 9], 4711));
    request.extension(ConnectInfo(peer)).body(Body::empty()).expect("a request")
}

async fn call(router: &Router, request: Request<Body>) -> Response<Body> {
    router.clone().oneshot(request).await.expect("infallible")
}

async fn read(response: Response<Body>) -> Bytes {
    response.into_body().collect().await.expect("a body").to_bytes()
}

fn json(recorder: &Recorder) -> Vec<Value> {
    recorder.events().iter().map(|event| event.json().clone()).collect()
}

#[tokio::test]
async fn an_event_of_a_request_has_its_actor_address_agent_and_id() {
    let recorder = Recorder::new();
    let layer = layer(recorder.client())
        .client_ip(ClientIp::x_forwarded_for().trusting(["10.0.0.0/8".parse().expect("a network")]))
        .request_id(RequestId::header("x-request-id"));
    let headers = [
        ("x-staff", "alice"),
        ("user-agent", "till/7"),
        ("x-forwarded-for", "1.1.1.1, 198.51.100.1"),
        ("x-request-id", "r-1"),
    ];
    let response = call(&router(layer), request(Method::POST, "/orders/17/refund", &headers)).await;
    assert_eq!(
        (response.status(), &response.headers()["x-request-id"]),
        (StatusCode::OK, &"r-1".parse().expect("ASCII"))
    );
    let event = &json(&recorder)[0];
    assert_eq!(event["userIdentity"]["principalId"], "alice");
    assert_eq!((&event["sourceIPAddress"], &event["userAgent"]), (&"198.51.100.1".into(), &"till/7".into()));
    let additional = serde_json::json!({"requestId": "r-1", "peerIPAddress": "10.0.0.9"});
    assert_eq!(event["additionalEventData"], additional);
}

#[tokio::test]
async fn by_default_the_address_is_the_peers_and_the_id_is_the_same_for_all_events_of_a_request() {
    let recorder = Recorder::new();
    let router = router(layer(recorder.client()));
    let headers = [("x-staff", "alice"), ("x-forwarded-for", "198.51.100.1"), ("x-request-id", "theirs")];
    let response = call(&router, request(Method::POST, "/deep", &headers)).await;
    assert!(!response.headers().contains_key("x-request-id"));
    read(response).await;
    let events = json(&recorder);
    assert_eq!(events.len(), 3, "of the handler, of another task, of the body");
    for event in &events {
        assert_eq!(event["additionalEventData"], events[0]["additionalEventData"]);
        assert_eq!(event["sourceIPAddress"], "10.0.0.9");
        assert_eq!(event["additionalEventData"].get("peerIPAddress"), None);
    }
    assert_eq!(events[0]["additionalEventData"]["requestId"].as_str().map(str::len), Some(36));
}

#[tokio::test]
async fn without_an_actor_the_answer_is_the_actors_and_before_a_login_it_is_anonymous() {
    let recorder = Recorder::new();
    let router = router(layer(recorder.client()));
    let response = call(&router, request(Method::POST, "/orders/17/refund", &[])).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(read(response).await, "who are you?");
    assert!(json(&recorder).is_empty());
    call(&router, request(Method::POST, "/login", &[])).await;
    let identity = serde_json::json!({"type": "Anonymous", "principalId": "-"});
    assert_eq!(json(&recorder)[0]["userIdentity"], identity);

    let bare = Router::new().route("/orders/{id}/refund", post(refund));
    let response = call(&bare, request(Method::POST, "/orders/17/refund", &[("x-staff", "alice")])).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn what_a_stranger_sends_neither_suppresses_nor_forges_an_event() {
    let recorder = Recorder::new();
    let layer = layer(recorder.client()).request_id(RequestId::header("x-request-id"));
    let agent = "x".repeat(30_000);
    let mut hostile = request(
        Method::POST,
        "/orders/17/refund",
        &[("x-staff", "alice"), ("user-agent", &agent), ("x-request-id", "a b")],
    );
    hostile.headers_mut().append("x-forwarded-for", b"\xFF\xFE, 127.0.0.1"[..].try_into().expect("a header"));
    call(&router(layer), hostile).await;
    let event = &json(&recorder)[0];
    assert_eq!(event["userAgent"].as_str().map(|agent| agent.chars().count()), Some(1_024));
    assert_eq!(event["sourceIPAddress"], "10.0.0.9");
    assert_eq!(event["additionalEventData"]["requestId"].as_str().map(str::len), Some(36));
}

#[tokio::test]
async fn the_routes_that_forget_their_event_are_told() {
    let recorder = Recorder::new();
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let tell = told.clone();
    let layer = layer(recorder.client()).on_unaudited(move |route, method, status| {
        tell.lock().expect("not poisoned").push(format!("{method} {route} {}", status.as_u16()));
    });
    let router = router(layer);
    let staff = [("x-staff", "alice")];
    for (method, path) in [
        (Method::GET, "/forgets/1"),
        (Method::HEAD, "/forgets/1"),
        (Method::OPTIONS, "/forgets/1"),
        (Method::POST, "/fails"),
        (Method::POST, "/search"),
        (Method::POST, "/nowhere"),
        (Method::POST, "/deep"),
        (Method::POST, "/later"),
        (Method::POST, "/orders/17/refund"),
    ] {
        read(call(&router, request(method, path, &staff)).await).await;
    }
    while json(&recorder).len() < 5 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*told.lock().expect("not poisoned"), [""; 0]);
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        drop(call(&router, request(method, "/forgets/17", &staff)).await);
    }
    let expected = ["POST /forgets/{id} 200", "PUT /forgets/{id} 200", "DELETE /forgets/{id} 200"];
    assert_eq!(*told.lock().expect("not poisoned"), expected);
}

/// A call of gRPC whose answer ends with this status.
fn grpc(status: &'static str) -> axum::routing::MethodRouter {
    post(async move || {
        let trailers = [("grpc-status".parse().expect("a name"), status.parse().expect("a value"))];
        let body = Empty::<Bytes>::new().with_trailers(async move { Some(Ok(trailers.into_iter().collect())) });
        ([("content-type", "application/grpc")], Body::new(body))
    })
}

#[tokio::test]
async fn a_call_of_grpc_that_fails_needs_no_event() {
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let tell = told.clone();
    let layer = layer(Recorder::new().client())
        .on_unaudited(move |route, _, _| tell.lock().expect("not poisoned").push(route.to_owned()));
    let router = Router::new().route("/bank.Bank/Fails", grpc("13")).route("/bank.Bank/Works", grpc("0")).layer(layer);
    for path in ["/bank.Bank/Fails", "/bank.Bank/Works"] {
        read(call(&router, request(Method::POST, path, &[])).await).await;
    }
    assert_eq!(*told.lock().expect("not poisoned"), ["/bank.Bank/Works"]);
}

#[tokio::test]
async fn a_layer_that_exempts_may_stand_outside() {
    let told: Arc<Mutex<u32>> = Arc::default();
    let tell = told.clone();
    let audited = layer(Recorder::new().client()).on_unaudited(move |_, _, _| *tell.lock().expect("not poisoned") += 1);
    let forgets = Router::new().route("/", post(async || "done")).layer(audited);
    drop(NotAudited("inside").layer(forgets.clone()).oneshot(request(Method::POST, "/", &[])).await);
    assert_eq!(*told.lock().expect("not poisoned"), 0);
    drop(forgets.oneshot(request(Method::POST, "/", &[])).await);
    assert_eq!(*told.lock().expect("not poisoned"), 1);
}

#[tokio::test]
async fn the_plain_client_in_a_request_has_its_address_agent_and_id_too() {
    #[derive(AuditEvent)]
    #[audit(source = "orders.example.com", generate_id)]
    struct Named<'a> {
        #[audit(user_identity)]
        by: &'a Staff,
    }
    let recorder = Recorder::new();
    let client = recorder.client();
    let handler = post(async move || {
        let staff = Staff { name: "alice".to_owned() };
        client.emit(&Named { by: &staff }).await.expect("room");
        let acting = client.acting_as(&staff);
        acting.emit(&refunded(1)).await.expect("room");
        acting.scope(async { ActingAs::current().expect("in a scope").emit(&refunded(2)).await }).await.expect("room");
    });
    let told: Arc<Mutex<u32>> = Arc::default();
    let tell = told.clone();
    let layer = layer(recorder.client()).on_unaudited(move |_, _, _| *tell.lock().expect("not poisoned") += 1);
    let router = Router::new().route("/", handler).layer(layer);
    call(&router, request(Method::POST, "/", &[("user-agent", "till/7")])).await;
    let events = json(&recorder);
    assert_eq!(events.len(), 3);
    for event in &events {
        assert_eq!((&event["sourceIPAddress"], &event["userAgent"]), (&"10.0.0.9".into(), &"till/7".into()));
        assert_eq!(event["additionalEventData"]["requestId"], events[0]["additionalEventData"]["requestId"]);
    }
    assert_eq!(*told.lock().expect("not poisoned"), 0);
}

#[tokio::test]
async fn whoever_the_program_acts_as_is_no_caller() {
    let recorder = Recorder::with(|builder| builder.identity(&Staff { name: "the shop itself".to_owned() }));
    let handler = post(async || {
        let current = ActingAs::current().expect("in a scope");
        if current.emit(&refunded(1)).await.is_err() { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
    });
    let router = Router::new().route("/", handler).layer(layer(recorder.client()));
    let response = call(&router, request(Method::POST, "/", &[])).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(json(&recorder).is_empty());
}

#[tokio::test]
async fn a_scope_around_many_requests_takes_the_actor_of_none() {
    let recorder = Recorder::new();
    let router = router(layer(recorder.client()));
    let system = recorder.client().acting_as(&Staff { name: "system".to_owned() });
    let serve = async |name: &str| {
        let request = request(Method::POST, "/orders/1/refund", &[("x-staff", name)]);
        system.scope(call(&router, request)).await;
    };
    tokio::join!(serve("alice"), serve("mallory"));
    system.scope(async { ActingAs::current().expect("in a scope").emit(&refunded(9)).await }).await.expect("room");
    let mut actors: Vec<Value> =
        json(&recorder).iter().map(|event| event["userIdentity"]["principalId"].clone()).collect();
    actors.sort_by_key(ToString::to_string);
    assert_eq!(actors, ["alice", "mallory", "system"]);
}

#[tokio::test]
async fn the_peer_is_a_servers_own_word_then_axums_then_a_tests() {
    use axum::extract::connect_info::MockConnectInfo;

    let recorder = Recorder::new();
    let router = router(layer(recorder.client()));
    let address = |text: &str| -> SocketAddr { text.parse().expect("an address") };
    let mut both = request(Method::POST, "/orders/1/refund", &[("x-staff", "alice")]);
    both.extensions_mut().insert(PeerAddr(address("203.0.113.7:1")));
    call(&router, both).await;
    let mut mocked = request(Method::POST, "/orders/2/refund", &[("x-staff", "alice")]);
    mocked.extensions_mut().remove::<ConnectInfo<SocketAddr>>();
    mocked.extensions_mut().insert(MockConnectInfo(address("192.0.2.1:1")));
    call(&router, mocked).await;
    let addresses: Vec<Value> = json(&recorder).iter().map(|event| event["sourceIPAddress"].clone()).collect();
    assert_eq!(addresses, ["203.0.113.7", "192.0.2.1"]);
}

#[tokio::test]
async fn a_layer_made_from_another_one_keeps_its_on_unaudited_and_a_stranger_names_no_route() {
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let tell = told.clone();
    let base = layer(Recorder::new().client())
        .on_unaudited(move |route, _, _| tell.lock().expect("not poisoned").push(route.to_owned()));
    let changed = base.clone().request_id(RequestId::header("x-request-id"));
    let router = Router::new().fallback(async || "done").layer(changed);
    let headers = [("content-type", "application/grpc")];
    drop(call(&router, request(Method::POST, "/stranger-1", &headers)).await);
    drop(base);
    assert_eq!(*told.lock().expect("not poisoned"), ["unknown"]);
}

#[tokio::test]
async fn the_handler_sees_the_id_that_the_answer_and_the_events_have() {
    let recorder = Recorder::new();
    let handler = post(async |audit: Audit<Staff>, headers: HeaderMap| {
        audit.emit(&refunded(1)).await.expect("room");
        headers["x-request-id"].to_str().expect("ASCII").to_owned()
    });
    let layer = layer(recorder.client()).request_id(RequestId::header("x-request-id"));
    let router = Router::new().route("/", handler).layer(layer);
    let response = call(&router, request(Method::POST, "/", &[("x-staff", "alice")])).await;
    let answered = response.headers()["x-request-id"].to_str().expect("ASCII").to_owned();
    let seen = String::from_utf8(read(response).await.to_vec()).expect("text");
    let id = &json(&recorder)[0]["additionalEventData"]["requestId"];
    assert_eq!((answered.as_str(), Some(answered.as_str())), (seen.as_str(), id.as_str()));
}

/// As where a router with a layer is nested into another one with a layer.
#[tokio::test]
async fn a_layer_around_a_layer_learns_of_the_events_in_it() {
    let recorder = Recorder::new();
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let layer = || {
        let tell = told.clone();
        layer(recorder.client())
            .on_unaudited(move |route, _, _| tell.lock().expect("not poisoned").push(route.to_owned()))
    };
    let router = Router::new().nest("/inner", router(layer())).layer(layer());
    for path in ["/inner/orders/17/refund", "/inner/search"] {
        call(&router, request(Method::POST, path, &[("x-staff", "alice")])).await;
    }
    assert_eq!((json(&recorder).len(), told.lock().expect("not poisoned").len()), (1, 0));
    call(&router, request(Method::POST, "/inner/forgets/1", &[])).await;
    assert_eq!(told.lock().expect("not poisoned").len(), 2, "of both");
}

#[tokio::test]
async fn an_on_unaudited_that_panics_does_no_harm_to_the_connection() {
    let layer = layer(Recorder::new().client()).on_unaudited(|_, _, _| panic!("this route forgot its event"));
    let router = Router::new().route("/", post(async || "done")).layer(layer);
    assert_eq!(read(call(&router, request(Method::POST, "/", &[])).await).await, "done");
}

#[tokio::test]
async fn an_on_unaudited_that_panics_does_not_end_the_process_while_a_body_panics() {
    let layer = layer(Recorder::new().client()).on_unaudited(|_, _, _| panic!("this route forgot its event"));
    let panics = post(async || Body::new(Panics));
    let router = Router::new().route("/", panics).layer(layer);
    let request = request(Method::POST, "/", &[]);
    let panicked = tokio::spawn(async move { read(call(&router, request).await).await }).await;
    assert!(panicked.is_err());
}

#[tokio::test]
async fn a_server_of_another_kind_names_the_peer_itself() {
    let recorder = Recorder::new();
    let router = router(layer(recorder.client()));
    let mut request = request(Method::POST, "/orders/1/refund", &[("x-staff", "alice")]);
    request.extensions_mut().remove::<ConnectInfo<SocketAddr>>();
    request.extensions_mut().insert(PeerAddr("[::ffff:203.0.113.7]:1".parse().expect("an address")));
    call(&router, request).await;
    assert_eq!(json(&recorder)[0]["sourceIPAddress"], "203.0.113.7");
}

/// Over one connection, so that one task of hyper's works for many requests at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_requests_at_once_over_http_2_are_not_mixed_up() {
    let recorder = Arc::new(Recorder::new());
    let slow = post(async |audit: Audit<Staff>, Path(order): Path<u64>| {
        for _ in 0..5 {
            tokio::task::yield_now().await;
            let current = ActingAs::current().expect("in a scope").acting_as(audit.actor());
            current.emit(&refunded(order)).await.expect("room");
        }
    });
    let router = Router::new()
        .route("/orders/{id}", slow)
        .layer(layer(recorder.client()).request_id(RequestId::header("x-request-id")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await });

    let stream = tokio::net::TcpStream::connect(address).await.expect("connected");
    let (sender, connection) = hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(stream),
    )
    .await
    .expect("HTTP/2");
    tokio::spawn(connection);
    let mut requests = tokio::task::JoinSet::new();
    for order in 0..100_u64 {
        let mut sender = sender.clone();
        requests.spawn(async move {
            let request = Request::post(format!("http://x/orders/{order}"))
                .header("x-staff", format!("staff-{order}"))
                .header("x-request-id", format!("request-{order}"))
                .header("user-agent", format!("agent-{order}"))
                .body(Empty::new())
                .expect("a request");
            assert_eq!(sender.send_request(request).await.expect("answered").status(), StatusCode::OK);
        });
    }
    requests.join_all().await;
    server.abort();
    let events = json(&recorder);
    assert_eq!(events.len(), 500);
    for event in events {
        let order = event["requestParameters"]["order"].as_u64().expect("a number");
        assert_eq!(event["userIdentity"]["principalId"], format!("staff-{order}"));
        assert_eq!(event["additionalEventData"]["requestId"], format!("request-{order}"));
        assert_eq!(event["userAgent"], format!("agent-{order}"));
        assert_eq!(event["sourceIPAddress"], "127.0.0.1");
    }
}

#[tokio::test]
async fn a_handler_that_panics_or_is_dropped_leaves_no_scope_behind() {
    let recorder = Recorder::new();
    let router = Router::new()
        .route("/panics", post(async |_: Audit<Staff>| -> () { panic!("on purpose") }))
        .route("/waits", get(async || std::future::pending::<()>().await))
        .layer(layer(recorder.client()));
    let panicking = router.clone();
    let staff = [("x-staff", "alice")];
    let request_ = request(Method::POST, "/panics", &staff);
    assert!(tokio::spawn(async move { panicking.oneshot(request_).await }).await.is_err());
    tokio::select! {
        biased;
        _ = router.oneshot(request(Method::GET, "/waits", &[])) => {}
        () = tokio::task::yield_now() => {}
    }
    assert!(ActingAs::current().is_none());
}
