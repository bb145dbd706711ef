//! Reads a request's body, within limits of size, of time, and of memory over all connections.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audit_core::limits::Side;
use axum::body::Body;
use http::{HeaderMap, HeaderName, header};
use http_body_util::BodyExt;

use crate::error::RequestError;
use audit_core::wire::RequestErrorCode;

/// The most bytes of a body.
const LIMIT: usize = Side::Receiver.request_bytes();
/// How much of a body that is too large is read and discarded, so that a sender that reads only after writing gets the answer
/// rather than a broken connection.
const DRAINED: usize = 8 * LIMIT;
/// How much memory is reserved at once for a body, however large it is declared.
const FIRST_PIECE: usize = 64 * 1_024;

/// The bytes of bodies that may be held at a time.
#[derive(Debug)]
pub(super) struct BodyMemory {
    free: AtomicUsize,
}

impl BodyMemory {
    pub(super) fn new(bytes: usize) -> Self {
        Self { free: AtomicUsize::new(bytes) }
    }

    fn take(&self, bytes: usize) -> bool {
        self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(bytes)).is_ok()
    }
}

/// A body, and its share of the memory.
#[derive(Debug)]
pub(super) struct ReadBody {
    pub(super) bytes: Vec<u8>,
    pub(super) share: Share,
}

/// Memory that is taken until this is dropped. It outlives the body: the answer holds the body's ids until the sender has
/// read it.
#[derive(Debug)]
pub(super) struct Share {
    taken: usize,
    memory: Arc<BodyMemory>,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.memory.free.fetch_add(self.taken, Ordering::AcqRel);
    }
}

fn too_large() -> RequestError {
    RequestError::new(
        RequestErrorCode::RequestEntityTooLarge,
        format!("The body of a request has at most {LIMIT} bytes. Send fewer or smaller entries at a time."),
    )
}

/// Reads a body to its end.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    memory: &Arc<BodyMemory>,
    timeout: Duration,
) -> Result<ReadBody, RequestError> {
    check_transfer_encoding(headers)?;
    if codings(headers, &header::CONTENT_ENCODING).any(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        return Err(RequestError::new(
            RequestErrorCode::MalformedHttpRequest,
            "The body is encoded (Content-Encoding), which this service does not undo. Send it as it is.",
        ));
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let too_long = length.is_some_and(|length| length > LIMIT);
    // A sender that asks first gets the answer before it sends the body.
    if too_long && headers.contains_key(header::EXPECT) {
        return Err(too_large());
    }
    let mut body = body;
    let read = async {
        let share = Share { taken: 0, memory: Arc::clone(memory) };
        let mut read = ReadBody { bytes: Vec::new(), share };
        if !too_long {
            read.bytes.reserve(length.unwrap_or(0).min(FIRST_PIECE));
            loop {
                let Some(frame) = next(&mut body).await? else { return Ok(read) };
                if read.bytes.len() + frame.len() > LIMIT {
                    break;
                }
                if !memory.take(frame.len()) {
                    return Err(RequestError::new(
                        RequestErrorCode::ServiceUnavailable,
                        "The service holds as many requests as it can. Send the request again, a little later.",
                    ));
                }
                read.share.taken += frame.len();
                read.bytes.extend_from_slice(&frame);
            }
        }
        drop(read);
        let mut drained = 0;
        while drained < DRAINED
            && let Some(frame) = next(&mut body).await?
        {
            drained += frame.len();
        }
        Err(too_large())
    };
    tokio::time::timeout(timeout, read).await.unwrap_or_else(|_| {
        Err(RequestError::new(
            RequestErrorCode::RequestTimeout,
            format!("The body of the request did not arrive within {} s. Send it again.", timeout.as_secs()),
        ))
    })
}

/// The codings that a header lists, in all of its lines.
fn codings<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    let lines = headers.get_all(name).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|coding| !coding.is_empty())
}

/// hyper undoes chunks, and takes any other coding before them for the body.
fn check_transfer_encoding(headers: &HeaderMap) -> Result<(), RequestError> {
    let (chunked, other): (Vec<&[u8]>, Vec<&[u8]>) =
        codings(headers, &header::TRANSFER_ENCODING).partition(|coding| coding.eq_ignore_ascii_case(b"chunked"));
    if let Some(other) = other.first() {
        return Err(RequestError::not_implemented(format!(
            "This service does not undo the transfer coding \"{}\". Send the body as it is, or chunked.",
            audit_core::shown(&String::from_utf8_lossy(other))
        )));
    }
    if chunked.len() > 1 {
        let message = "Transfer-Encoding names chunked more than once. Send the body as it is, or chunked once.";
        return Err(RequestError::new(RequestErrorCode::MalformedHttpRequest, message));
    }
    Ok(())
}

async fn next(body: &mut Body) -> Result<Option<axum::body::Bytes>, RequestError> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Ok(frame)) => {
                // This service uses no trailers.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(error)) => return Err(unreadable(&error)),
        }
    }
}

/// Whether a body was cut off, or is not HTTP.
fn unreadable(error: &axum::Error) -> RequestError {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>()
            && matches!(io.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
        {
            let message = "The body of the request is not chunked as HTTP/1.1 has it.";
            return RequestError::new(RequestErrorCode::MalformedHttpRequest, message);
        }
        source = cause.source();
    }
    let message = "The body of the request ended before it was whole. Send it again.";
    RequestError::new(RequestErrorCode::RequestAborted, message)
}
