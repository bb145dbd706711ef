//! Identities: enums of them, hidden principals and details, and trait objects in futures.

use std::sync::Arc;

use audit_core::{AccountId, AuditEvent, Context, EncodeFault, HmacKeys, UserIdentity};

#[derive(UserIdentity)]
#[audit(type = "Service")]
enum Caller<'a, T> {
    #[audit(type = "Customer")]
    Customer {
        #[audit(principal_id, hmac)]
        email: &'a str,
        #[audit(hmac)]
        phone: Option<T>,
        #[audit(redact)]
        name: &'a str,
        #[audit(skip)]
        session: u8,
    },
    Service(#[audit(principal_id)] u32),
    #[audit(type = TYPE)]
    Hidden(#[audit(principal_id, redact)] std::sync::Mutex<u8>, #[audit(rename = "a")] T),
}

const TYPE: &str = "Unnamed";

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
struct ByContext;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
struct ByField<I: UserIdentity> {
    #[audit(user_identity)]
    by: I,
}

fn customer() -> Caller<'static, &'static str> {
    Caller::Customer { email: "SECRET@example.com", phone: Some("SECRET phone"), name: "SECRET name", session: 0 }
}

fn context() -> Context {
    Context::new(AccountId::from_static("123456789012"))
}

fn identity_of(event: &dyn AuditEvent, context: &Context) -> serde_json::Value {
    let entry = event.to_entry(context).expect("a right event");
    serde_json::from_str::<serde_json::Value>(entry.event_data()).expect("JSON")["userIdentity"].clone()
}

fn shown() -> serde_json::Value {
    let keys = HmacKeys::new().add("k", b"key");
    let of = |value: &str| keys.search(value).remove(0);
    serde_json::json!({
        "type": "Customer",
        "principalId": of("SECRET@example.com"),
        "details": { "phone": of("SECRET phone"), "name": "[REDACTED]" },
    })
}

#[test]
fn each_variant_is_an_identity_with_hidden_fields() {
    let context = context().hmac_key("k", b"key");
    assert_eq!(identity_of(&ByField { by: customer() }, &context), shown());
    let service = ByField { by: Caller::<u8>::Service(7) };
    assert_eq!(identity_of(&service, &context), serde_json::json!({ "type": "Service", "principalId": "7" }));
    let hidden = ByField { by: Caller::Hidden(std::sync::Mutex::new(1), 2) };
    assert_eq!(
        identity_of(&hidden, &context),
        serde_json::json!({ "type": "Unnamed", "principalId": "[REDACTED]", "details": { "a": 2 } })
    );
}

#[test]
fn the_key_may_come_before_or_after_the_identity() {
    let before = context().hmac_key("k", b"key").identity(&customer());
    assert_eq!(identity_of(&ByContext, &before), shown());
    let after = context().identity(&customer()).user_agent("a").hmac_key("k", b"key");
    assert_eq!(identity_of(&ByContext, &after), shown());
    let error = ByContext.to_entry(&context().identity(&customer())).unwrap_err();
    assert!(matches!(error.fault(), EncodeFault::NoHmacKey { key } if key == "userIdentity"), "{error}");
    let replaced = context().identity(&customer()).identity(&Caller::<u8>::Service(7)).hmac_key("k", b"key");
    assert_eq!(identity_of(&ByContext, &replaced)["principalId"], "7");
    let wrong = context().identity(&customer()).hmac_key("not an id", b"key");
    assert!(matches!(ByContext.to_entry(&wrong).unwrap_err().fault(), EncodeFault::HmacKeyId));
}

#[test]
fn without_a_key_there_is_an_error_and_a_hidden_principal_is_nowhere_shown() {
    let error = ByField { by: customer() }.to_entry(&context()).unwrap_err();
    assert!(matches!(error.fault(), EncodeFault::NoHmacKey { key } if key.contains("principalId")), "{error}");
    assert_eq!(customer().principal_id(), "[REDACTED]");
    let waiting = context().identity(&customer());
    for shown in [format!("{error:?} {error}"), format!("{waiting:?}")] {
        assert!(!shown.contains("SECRET"), "{shown}");
    }
    let empty: Caller<u8> = Caller::Customer { email: "", phone: None, name: "", session: 0 };
    let entry = ByField { by: empty }.to_entry(&context().hmac_key("k", b"key")).expect("an event");
    assert!(
        entry.event_data().contains(r#""principalId":"-""#),
        "an empty principal hides nothing: {}",
        entry.event_data()
    );
}

#[test]
fn a_future_that_holds_a_shared_identity_is_send() {
    async fn act(by: &(dyn UserIdentity + Send + Sync), then: impl Future<Output = ()>) -> bool {
        then.await;
        let context = context().hmac_key("k", b"key").identity(by);
        ByContext.to_entry(&context).is_ok() && ByField { by }.to_entry(&context).is_ok()
    }
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    let by: Arc<dyn UserIdentity + Send + Sync> = Arc::new(customer());
    let future = is_send(async move { act(&*by, std::future::ready(())).await });
    let waker = std::task::Waker::noop();
    let polled = std::pin::pin!(future).poll(&mut std::task::Context::from_waker(waker));
    assert_eq!(polled, std::task::Poll::Ready(true));
}
