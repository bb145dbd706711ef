//! Calls over TCP, and what they leave in the record.

use std::sync::{Arc, Mutex};

use audit_client::testing::Recorder;
use audit_tower::{AuditLayer, ClientIp, RequestId};
use serde_json::json;
use tokio::net::TcpListener;
use tonic::transport::Channel;
use tonic::{Code, Request};

use crate::generated::bank_client::BankClient;
use crate::{StatementRequest, TransferRequest, as_user, server};

struct Scene {
    recorder: Recorder,
    bank: BankClient<Channel>,
    unaudited: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    async fn new() -> Self {
        let recorder = Recorder::new();
        let unaudited: Arc<Mutex<Vec<String>>> = Arc::default();
        let told = unaudited.clone();
        let layer = AuditLayer::new(recorder.client())
            .client_ip(ClientIp::x_forwarded_for().trusting(["127.0.0.0/8".parse().expect("a network")]))
            .request_id(RequestId::header("x-request-id"))
            .on_unaudited(move |route, method, _| told.lock().expect("calls").push(format!("{method} {route}")));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(server::serve_with(listener, layer, std::future::pending()));
        let bank = BankClient::connect(format!("http://{address}")).await.expect("connected");
        Self { recorder, bank, unaudited }
    }
}

fn transfer(cents: u64) -> TransferRequest {
    TransferRequest { from_account: "A".to_owned(), to_account: "B".to_owned(), cents }
}

#[tokio::test]
async fn a_call_leaves_who_made_it_from_where_and_under_which_id() {
    let mut scene = Scene::new().await;
    let mut request = as_user("alice", transfer(1)).expect("a request");
    request.metadata_mut().insert("x-forwarded-for", "198.51.100.1".parse().expect("ASCII"));
    request.metadata_mut().insert("x-request-id", "r-1".parse().expect("ASCII"));
    let reply = scene.bank.transfer(request).await.expect("transferred");
    assert_eq!(reply.metadata().get("x-request-id").expect("the same id"), "r-1");
    let event = scene.recorder.only("MoneyTransferred");
    assert_eq!((event.principal_id(), &event.json()["sourceIPAddress"]), ("alice", &json!("198.51.100.1")));
    assert!(event.json()["userAgent"].as_str().expect("an agent").starts_with("tonic/"));
    let additional = &event.json()["additionalEventData"];
    assert_eq!((&additional["requestId"], &additional["peerIPAddress"]), (&json!("r-1"), &json!("127.0.0.1")));
    assert_eq!(event.response("balanceCents"), 9_999);
}

#[tokio::test]
async fn a_refused_call_leaves_its_reason_and_one_without_a_caller_leaves_nothing() {
    let mut scene = Scene::new().await;
    let status =
        scene.bank.transfer(as_user("bob", transfer(1_000_000)).expect("a request")).await.expect_err("refused");
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(scene.recorder.only("MoneyTransferred").error_code(), Some("TooLittleMoney"));
    scene.recorder.clear();
    let status = scene.bank.transfer(Request::new(transfer(1))).await.expect_err("refused");
    assert_eq!(status.code(), Code::Unauthenticated);
    assert!(scene.recorder.events().is_empty());
    assert_eq!(*scene.unaudited.lock().expect("calls"), [""; 0]);
}

#[tokio::test]
async fn a_call_that_streams_its_answer_is_a_call_like_others() {
    let mut scene = Scene::new().await;
    let request = as_user("carol", StatementRequest { account: "A".to_owned() }).expect("a request");
    let mut postings = scene.bank.statement(request).await.expect("a stream").into_inner();
    assert_eq!(postings.message().await.expect("a posting").expect("one").cents, 10_000);
    assert_eq!(postings.message().await.expect("the end"), None);
    assert_eq!(scene.recorder.only("StatementRead").principal_id(), "carol");
}
