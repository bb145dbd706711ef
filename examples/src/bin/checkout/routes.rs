//! The shop's API. `Audit<Customer>` says who calls, and acts as them.

use audit_tower::{Audit, AuditAnonymous, AuditLayer, NotAudited};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;

use crate::events::{ExportRequested, Payout, SignIn};
use crate::jobs::ExportJob;
use crate::people::{Customer, PaymentProvider, Sessions, Staff};
use crate::shop::{Order, Refused, Shop};

/// What a stranger sends must fit into an event: 100 kB.
const BODY_BYTES: usize = 16_384;

pub(crate) fn routes(shop: Shop, audit: AuditLayer) -> Router {
    Router::new()
        .route("/sign-in", post(sign_in))
        .route("/orders", post(place_order))
        .route("/customers/{email}/orders", post(place_order_for))
        .route("/orders/{order_id}/refund", post(refund))
        .route("/webhooks/payments", post(payment))
        .route("/exports", post(export))
        .route("/prices", post(price).layer(NotAudited("it computes, and changes nothing")))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(audit)
        .with_state(shop)
}

#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
}

/// A login that failed is on record with the name that was tried, and with no actor: nobody has proved to be one.
async fn sign_in(
    State(shop): State<Shop>,
    audit: AuditAnonymous,
    Json(login): Json<Login>,
) -> Result<Response, Refused> {
    let person = Sessions::person(&login.email, &login.password);
    let outcome = person.as_ref().map(|_| ()).map_err(|error| *error);
    let event = SignIn { email: &login.email, outcome: &outcome };
    Ok(match person {
        Ok(person) => {
            let _receipt = audit.acting_as(person.identity()).emit(&event).await?;
            Json(serde_json::json!({ "token": shop.sessions.begin(person) })).into_response()
        }
        Err(error) => {
            let _receipt = audit.emit(&event).await?;
            (StatusCode::UNAUTHORIZED, error.to_string()).into_response()
        }
    })
}

async fn place_order(
    State(shop): State<Shop>,
    audit: Audit<Customer>,
    Json(order): Json<Order>,
) -> Result<Response, Refused> {
    let order = Order { customer: audit.actor().email.clone(), ..order };
    Ok(created(shop.place(&audit, order).await?))
}

/// By telephone: staff acts, on behalf of the customer.
async fn place_order_for(
    State(shop): State<Shop>,
    audit: Audit<Staff>,
    Path(email): Path<String>,
    Json(order): Json<Order>,
) -> Result<Response, Refused> {
    let acting = audit.on_behalf_of(&Customer { email: email.clone() });
    Ok(created(shop.place(&acting, Order { customer: email, ..order }).await?))
}

fn created(order_id: u64) -> Response {
    (StatusCode::CREATED, Json(serde_json::json!({ "orderId": order_id }))).into_response()
}

async fn refund(
    State(shop): State<Shop>,
    audit: Audit<Staff>,
    Path(order_id): Path<u64>,
) -> Result<Json<Payout>, Response> {
    let outcome = shop.refund(&audit, order_id).await.map_err(|error| Refused::from(error).into_response())?;
    outcome.map(Json).map_err(|error| (StatusCode::CONFLICT, error.to_string()).into_response())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    order_id: u64,
    amount_cents: u64,
}

async fn payment(
    State(shop): State<Shop>,
    audit: Audit<PaymentProvider>,
    Json(payment): Json<Payment>,
) -> Result<StatusCode, Refused> {
    let paid = shop.pay(&audit, payment.order_id, payment.amount_cents).await?;
    Ok(if paid { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND })
}

/// The job runs later, perhaps in another process. It takes along who asked for it, and from where.
async fn export(State(shop): State<Shop>, audit: Audit<Customer>) -> Result<StatusCode, Refused> {
    let job = ExportJob { customer: audit.actor().email.clone(), acting: audit.carry() };
    let queued = shop.jobs.reserve().await.map_err(|_| Refused::Busy)?;
    let entry = audit.encode(&ExportRequested {})?;
    queued.send(serde_json::to_string(&job).map_err(|_| Refused::Busy)?);
    let _receipt = audit.client().emit(entry).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn price(Json(order): Json<Order>) -> Result<String, StatusCode> {
    let cents = u64::from(order.quantity).checked_mul(order.amount_cents);
    cents.map(|cents| format!("{cents} cents")).ok_or(StatusCode::UNPROCESSABLE_ENTITY)
}
