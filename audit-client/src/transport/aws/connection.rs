//! Which connection a request used: see [`CloseUnlessAnswered`](crate::transport::failure::CloseUnlessAnswered).

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_cloudtraildata::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_cloudtraildata::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cloudtraildata::error::BoxError;
use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};

/// Remembers the connection of one request. As an interceptor, it learns the connection from the SDK.
#[derive(Clone, Debug, Default)]
pub(super) struct LastConnection(Arc<Mutex<Option<CaptureSmithyConnection>>>);

impl LastConnection {
    /// Takes the connection out of the pool.
    pub(super) fn close(&self) {
        if let Some(connection) = self.get() {
            connection.poison();
        }
    }

    /// Whether the request has had a connection. Without one, it got no further than looking up credentials or a name, or
    /// connecting, and nothing of it was sent.
    pub(super) fn is_known(&self) -> bool {
        self.get().is_some()
    }

    fn get(&self) -> Option<ConnectionMetadata> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(CaptureSmithyConnection::get)
    }
}

impl Intercept for LastConnection {
    fn name(&self) -> &'static str {
        "LastConnection"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = config.load::<CaptureSmithyConnection>().cloned();
        Ok(())
    }
}
