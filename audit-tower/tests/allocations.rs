//! What the layer costs a request that emits nothing.

use std::convert::Infallible;

use audit_client::testing::Recorder;
use audit_tower::{AuditLayer, ClientIp, PeerAddr};
use axum::body::Body;
use axum::http::{Request, Response};
use tower::{Layer, Service, service_fn};

fn request() -> Request<Body> {
    let mut request = Request::get("/orders/17")
        .header("user-agent", "till/7")
        .header("x-forwarded-for", "198.51.100.1")
        .body(Body::empty())
        .expect("a request");
    // As hyper gives them: slices of one buffer, whose clones allocate nothing.
    drop(request.headers().clone());
    request.extensions_mut().insert(PeerAddr("10.0.0.9:4711".parse().expect("an address")));
    request
}

/// The allocations of a thousand requests.
fn allocations<B>(mut service: impl Service<Request<Body>, Response = Response<B>, Error = Infallible>) -> u64 {
    let requests: Vec<Request<Body>> = (0..1_000).map(|_| request()).collect();
    let counted = allocation_counter::measure(|| {
        for request in requests {
            let _ = std::hint::black_box(pollster(service.call(request)));
        }
    });
    counted.count_total
}

fn pollster<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => unreachable!("the handler does not wait"),
    }
}

#[test]
fn a_request_without_events_takes_two_allocations_more() {
    let handler = || service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let trusted = ["10.0.0.0/8".parse().expect("a network")];
    let layer = AuditLayer::new(Recorder::new().client()).client_ip(ClientIp::x_forwarded_for().trusting(trusted));
    let (with, without) = (allocations(layer.layer(handler())), allocations(handler()));
    assert!(with <= without + 2_000, "{with} with the layer, {without} without");
}
