//! Which connection a request used, so that no later request uses one that has gone silent.
//!
//! The SDK's timeout ends a request, not its connection. Over HTTP/2 it resets the request's stream, and the next request takes
//! the same connection: if the other side vanished without closing it, no request would be answered until the kernel gives the
//! connection up, which takes about 15 minutes.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_cloudtraildata::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_cloudtraildata::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cloudtraildata::error::BoxError;
use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};

/// Remembers the connection of one request. As an interceptor, it learns the connection from the SDK.
#[derive(Clone, Debug, Default)]
pub(super) struct LastConnection(Arc<Mutex<Option<CaptureSmithyConnection>>>);

impl LastConnection {
    pub(super) fn close_unless_answered(&self) -> CloseUnlessAnswered {
        CloseUnlessAnswered(Some(self.clone()))
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

/// Takes the request's connection out of the pool when dropped, unless an answer came: also where a timeout drops the request.
#[must_use]
pub(super) struct CloseUnlessAnswered(Option<LastConnection>);

impl CloseUnlessAnswered {
    pub(super) fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for CloseUnlessAnswered {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take().and_then(|last| last.get()) {
            connection.poison();
        }
    }
}
