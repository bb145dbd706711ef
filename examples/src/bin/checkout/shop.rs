//! What the shop does. Each action is encoded as an event before it is done: what cannot be on record does not happen.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use audit_client::{ActingAs, EmitError};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::events::{OrderPlaced, PaymentReceived, Payout, RefundError, RefundIssued, Restocked};
use crate::people::Sessions;

pub(crate) type Orders = Arc<Mutex<HashMap<u64, Order>>>;

#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) sessions: Sessions,
    pub(crate) orders: Orders,
    /// How many of each item were sold (negative) or came back since the shop began.
    pub(crate) stock: Arc<Mutex<HashMap<String, i64>>>,
    /// Payloads of jobs, as a queue outside of the process would have them.
    pub(crate) jobs: mpsc::Sender<String>,
    next_order: Arc<AtomicU64>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Order {
    pub(crate) item: String,
    pub(crate) quantity: u32,
    pub(crate) amount_cents: u64,
    pub(crate) iban: String,
    #[serde(skip)]
    pub(crate) state: OrderState,
    #[serde(skip)]
    pub(crate) customer: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum OrderState {
    #[default]
    Placed,
    Paid,
    Refunded,
}

impl Shop {
    pub(crate) fn new(jobs: mpsc::Sender<String>) -> Self {
        let next_order = Arc::new(AtomicU64::new(1));
        Self { sessions: Sessions::default(), orders: Arc::default(), stock: Arc::default(), jobs, next_order }
    }

    /// For whoever acts: the customer, or staff on behalf of the customer.
    pub(crate) async fn place(&self, acting: &ActingAs, order: Order) -> Result<u64, EmitError> {
        let order_id = self.next_order.fetch_add(1, Ordering::Relaxed);
        let entry = acting.encode(&OrderPlaced {
            order_id,
            item: &order.item,
            quantity: order.quantity,
            amount_cents: order.amount_cents,
            iban: &order.iban,
        })?;
        self.move_stock(&order.item, -i64::from(order.quantity));
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).insert(order_id, order);
        // Accepted is enough: the customer need not wait for the delivery.
        let _receipt = acting.client().emit(entry).await?;
        Ok(order_id)
    }

    /// Whether an order was waiting for this payment. A provider sends the same message again when an answer got lost.
    pub(crate) async fn pay(&self, acting: &ActingAs, order_id: u64, amount_cents: u64) -> Result<bool, EmitError> {
        let entry = acting.encode(&PaymentReceived { order_id, amount_cents })?;
        let paid = {
            let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
            let order = orders.get_mut(&order_id).filter(|order| order.state == OrderState::Placed);
            order.map(|order| order.state = OrderState::Paid).is_some()
        };
        if paid {
            let _receipt = acting.client().emit(entry).await?;
        }
        Ok(paid)
    }

    /// A refused refund is an event too. Nothing in it has a limit that a caller could exceed, and from its first poll on the
    /// event stays in line if there is room, so it is on record also if the caller disconnects here. Where there may be no room
    /// for long, run this in `audit_client::spawn`: a task that no caller can drop.
    pub(crate) async fn refund(
        &self,
        acting: &ActingAs,
        order_id: u64,
    ) -> Result<Result<Payout, RefundError>, EmitError> {
        let outcome = self.pay_back(order_id);
        let _receipt = acting.emit(&RefundIssued { order_id, outcome: &outcome }).await?;
        if outcome.is_ok() {
            self.restock(order_id).await?;
        }
        Ok(outcome)
    }

    fn pay_back(&self, order_id: u64) -> Result<Payout, RefundError> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let order = orders.get_mut(&order_id).ok_or(RefundError::UnknownOrder)?;
        match order.state {
            OrderState::Placed => Err(RefundError::NotPaid),
            OrderState::Refunded => Err(RefundError::AlreadyRefunded),
            OrderState::Paid => {
                order.state = OrderState::Refunded;
                Ok(Payout { amount_cents: order.amount_cents })
            }
        }
    }

    /// Far from any handler, and not told who acts: the scope of the request knows.
    async fn restock(&self, order_id: u64) -> Result<(), EmitError> {
        let order = self.orders.lock().unwrap_or_else(PoisonError::into_inner).get(&order_id).cloned();
        if let (Some(order), Some(acting)) = (order, ActingAs::current()) {
            let entry = acting.encode(&Restocked { item: &order.item, quantity: order.quantity })?;
            self.move_stock(&order.item, i64::from(order.quantity));
            let _receipt = acting.client().emit(entry).await?;
        }
        Ok(())
    }

    fn move_stock(&self, item: &str, by: i64) {
        *self.stock.lock().unwrap_or_else(PoisonError::into_inner).entry(item.to_owned()).or_default() += by;
    }
}

/// Why the shop refuses a request.
#[derive(Debug)]
pub(crate) enum Refused {
    NotSignedIn,
    NotAllowed,
    NotAudited(EmitError),
    Busy,
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
            Self::NotAllowed => (StatusCode::FORBIDDEN, "this is not for you").into_response(),
            Self::NotAudited(EmitError::Encode(error)) => {
                (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response()
            }
            // Without an event, nothing happens in this shop.
            Self::NotAudited(_) | Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "try again later").into_response(),
        }
    }
}
