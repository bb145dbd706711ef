//! What the layer costs a request, beside tower-http's and beside none.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, Waker};

use audit_bench::measure::{Row, measure};
use audit_bench::table::{Table, ratio, time};
use audit_client::testing::Recorder;
use audit_client::{ActingAs, AuditEvent, EventId, Identity};
use audit_tower::{AuditLayer, ClientIp, PeerAddr};
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::Empty;
use tower::{Layer, Service, service_fn};
use tower_http::trace::TraceLayer;

use super::Failed;

const TURNS: usize = 200;
/// The aim for a request without an event, in nanoseconds.
const AIM: f64 = 250.0;
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

type Body = Empty<&'static [u8]>;
type Answer = Result<Response<Body>, Infallible>;

#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
struct OrderShipped {
    #[audit(id)]
    event: EventId,
    order_id: u64,
    parcels: u8,
}

/// As a browser behind a balancer sends them.
fn headers() -> HeaderMap {
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
    [
        (header::HOST, "shop.example.com"),
        (header::USER_AGENT, agent),
        (header::ACCEPT, "application/json"),
        (header::ACCEPT_LANGUAGE, "de,en;q=0.5"),
        (header::CONTENT_TYPE, "application/json"),
        (FORWARDED, "198.51.100.1"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
    .into_iter()
    .collect()
}

/// Makes a request, and calls the service with it, which does not wait.
fn call<S, B>(method: &Method, mut service: S) -> impl FnMut()
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    let (method, headers) = (method.clone(), headers());
    let peer = SocketAddr::from(([10, 0, 0, 9], 4711));
    move || {
        let mut request = Request::new(Body::new());
        request.method_mut().clone_from(&method);
        request.headers_mut().clone_from(&headers);
        request.extensions_mut().insert(PeerAddr(peer));
        let mut future = std::pin::pin!(service.call(request));
        let answer = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(answer, Poll::Ready(Ok(_))), "the handler does not wait");
    }
}

async fn silent(_: Request<Body>) -> Answer {
    Ok(Response::new(Body::new()))
}

fn shipped() -> OrderShipped {
    OrderShipped { event: EventId::generate(), order_id: 17, parcels: 2 }
}

/// Requests without an event, and requests with one.
pub(crate) fn tables() -> Result<[Table; 2], Failed> {
    let client = Recorder::new().client();
    let staff = Identity::new("Staff", "alice@example.com")?;
    let forwarded = ClientIp::x_forwarded_for().trusting(["10.0.0.0/8".parse()?]);
    let audit = AuditLayer::new(client.clone()).client_ip(forwarded);

    let rows = measure(
        TURNS,
        vec![
            Row::new("no layer", call(&Method::GET, service_fn(silent))),
            Row::new("AuditLayer", call(&Method::GET, audit.layer(service_fn(silent)))),
            Row::new(
                "TraceLayer, without a subscriber",
                call(&Method::GET, TraceLayer::new_for_http().layer(service_fn(silent))),
            ),
            Row::new(
                "AuditLayer, and it counts a route that forgets its event",
                call(&Method::POST, audit.layer(service_fn(silent))),
            ),
        ],
    );
    let columns = ["a request without an event", "time", "more than without a layer", "allocations", "aim"];
    let mut without = Table::new("A request, with the making of it", &columns);
    for row in &rows {
        let more = row.nanos() - rows[0].nanos();
        let aim = if row.name == "AuditLayer" {
            let verdict = if more <= AIM { "met" } else { "missed" };
            format!("≤ {AIM:.0} ns more, 2 allocations more: {verdict}")
        } else {
            String::new()
        };
        without.row([row.name.clone(), time(row.nanos()), time(more), row.allocations.to_string(), aim]);
    }

    let by_hand = |request: Request<Body>| {
        let peer: Option<IpAddr> = request.extensions().get::<PeerAddr>().map(|peer| peer.0.ip());
        let first = request.headers().get(FORWARDED).and_then(|value| value.to_str().ok()?.parse().ok());
        let mut acting = client.acting_as(&staff).additional("requestId", EventId::generate().as_str());
        if let (Some(peer), Some(address)) = (peer, first) {
            acting = acting.source_ip(address).additional("peerIPAddress", &peer);
        }
        if let Some(agent) = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()) {
            acting = acting.user_agent(agent);
        }
        let encoded = acting.encode(&shipped()).is_ok();
        async move { if encoded { Ok(Response::new(Body::new())) } else { unreachable!("a right event") } }
    };
    let from_scope = |_: Request<Body>| {
        let acting = ActingAs::current().map(|request| request.acting_as(&staff));
        let encoded = acting.is_some_and(|acting| acting.encode(&shipped()).is_ok());
        async move { if encoded { Ok::<_, Infallible>(Response::new(Body::new())) } else { unreachable!("a right event") } }
    };
    let rows = measure(
        TURNS,
        vec![
            Row::new("its context put together by hand", call(&Method::POST, service_fn(by_hand))),
            Row::new("AuditLayer, ActingAs::current", call(&Method::POST, audit.layer(service_fn(from_scope)))),
        ],
    );
    let columns = ["a request with an event, until it is encoded", "time", "to by hand", "allocations"];
    let mut with = Table::new("A request with an event", &columns);
    for row in &rows {
        with.row([row.name.clone(), time(row.nanos()), ratio(row.ratio(&rows[0])), row.allocations.to_string()]);
    }
    Ok([without, with])
}
