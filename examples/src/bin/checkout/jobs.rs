//! Work that is done after the request.

use std::sync::PoisonError;

use audit_client::{AuditClient, Carried, EmitError};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::events::ExportFinished;
use crate::shop::Orders;

/// A job's payload.
#[derive(Deserialize, Serialize)]
pub(crate) struct ExportJob {
    pub(crate) customer: String,
    pub(crate) acting: Carried,
}

/// Does what is queued until the shop is gone.
pub(crate) async fn work(audit: AuditClient, orders: Orders, mut jobs: mpsc::Receiver<String>) {
    while let Some(payload) = jobs.recv().await {
        match serde_json::from_str(&payload) {
            Ok(job) => {
                if let Err(error) = export(&audit, &orders, &job).await {
                    tracing::error!(error = &error as &dyn std::error::Error, "an export is not on record");
                }
            }
            Err(error) => tracing::error!(%error, "a job cannot be read"),
        }
    }
}

async fn export(audit: &AuditClient, orders: &Orders, job: &ExportJob) -> Result<(), EmitError> {
    let orders = {
        let orders = orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.values().filter(|order| order.customer == job.customer).count()
    };
    let _receipt = audit.resume(&job.acting).emit(&ExportFinished { orders }).await?;
    Ok(())
}
