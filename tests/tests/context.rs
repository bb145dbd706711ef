//! Every example of docs/context.md does what the page says.

#![expect(clippy::unwrap_used, reason = "the lint knows only functions marked as tests to be tests")]

use std::net::SocketAddr;

use audit_client::testing::Recorder;
use audit_client::{ActingAs, Identity};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

mod page {
    #![allow(
        dead_code,
        missing_docs,
        unreachable_pub,
        unused_imports,
        clippy::wildcard_imports,
        reason = "as readers see it"
    )]
    include!(concat!(env!("OUT_DIR"), "/context.rs"));
}

async fn call(router: Router, mut request: Request<Body>) -> StatusCode {
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 9], 4711))));
    router.oneshot(request).await.unwrap().status()
}

fn identity(kind: &str, principal: &str) -> Identity {
    Identity::new(kind, principal).unwrap()
}

#[tokio::test]
async fn an_argument_says_who_acts() {
    let recorder = Recorder::new();
    let staff = page::as_an_argument::Staff { email: "alice@example.com".to_owned() };
    page::as_an_argument::delete_folder(&recorder.client(), &staff, "/plans").await.unwrap();
    let event = recorder.only("FolderDeleted");
    assert_eq!((event.principal_id(), event.request("path")), ("alice@example.com", &json!("/plans")));
}

#[tokio::test]
async fn the_extractor_finds_who_calls_from_where() {
    use page::by_an_extractor::{Session, router};

    let recorder = Recorder::new();
    let request = || Request::delete("/documents/7");
    let router = router(recorder.client());
    let stranger = request().body(Body::empty()).unwrap();
    assert_eq!(call(router.clone(), stranger).await, StatusCode::UNAUTHORIZED);
    assert!(recorder.events().is_empty());
    let known = request().extension(Session { customer: "7".to_owned() }).body(Body::empty()).unwrap();
    assert_eq!(call(router.clone(), known).await, StatusCode::NO_CONTENT);
    let event = recorder.only("DocumentDeleted");
    assert_eq!((event.principal_id(), &event.json()["sourceIPAddress"]), ("7", &json!("10.0.0.9")));
    for (name, status, principal) in
        [("eve@example.com", StatusCode::UNAUTHORIZED, "-"), ("ada@example.com", StatusCode::NO_CONTENT, "7")]
    {
        recorder.clear();
        let sign_in = Request::post("/sign-in").body(name.into()).unwrap();
        assert_eq!(call(router.clone(), sign_in).await, status);
        let event = recorder.only("SignIn");
        assert_eq!((event.principal_id(), event.ip()), (principal, Some("10.0.0.9")));
    }
}

#[tokio::test]
async fn the_scope_reaches_code_below_and_other_tasks() {
    use page::from_the_scope::{by_hand, in_other_tasks, raise_quota};

    let recorder = Recorder::new();
    by_hand(recorder.client()).await.unwrap();
    assert_eq!(recorder.only("QuotaRaised").principal_id(), "bob");
    let acting = recorder.client().acting_as(&identity("Operator", "eve"));
    acting.scope(in_other_tasks()).await.unwrap();
    let events = recorder.events();
    assert_eq!(events.len(), 4);
    assert!(events[1..].iter().all(|event| event.principal_id() == "eve"));
    assert!(raise_quota(1).await.unwrap_err().to_string().contains("outside of a scope"));
    assert!(ActingAs::current().is_none());
}

#[tokio::test]
async fn whom_it_is_for_is_a_detail_as_the_page_shows() {
    use page::for_whom::{AddressChanged, change_address, script_of};

    let recorder = Recorder::new();
    let support = recorder.client().acting_as(&identity("Staff", "alice@example.com"));
    let customer = identity("Customer", "7");
    change_address(&support, &customer, 7).await.unwrap();
    let event = recorder.only("AddressChanged");
    assert_eq!(event.principal_id(), "alice@example.com");
    assert_eq!(event.json()["userIdentity"]["details"]["onBehalfOf"]["principalId"], "7");
    recorder.clear();
    let _receipt = script_of(&support, &customer).unwrap().emit(&AddressChanged { account: 7 }).await.unwrap();
    let page = include_str!("../../docs/context.md");
    let shown = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let shown: Value = serde_json::from_str(shown).unwrap();
    assert_eq!(recorder.only("AddressChanged").json()["userIdentity"], shown["userIdentity"]);
}

#[tokio::test]
async fn a_job_names_who_asked_for_it() {
    use page::to_another_process::{queue, work};

    let (web, worker) = (Recorder::new(), Recorder::new());
    let acting = web.client().acting_as(&identity("Customer", "7")).source_ip([192, 0, 2, 1].into());
    work(&worker.client(), &queue(&acting, 9).unwrap()).await.unwrap();
    let event = worker.only("ExportMade");
    assert_eq!((event.principal_id(), &event.json()["sourceIPAddress"]), ("7", &json!("192.0.2.1")));
    assert!(work(&worker.client(), r#"{"export":1,"acting":{"version":99}}"#).await.is_err());
}

#[tokio::test]
async fn a_proxy_that_is_trusted_names_the_client() {
    use page::by_an_extractor::{Session, delete_document};

    let recorder = Recorder::new();
    let layer = page::behind_proxies::layer(recorder.client()).unwrap();
    let router = Router::new().route("/documents/{document}", axum::routing::delete(delete_document)).layer(layer);
    let request = Request::delete("/documents/7")
        .header("x-forwarded-for", "1.1.1.1, 198.51.100.1, 10.0.0.2")
        .header("x-request-id", "r-1")
        .extension(Session { customer: "7".to_owned() })
        .body(Body::empty())
        .unwrap();
    assert_eq!(call(router, request).await, StatusCode::NO_CONTENT);
    let event = recorder.only("DocumentDeleted");
    assert_eq!(event.json()["sourceIPAddress"], "198.51.100.1");
    let additional = &event.json()["additionalEventData"];
    assert_eq!((&additional["requestId"], &additional["peerIPAddress"]), (&json!("r-1"), &json!("10.0.0.9")));
}

#[tokio::test]
async fn only_the_route_that_forgets_its_event_is_told() {
    let told = page::routes_that_forget_their_event::routes_that_forget(&["/search", "/documents/7/name"]).await;
    assert_eq!(told, ["POST /documents/{id}/name"]);
}
