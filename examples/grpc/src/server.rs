//! The service, and the server around it.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use audit_client::{ActingAs, AuditClient, AuditError, AuditEvent, EmitError, Identity};
use audit_tower::AuditLayer;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_stream::Stream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::generated::bank_server::{Bank, BankServer};
use crate::{Posting, StatementRequest, TransferReply, TransferRequest};

#[derive(AuditEvent)]
#[audit(source = "bank.example.com", generate_id)]
struct MoneyTransferred<'a> {
    #[audit(target = "Account")]
    from_account: &'a str,
    #[audit(target = "Account")]
    to_account: &'a str,
    cents: u64,
    #[audit(outcome)]
    outcome: &'a Result<Transferred, TransferError>,
}

/// Somebody read an account. In a bank, reading is an event too.
#[derive(AuditEvent)]
#[audit(source = "bank.example.com", generate_id)]
struct StatementRead<'a> {
    #[audit(target = "Account")]
    account: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Transferred {
    balance_cents: u64,
}

#[derive(Clone, Copy, Debug, AuditError)]
enum TransferError {
    TooLittleMoney,
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is too little money in the account")
    }
}

pub(crate) struct Accounts(Mutex<HashMap<String, u64>>);

impl Default for Accounts {
    fn default() -> Self {
        Self(Mutex::new(HashMap::from([("A".to_owned(), 10_000), ("B".to_owned(), 0)])))
    }
}

impl Accounts {
    fn transfer(&self, transfer: &TransferRequest) -> Result<Transferred, TransferError> {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let balance = accounts.get(&transfer.from_account).copied().unwrap_or_default();
        let balance_cents = balance.checked_sub(transfer.cents).ok_or(TransferError::TooLittleMoney)?;
        accounts.insert(transfer.from_account.clone(), balance_cents);
        *accounts.entry(transfer.to_account.clone()).or_default() += transfer.cents;
        Ok(Transferred { balance_cents })
    }
}

/// The caller, for events. The scope of the call has the address, the agent and the id.
fn caller<T>(request: &Request<T>) -> Result<ActingAs, Status> {
    let user = request.metadata().get("x-user").and_then(|user| user.to_str().ok());
    let user = user.ok_or_else(|| Status::unauthenticated("who are you?"))?;
    let identity = Identity::new("User", user).map_err(|_| Status::unauthenticated("this is no user's name"))?;
    let call = ActingAs::current().ok_or_else(|| Status::internal("the server has no AuditLayer"))?;
    Ok(call.acting_as(&identity))
}

fn not_audited(_: EmitError) -> Status {
    Status::unavailable("try again later")
}

#[tonic::async_trait]
impl Bank for Accounts {
    async fn transfer(&self, request: Request<TransferRequest>) -> Result<Response<TransferReply>, Status> {
        let acting = caller(&request)?;
        let transfer = request.into_inner();
        // What a stranger sends must fit into the event: nothing may be done without it.
        if ![&transfer.from_account, &transfer.to_account].iter().all(|name| (1..=64).contains(&name.len())) {
            return Err(Status::invalid_argument("an account's name has 1 to 64 bytes"));
        }
        let outcome = self.transfer(&transfer);
        let TransferRequest { from_account, to_account, cents } = &transfer;
        let event = MoneyTransferred { from_account, to_account, cents: *cents, outcome: &outcome };
        let _receipt = acting.emit(&event).await.map_err(not_audited)?;
        match outcome {
            Ok(Transferred { balance_cents }) => Ok(Response::new(TransferReply { balance_cents })),
            Err(error) => Err(Status::failed_precondition(error.to_string())),
        }
    }

    type StatementStream = Pin<Box<dyn Stream<Item = Result<Posting, Status>> + Send>>;

    async fn statement(&self, request: Request<StatementRequest>) -> Result<Response<Self::StatementStream>, Status> {
        let acting = caller(&request)?;
        let account = request.into_inner().account;
        let _receipt = acting.emit(&StatementRead { account: &account }).await.map_err(not_audited)?;
        let balance = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&account).copied();
        let posting = Posting { cents: balance.and_then(|cents| i64::try_from(cents).ok()).unwrap_or_default() };
        Ok(Response::new(Box::pin(tokio_stream::once(Ok(posting)))))
    }
}

/// Serves until `end`.
pub(crate) async fn serve(
    listener: TcpListener,
    audit: AuditClient,
    end: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    serve_with(listener, AuditLayer::new(audit), end).await
}

pub(crate) async fn serve_with(
    listener: TcpListener,
    layer: AuditLayer,
    end: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    Server::builder()
        .layer(layer)
        .add_service(BankServer::new(Accounts::default()))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), end)
        .await
}
