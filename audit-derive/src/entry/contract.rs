//! The contract for a constant event, each mistake at its own tokens. `audit_core::schema` checks JSON by the same rules at run
//! time; the tests compare the two.

use super::json::{Kind, Value};
use super::time;
use crate::diagnostics::Diagnostics;
use crate::limits::{
    ACCOUNT_ID_DIGITS, ADDITIONAL_EVENT_DATA_BYTES, ERROR_CODE_CHARS, ERROR_MESSAGE_CHARS, EVENT_DATA_BYTES,
    EVENT_NAME_CHARS, EVENT_SOURCE_CHARS, IDENTITY_TYPE_CHARS, PRINCIPAL_ID_CHARS, REQUEST_PARAMETERS_BYTES,
    RESPONSE_ELEMENTS_BYTES, UID_CHARS, USER_AGENT_CHARS, VERSION_CHARS,
};
use crate::suggest;

/// What a field holds.
#[derive(Clone, Copy)]
enum Holds {
    Text(usize),
    Object(Option<usize>),
    Identity,
    Time,
    IpAddress,
    Account,
}

struct Rule {
    name: &'static str,
    required: bool,
    holds: Holds,
}

const fn rule(name: &'static str, required: bool, holds: Holds) -> Rule {
    Rule { name, required, holds }
}

static EVENT: [Rule; 14] = [
    rule("version", true, Holds::Text(VERSION_CHARS)),
    rule("userIdentity", true, Holds::Identity),
    rule("userAgent", false, Holds::Text(USER_AGENT_CHARS)),
    rule("eventSource", true, Holds::Text(EVENT_SOURCE_CHARS)),
    rule("eventName", true, Holds::Text(EVENT_NAME_CHARS)),
    rule("eventTime", true, Holds::Time),
    rule("UID", true, Holds::Text(UID_CHARS)),
    rule("requestParameters", false, Holds::Object(Some(REQUEST_PARAMETERS_BYTES))),
    rule("responseElements", false, Holds::Object(Some(RESPONSE_ELEMENTS_BYTES))),
    rule("errorCode", false, Holds::Text(ERROR_CODE_CHARS)),
    rule("errorMessage", false, Holds::Text(ERROR_MESSAGE_CHARS)),
    rule("sourceIPAddress", false, Holds::IpAddress),
    rule("recipientAccountId", true, Holds::Account),
    rule("additionalEventData", false, Holds::Object(Some(ADDITIONAL_EVENT_DATA_BYTES))),
];

static IDENTITY: [Rule; 3] = [
    rule("type", true, Holds::Text(IDENTITY_TYPE_CHARS)),
    rule("principalId", true, Holds::Text(PRINCIPAL_ID_CHARS)),
    rule("details", false, Holds::Object(None)),
];

/// Checks the event against the contract.
pub(crate) fn check(event: &Value, diagnostics: &mut Diagnostics) {
    let Kind::Object(_) = event.kind else {
        if !matches!(event.kind, Kind::Wrong) {
            diagnostics.error(&event.at, format_args!("an event is a JSON object `{{ … }}`; this is {}", event.name()));
        }
        return;
    };
    members(event, &EVENT, "", diagnostics);
    let bytes = event.to_json().len();
    if bytes > EVENT_DATA_BYTES {
        diagnostics.error(
            &event.at,
            format_args!("the event has {bytes} bytes of JSON; at most {EVENT_DATA_BYTES} are allowed"),
        );
    }
}

fn members(object: &Value, rules: &'static [Rule], within: &str, diagnostics: &mut Diagnostics) {
    let Kind::Object(members) = &object.kind else { return };
    let mut meant = Vec::new();
    for (key, value) in members {
        let name = key.value();
        if let Some(rule) = rules.iter().find(|rule| rule.name == name) {
            meant.push(rule.name);
            field(rule, within, value, diagnostics);
            continue;
        }
        let shown: String = name.chars().take(80).collect();
        let list: Vec<_> = rules.iter().map(|rule| format!("`{}`", rule.name)).collect();
        let nearest = suggest::nearest_word(&name, rules.iter().map(|rule| rule.name));
        meant.extend(nearest);
        let question = nearest.map(|nearest| format!(": did you mean `{nearest}`?")).unwrap_or_default();
        let message =
            format!("`{within}{shown}` is not a field of the schema{question}\nits fields: {}", list.join(", "));
        diagnostics.error(key, message);
    }
    let missing: Vec<_> = rules
        .iter()
        .filter(|rule| rule.required && !meant.contains(&rule.name))
        .map(|rule| format!("`{within}{}`", rule.name))
        .collect();
    match missing.as_slice() {
        [] => {}
        [one] => diagnostics.error(&object.at, format_args!("{one} is missing; every event has it")),
        many => diagnostics.error(&object.at, format_args!("{} are missing; every event has them", many.join(", "))),
    }
}

fn field(rule: &'static Rule, within: &str, value: &Value, diagnostics: &mut Diagnostics) {
    let name = format!("{within}{}", rule.name);
    let mut error = |message: String| diagnostics.error(&value.at, message);
    match (rule.holds, &value.kind) {
        (_, Kind::Wrong) | (Holds::Object(None), Kind::Object(_)) => {}
        (Holds::Text(_) | Holds::Time | Holds::Account, Kind::Text(text)) if rule.required && text.is_empty() => {
            error(format!("`{name}` is empty, which counts as missing"));
        }
        (Holds::Text(limit), Kind::Text(text)) => {
            let chars = text.chars().count();
            if chars > limit {
                error(format!("`{name}` has {chars} characters; at most {limit} are allowed"));
            }
        }
        (Holds::Object(Some(limit)), Kind::Object(_)) => {
            let bytes = value.to_json().len();
            if bytes > limit {
                error(format!("`{name}` has {bytes} bytes of JSON; at most {limit} are allowed"));
            }
        }
        (Holds::Identity, Kind::Object(_)) => members(value, &IDENTITY, "userIdentity.", diagnostics),
        (Holds::Time, Kind::Text(text)) => {
            if !time::is_utc(text) {
                error(format!("`{name}` is a time in UTC, such as \"2026-11-21T10:15:30Z\""));
            }
        }
        (Holds::IpAddress, Kind::Text(text)) => {
            if text.parse::<std::net::IpAddr>().is_err() {
                error(format!("`{name}` is an IPv4 or IPv6 address, such as \"203.0.113.7\"; or it is left out"));
            }
        }
        (Holds::Account, Kind::Text(text)) => {
            if text.len() != ACCOUNT_ID_DIGITS || !text.bytes().all(|byte| byte.is_ascii_digit()) {
                error(format!(
                    "`{name}` is the {ACCOUNT_ID_DIGITS} digits of the channel owner's account, such as \"123456789012\""
                ));
            }
        }
        (Holds::Object(_) | Holds::Identity, _) => {
            error(format!("`{name}` is {}; it must be an object", value.name()));
        }
        (_, _) => error(format!("`{name}` is {}; it must be a string", value.name())),
    }
}
