//! The service's answer: `PutAuditEvents`' own, or an error in one of the forms that AWS's JSON services use.

use audit_core::wire::PutAuditEventsResponse;
use http::response::Parts;
use serde::Deserialize;

use crate::transport::failure::retry_after;
use crate::transport::submit::Failure;

/// The members of an error's body that say something.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    #[serde(alias = "__type")]
    code: Option<String>,
    #[serde(alias = "Message", alias = "errorMessage")]
    message: Option<String>,
}

pub(super) fn read(head: &Parts, body: &[u8]) -> Result<PutAuditEventsResponse, Failure> {
    if head.status.is_success() {
        return serde_json::from_slice(body).map_err(|error| {
            // What serde says quotes the answer.
            let text = format!("the answer has no sense: {:?} at line {}", error.classify(), error.line());
            with_head(Failure::new(text), head)
        });
    }
    // An error may come from a proxy, in any form.
    let ErrorBody { code, message } = serde_json::from_slice(body).unwrap_or_default();
    let mut failure =
        with_head(Failure::new(message.unwrap_or_else(|| format!("the service answered {}", head.status))), head);
    failure.code = header(head, "x-amzn-errortype").or(code.as_deref()).map(bare).filter(|code| !code.is_empty());
    Err(failure)
}

/// What the head of an answer says, whether or not the rest of it came.
pub(super) fn with_head(mut failure: Failure, head: &Parts) -> Failure {
    failure.status = Some(head.status.as_u16());
    failure.retry_after = retry_after(|name| header(head, name));
    failure
}

fn header<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name).and_then(|value| value.to_str().ok())
}

/// Some services write `namespace#Code` or `Code:http://…`.
fn bare(code: &str) -> String {
    let code = code.split(':').next().unwrap_or(code);
    code.rsplit('#').next().unwrap_or(code).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::transport::submit::Failure;

    fn failure(status: u16, error_type: Option<&str>, body: &str) -> Failure {
        let mut response = http::Response::builder().status(status);
        if let Some(error_type) = error_type {
            response = response.header("x-amzn-errortype", error_type);
        }
        let (head, ()) = response.body(()).expect("a response").into_parts();
        read(&head, body.as_bytes()).expect_err("an error")
    }

    #[test]
    fn an_error_is_read_in_each_form_that_services_and_proxies_use() {
        let denied = || Failure::new("no").status(403).code("AccessDeniedException");
        for (error_type, body) in [
            (Some("AccessDeniedException"), r#"{"message":"no"}"#),
            (Some("AccessDeniedException:http://internal.amazon.com/coral/"), r#"{"Message":"no","x":[1]}"#),
            (None, r#"{"__type":"com.amazonaws.cloudtraildata#AccessDeniedException","message":"no"}"#),
            (None, r#"{"code":"AccessDeniedException","errorMessage":"no"}"#),
        ] {
            assert_eq!(failure(403, error_type, body), denied(), "{body}");
        }
        for body in ["", "<html>", "[]", "{\"message\":7}"] {
            assert_eq!(
                failure(503, None, body),
                Failure::new("the service answered 503 Service Unavailable").status(503)
            );
        }
    }

    #[test]
    fn an_answer_without_sense_is_not_quoted() {
        let failure = failure(200, None, "{\"successful\":[{\"secret\":1}]}");
        assert_eq!(failure, Failure::new("the answer has no sense: Data at line 1").status(200));
    }
}
