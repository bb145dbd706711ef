//! Answers as AWS's rest-json services write them.

use audit_core::wire::PutAuditEventsResponse;
use axum::body::{Body, Bytes};
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use uuid::Uuid;

use super::body::Share;
use super::refusals::Refusals;
use crate::error::RequestError;
use audit_core::wire::RequestErrorCode;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// An error as the bytes of an HTTP/1.1 answer, for a connection that ends with it.
pub(super) fn answer_bytes(error: RequestError, refusals: Option<&Refusals>) -> Vec<u8> {
    let (code, status) = (error.code, error.status);
    let (request_id, body) = refusal(error, refusals);
    format!(
        "HTTP/1.1 {} {}\r\ncontent-type: application/json\r\n{REQUEST_ID}: {request_id}\r\n{ERROR_TYPE}: {}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
        code.as_str(),
        body.len()
    )
    .into_bytes()
}

/// The id and the body of an error's answer. A counted one is logged.
fn refusal(RequestError { code, message, .. }: RequestError, refusals: Option<&Refusals>) -> (String, String) {
    let request_id = Uuid::new_v4().to_string();
    if refusals.is_some_and(|refusals| refusals.count(code)) {
        tracing::info!(request_id, code = code.as_str(), reason = message, "refused a request");
    }
    let body = serde_json::json!({ "__type": code.as_str(), "message": message });
    (request_id, body.to_string())
}

/// An answer, and the memory that its request took.
struct AnswerBody {
    json: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for AnswerBody {
    fn as_ref(&self) -> &[u8] {
        &self.json
    }
}

/// The answer to a request, with an id of its own. The log has a refusal under that id if it is counted.
pub(super) fn answer(
    result: Result<(PutAuditEventsResponse, Share), RequestError>,
    refusals: Option<&Refusals>,
) -> Response {
    let (request_id, status, error, body) = match result {
        Ok((verdicts, share)) => {
            let request_id = Uuid::new_v4().to_string();
            let failed = verdicts.failed.len();
            tracing::debug!(request_id, successful = verdicts.successful.len(), failed, "answered a request");
            match serde_json::to_vec(&verdicts) {
                Ok(json) => (request_id, StatusCode::OK, None, Bytes::from_owner(AnswerBody { json, _share: share })),
                // Strings in lists: nothing that JSON could not hold.
                Err(_) => (
                    request_id,
                    StatusCode::INTERNAL_SERVER_ERROR,
                    Some(RequestErrorCode::InternalFailure),
                    Bytes::from_static(b"{}"),
                ),
            }
        }
        Err(error) => {
            let (code, status) = (error.code, error.status);
            let (request_id, body) = refusal(error, refusals);
            (request_id, status, Some(code), body.into())
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(request_id) = HeaderValue::try_from(request_id) {
        headers.insert(REQUEST_ID, request_id);
    }
    if let Some(code) = error {
        headers.insert(ERROR_TYPE, HeaderValue::from_static(code.as_str()));
    }
    response
}
