//! `PutAuditEvents`, in the order of judgement.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use audit_core::wire::{EntryErrorCode, FailedEntry, PutAuditEventsResponse, SuccessfulEntry};
use audit_core::{AccountId, ChannelArn, EventTime, ExternalId};
use axum::extract::Request;
use http::request::Parts;
use sha2::{Digest, Sha256};

use super::body::{self, ReadBody, Share};
use super::judge::{Refusal, judge};
use super::request::{RawEntry, entries};
use super::state::Service;
use crate::config::{AccountConfig, ChannelConfig, Directory};
use crate::error::RequestError;
use crate::sigv4::{Claim, Found, KeyMaterial, Query, SignedParts};
use crate::store::{NewEvent, StoreError, Stored};
use audit_core::wire::RequestErrorCode;

/// How long a request waits for its commit. What is stored after that is found again when the sender retries.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Checks a request, stores its valid entries, and returns the verdict on each entry.
pub(super) async fn put_audit_events(
    service: &Service,
    request: Request,
) -> Result<(PutAuditEventsResponse, Share), RequestError> {
    let directory = service.directory();
    let (head, body) = request.into_parts();
    check_host(&head)?;
    let query = Query::parse(head.uri.query().unwrap_or_default()).map_err(|_| {
        RequestError::new(
            RequestErrorCode::MalformedHttpRequest,
            "The query string holds a % that two hexadecimal digits do not follow.",
        )
    })?;
    let ReadBody { bytes, share } =
        body::read(&head.headers, body, &service.body_memory, service.limits.body_timeout).await?;

    let (account, region) = authenticate(&directory, &head, &query, &bytes)?;
    admit(service, account)?;
    let channel = find_channel(&directory, &query, &region, account.id)?;
    check_permission(channel, &query, &region, account.id)?;

    let entries = entries(&bytes)?;
    drop(bytes);
    check_distinct(&entries)?;
    Ok((verdicts(service, account, channel, entries).await?, share))
}

/// HTTP/1.1 wants one Host header; two, or another host in the request's target, would leave open which was signed.
fn check_host(head: &Parts) -> Result<(), RequestError> {
    let malformed = |message: &str| Err(RequestError::new(RequestErrorCode::MalformedHttpRequest, message));
    let mut hosts = head.headers.get_all(http::header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => match head.uri.authority() {
            Some(authority) if !host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()) => {
                malformed("The request's target names another host than its Host header.")
            }
            _ => Ok(()),
        },
        (None, _) if head.version != http::Version::HTTP_11 => Ok(()),
        _ => malformed("The request must have one Host header."),
    }
}

/// Whose request this is, and the region that it was signed for.
fn authenticate<'d>(
    directory: &'d Directory,
    head: &Parts,
    query: &Query,
    body: &[u8],
) -> Result<(&'d AccountConfig, String), RequestError> {
    let claim = Claim::read(&head.headers, query)?;
    claim.check_service()?;
    if !directory.serves(&claim.region) {
        return Err(RequestError::new(
            RequestErrorCode::InvalidSignature,
            format!(
                "Credential should be scoped to a valid region; this service has no channel in \"{}\".",
                audit_core::shown(&claim.region)
            ),
        ));
    }
    let (account, key) = directory.key(&claim.access_key_id).ok_or_else(|| {
        RequestError::new(
            RequestErrorCode::UnrecognizedClient,
            "The access key ID of the request is not known to this service.",
        )
    })?;
    let parts = SignedParts {
        method: head.method.as_str(),
        path: head.uri.path(),
        query,
        headers: &head.headers,
        authority: head.uri.authority().map(http::uri::Authority::as_str),
        body_sha256: Sha256::digest(body).into(),
    };
    let key = KeyMaterial { secret: &key.secret, session_token: key.session_token.as_ref(), expires: key.expires };
    claim.verify(&parts, &key, EventTime::now())?;
    Ok((account, claim.region))
}

/// Whether the account may use the service now.
fn admit(service: &Service, account: &AccountConfig) -> Result<(), RequestError> {
    if !account.opted_in {
        return Err(RequestError::new(
            RequestErrorCode::OptInRequired,
            format!("The account {} needs a subscription for this service.", account.id),
        ));
    }
    if !service.throttle.request(account.id, account.requests_per_second, Instant::now()) {
        return Err(RequestError::new(
            RequestErrorCode::Throttling,
            "Rate exceeded: too many requests a second. Send fewer and fuller ones, a little later.",
        ));
    }
    Ok(())
}

/// A query parameter that must not be repeated, as text.
fn parameter<'q>(query: &'q Query, name: &str) -> Result<Option<&'q str>, RequestError> {
    let invalid = |what: &str| RequestError::new(RequestErrorCode::Validation, format!("{name} {what}."));
    match query.find(name) {
        Found::Nothing => Ok(None),
        Found::Repeated => Err(invalid("is there more than once")),
        Found::Once(value) => std::str::from_utf8(value).map(Some).map_err(|_| invalid("is not UTF-8")),
    }
}

fn find_channel<'d>(
    directory: &'d Directory,
    query: &Query,
    region: &str,
    caller: AccountId,
) -> Result<&'d ChannelConfig, RequestError> {
    let name = parameter(query, "channelArn")?.filter(|name| !name.is_empty()).ok_or_else(|| {
        RequestError::new(RequestErrorCode::Validation, "The query string lacks channelArn, which says where to.")
    })?;
    let channel = if name.starts_with("arn:") {
        let arn = ChannelArn::try_from(name)
            .map_err(|error| RequestError::new(RequestErrorCode::InvalidChannelArn, format!("channelArn: {error}.")))?;
        directory.channel(&arn)
    } else {
        let proper = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !name.bytes().all(proper) {
            return Err(RequestError::new(
                RequestErrorCode::InvalidChannelArn,
                format!(
                    "channelArn \"{}\" is neither a channel's ARN nor a channel's ID, which is the last part of its ARN.",
                    audit_core::shown(name)
                ),
            ));
        }
        directory.channel_by_id(name, region, caller)
    };
    channel.ok_or_else(|| {
        RequestError::new(
            RequestErrorCode::ChannelNotFound,
            format!("There is no channel \"{}\" here.", audit_core::shown(name)),
        )
    })
}

fn check_permission(
    channel: &ChannelConfig,
    query: &Query,
    region: &str,
    caller: AccountId,
) -> Result<(), RequestError> {
    let arn = &channel.arn;
    if arn.account() != caller {
        return Err(RequestError::new(
            RequestErrorCode::ChannelInsufficientPermission,
            "The caller's account ID must be the same as the channel owner's account ID.",
        ));
    }
    if arn.region() != region {
        return Err(RequestError::new(
            RequestErrorCode::UnsupportedOperation,
            format!("The request is signed for another region; the channel is in {}. Sign it for that.", arn.region()),
        ));
    }
    let sent = parameter(query, "externalId")?;
    if let Some(sent) = sent
        && ExternalId::try_from(sent).is_err()
    {
        // Not shown: it lets its sender write into the channel.
        return Err(RequestError::new(
            RequestErrorCode::Validation,
            "externalId must be 2 to 1,224 characters of [A-Za-z0-9_+=,.@:/-].",
        ));
    }
    let right = channel
        .external_id
        .as_ref()
        .is_none_or(|wanted| sent.is_some_and(|sent| crate::config::equal(wanted.as_str(), sent)));
    if !right {
        return Err(RequestError::new(
            RequestErrorCode::AccessDenied,
            "The channel's policy names an external ID, and the request's externalId is missing or another.",
        ));
    }
    if !channel.activity_events {
        return Err(RequestError::new(
            RequestErrorCode::ChannelUnsupportedSchema,
            "The schema type of the event is not supported: the channel does not take activity events.",
        ));
    }
    Ok(())
}

fn check_distinct(entries: &[RawEntry]) -> Result<(), RequestError> {
    let mut seen = HashSet::with_capacity(entries.len());
    match entries.iter().find(|entry| !seen.insert(entry.id.as_str())) {
        None => Ok(()),
        Some(entry) => Err(RequestError::new(
            RequestErrorCode::DuplicatedAuditEventId,
            format!("Two or more entries of the request have the id \"{}\".", audit_core::shown(&entry.id)),
        )),
    }
}

async fn verdicts(
    service: &Service,
    account: &AccountConfig,
    channel: &ChannelConfig,
    entries: Vec<RawEntry>,
) -> Result<PutAuditEventsResponse, RequestError> {
    let mut answer = PutAuditEventsResponse::default();
    let mut refuse = |id: String, refusal: Refusal| {
        service.metrics.entry(refusal.code.as_str());
        answer.failed.push(FailedEntry::new(id, refusal.code.as_str(), refusal.message));
    };
    let mut events: Vec<NewEvent> = Vec::with_capacity(entries.len());
    for entry in entries {
        let id = entry.id.clone();
        match judge(entry, channel) {
            Ok(event) => events.push(event),
            Err(refusal) => refuse(id, refusal),
        }
    }
    let granted = service.throttle.events(account.id, account.events_per_second, events.len(), Instant::now());
    for event in events.drain(granted..) {
        let message = "rate exceeded: too many events a second; send the entry again, a little later";
        refuse(event.id, Refusal::new(EntryErrorCode::Throttling, message));
    }
    if events.is_empty() {
        return Ok(answer);
    }

    let named: Vec<(String, String)> = events.iter().map(|event| (event.id.clone(), event.event_id.clone())).collect();
    let stored = store(service, channel.arn.clone(), events).await?;
    for ((id, new_event_id), stored) in named.into_iter().zip(stored) {
        let event_id = match stored {
            Stored::New => {
                service.metrics.entry("stored");
                new_event_id
            }
            Stored::Before { event_id } => {
                service.metrics.entry("repeated");
                event_id
            }
            Stored::IdTaken => {
                let message = "the channel has an event of this source with this id and other data; an id names one event of \
                               its source for ever, and a retry must carry the same data";
                refuse(id, Refusal::new(EntryErrorCode::InvalidData, message));
                continue;
            }
        };
        answer.successful.push(SuccessfulEntry::new(id, event_id));
    }
    Ok(answer)
}

async fn store(service: &Service, channel: ChannelArn, events: Vec<NewEvent>) -> Result<Vec<Stored>, RequestError> {
    let unavailable = |message: &str| RequestError::new(RequestErrorCode::ServiceUnavailable, message);
    match tokio::time::timeout(COMMIT_TIMEOUT, service.store.put(channel, events)).await {
        Ok(Ok(stored)) => Ok(stored),
        // The log has the details; senders do not need the path.
        Ok(Err(error)) => Err(unavailable(match *error {
            StoreError::Closed => "The service is shutting down. Send the request again.",
            _ => "The service cannot store events now. Send the request again; nothing is stored twice.",
        })),
        Err(_) => Err(unavailable(
            "The service could not store the events in time. Send the request again: what was stored is not stored twice.",
        )),
    }
}
