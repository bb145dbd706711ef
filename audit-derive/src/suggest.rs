//! "Did you mean": the attribute that is meant by a name that is none.

use strsim::osa_distance;

use crate::attributes::{self, Attribute, Place, valid_at};

/// Names that people bring from serde, from the event's JSON and from elsewhere, and what is meant by them: the first that is valid at
/// the place.
const FOREIGN: &[(&str, &str)] = &[
    ("skip_serializing", "skip"),
    ("skip_serializing_if", "skip_if"),
    ("serialize_with", "with"),
    ("serde_with", "with"),
    ("key", "rename"),
    ("event_source", "source"),
    ("event_name", "name"),
    ("event_version", "version"),
    ("event_time", "time"),
    ("at", "time"),
    ("timestamp", "time"),
    ("event_id", "id"),
    ("uid", "id"),
    ("ident", "id"),
    ("uuid", "id"),
    ("identity", "user_identity"),
    ("actor", "user_identity"),
    ("user", "user_identity"),
    ("who", "user_identity"),
    ("name", "code"),
    ("error_code", "code"),
    ("principal", "principal_id"),
    ("source_ip_address", "source_ip"),
    ("ip_address", "source_ip"),
    ("ip", "source_ip"),
    ("ip_addr", "source_ip"),
    ("address", "source_ip"),
    ("remote_addr", "source_ip"),
    ("client_ip", "source_ip"),
    ("agent", "user_agent"),
    ("resource", "target"),
    ("object", "target"),
    ("subject", "target"),
    ("code", "error_code"),
    ("error", "outcome"),
    ("message", "error_message"),
    ("optional", "skip_if"),
    ("ignore", "skip"),
    ("pii", "personal"),
    ("gdpr", "personal"),
    ("personal_data", "personal"),
    ("sensitive", "redact"),
    ("inner", "nested"),
    ("request_parameters", "request"),
    ("response_elements", "response"),
    ("additional_event_data", "additional"),
    ("result", "outcome"),
    ("identity_type", "type"),
    ("kind", "type"),
    ("hash", "hmac"),
    ("mask", "redact"),
    ("redacted", "redact"),
    ("secret", "redact"),
    ("auto_id", "generate_id"),
];

/// Names that look like an attribute and mean something else, for which there is none: such a field is a key like any other.
const OF_NO_ATTRIBUTE: &[&str] =
    &["request_id", "trace_id", "session_id", "correlation_id", "tenant_id", "user_id", "response_id"];

/// The attribute that is most likely meant by `name` at `place`: one that is valid there if any is near enough, else one
/// that is valid elsewhere.
pub(crate) fn nearest(name: &str, place: Place) -> Option<&'static Attribute> {
    let plain_name = plain(name);
    if OF_NO_ATTRIBUTE.iter().any(|word| plain(word) == plain_name) {
        return None;
    }
    let mut meant = FOREIGN.iter().filter(|(foreign, _)| plain(foreign) == plain_name).map(|(_, meant)| *meant);
    let same = |attribute: &&Attribute| plain(attribute.name) == plain_name;
    meant
        .clone()
        .find_map(|meant| valid_at(place).find(|attribute| attribute.name == meant))
        .or_else(|| valid_at(place).find(same))
        // What is known to mean something is no typo.
        .or_else(|| meant.find_map(attributes::find))
        .or_else(|| closest(name, valid_at(place), |attribute| attribute.name))
        .or_else(|| closest(name, attributes::all(), |attribute| attribute.name))
}

/// The nearest of `words`, for values that are one of a list.
pub(crate) fn nearest_word<'w>(name: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    closest(name, words, |word| word)
}

/// The nearest by what was written; where two are equally near, by the letters alone.
fn closest<'w, T: 'w>(name: &str, words: impl Iterator<Item = T>, word_of: impl Fn(&T) -> &'w str) -> Option<T> {
    let near = words.filter_map(|candidate| {
        let word = word_of(&candidate);
        let (written, letters) = (osa_distance(&lower(name), &lower(word)), osa_distance(&plain(name), &plain(word)));
        (written.min(letters) <= tolerated(word.chars().count())).then_some(((written, letters), candidate))
    });
    near.min_by_key(|(distances, _)| *distances).map(|(_, candidate)| candidate)
}

/// Up to how many edits are a typo, by the length of the word.
const fn tolerated(letters: usize) -> usize {
    match letters {
        0..=4 => 1,
        5..=8 => 2,
        _ => 3,
    }
}

/// Attributes and their typos are shorter.
const LONGEST: usize = 64;

fn lower(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).take(LONGEST).collect()
}

/// The letters alone: `sourceIp` and `source-ip` are `source_ip`.
fn plain(name: &str) -> String {
    lower(name).chars().filter(|c| !matches!(c, '_' | '-')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All places where an attribute is valid, and every name one edit away that is not itself an attribute.
    #[test]
    fn every_typo_of_one_edit_suggests_the_right_attribute() {
        let letters = "abcdefghijklmnopqrstuvwxyz_".chars();
        let mut tried = 0;
        for attribute in attributes::all() {
            for &place in attribute.places {
                let name: Vec<char> = attribute.name.chars().collect();
                let mut typos: Vec<Vec<char>> = Vec::new();
                for at in 0..=name.len() {
                    for letter in letters.clone() {
                        let mut more = name.clone();
                        more.insert(at, letter);
                        typos.push(more);
                        if at < name.len() {
                            let mut other = name.clone();
                            other[at] = letter;
                            typos.push(other);
                        }
                    }
                    if at < name.len() && name.len() > 1 {
                        let mut fewer = name.clone();
                        fewer.remove(at);
                        typos.push(fewer);
                    }
                    if at + 1 < name.len() {
                        let mut swapped = name.clone();
                        swapped.swap(at, at + 1);
                        typos.push(swapped);
                    }
                }
                for typo in typos {
                    let typo: String = typo.into_iter().collect();
                    // `ip` is no typo of `id`.
                    let has_a_meaning = FOREIGN.iter().any(|(name, _)| plain(name) == plain(&typo));
                    if has_a_meaning
                        || typo.trim_matches('_').is_empty()
                        || attributes::all().any(|other| other.name == typo)
                    {
                        continue;
                    }
                    tried += 1;
                    let suggested = nearest(&typo, place).map(|suggested| suggested.name);
                    assert_eq!(suggested, Some(attribute.name), "`{typo}` on {}", place.name());
                }
            }
        }
        assert!(tried > 10_000, "only {tried} typos tried");
    }

    #[test]
    fn names_from_serde_and_from_the_json_are_known() {
        for (name, meant) in [("skip_serializing_if", "skip_if"), ("sourceIPAddress", "source_ip"), ("ID", "id")] {
            assert_eq!(nearest(name, Place::EventField).map(|found| found.name), Some(meant));
        }
        assert_eq!(nearest("eventSource", Place::Struct).map(|found| found.name), Some("source"));
    }

    #[test]
    fn names_from_elsewhere_suggest_what_they_mean_or_nothing() {
        let on_field = |name| nearest(name, Place::EventField).map(|found| found.name);
        for (name, meant) in
            [("ip", "source_ip"), ("remoteAddr", "source_ip"), ("resource", "target"), ("error", "outcome")]
        {
            assert_eq!(on_field(name), Some(meant), "{name}");
        }
        assert_eq!(nearest("resource", Place::Struct).map(|found| found.name), Some("target"));
        for name in ["request_id", "requestId", "trace_id", "tenant_id", "session_id"] {
            for place in Place::ALL {
                assert_eq!(nearest(name, place).map(|found| found.name), None, "{name}");
            }
        }
    }

    #[test]
    fn a_name_that_resembles_nothing_suggests_nothing() {
        assert!(nearest("zzzzzzzz", Place::EventField).is_none());
        assert!(nearest("", Place::EventField).is_none());
    }
}
