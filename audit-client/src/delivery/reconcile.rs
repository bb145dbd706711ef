//! Holds an answer against its request: which id was named, how, and which was not.

use std::collections::HashMap;

use audit_core::Batch;
use audit_core::wire::PutAuditEventsResponse;

/// What the answer says of one entry of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is stored, under this id.
    Stored { event_id: String },
    /// It was refused.
    Refused { code: String, message: String },
    /// Nothing, or two things that cannot both be true: it must be sent again.
    Nothing,
}

/// An answer, held against its request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reconciled {
    /// For each entry of the batch, in its order.
    pub(crate) said: Vec<Said>,
    /// How many ids were named that the request did not carry.
    pub(crate) foreign: usize,
    /// How many times an id was named again.
    pub(crate) repeated: usize,
}

pub(crate) fn reconcile(batch: &Batch, answer: PutAuditEventsResponse) -> Reconciled {
    let places: HashMap<&str, usize> =
        batch.entries().iter().enumerate().map(|(permit, entry)| (entry.id().as_str(), permit)).collect();
    let mut said: Vec<Option<Said>> = vec![None; batch.len()];
    let (mut foreign, mut repeated) = (0, 0);
    let stored = answer.successful.into_iter().map(|entry| (entry.id, Said::Stored { event_id: entry.event_id }));
    let refused = answer
        .failed
        .into_iter()
        .map(|entry| (entry.id, Said::Refused { code: entry.error_code, message: entry.error_message }));
    for (id, now) in stored.chain(refused) {
        let Some(&at) = places.get(id.as_str()) else {
            foreign += 1;
            continue;
        };
        match &mut said[at] {
            empty @ None => *empty = Some(now),
            Some(before) => {
                repeated += 1;
                let agrees = match (&*before, &now) {
                    // Stored twice is stored: the first name that the service gave stands.
                    (Said::Stored { .. }, Said::Stored { .. }) => true,
                    (Said::Refused { code: before, .. }, Said::Refused { code: now, .. }) => before == now,
                    _ => false,
                };
                if !agrees {
                    *before = Said::Nothing;
                }
            }
        }
    }
    Reconciled { said: said.into_iter().map(|said| said.unwrap_or(Said::Nothing)).collect(), foreign, repeated }
}

#[cfg(test)]
mod tests {
    use super::{Said, reconcile};
    use crate::sample_entries::entry;
    use audit_core::Batch;
    use audit_core::wire::{FailedEntry, PutAuditEventsResponse, SuccessfulEntry};

    fn batch(ids: &[&str]) -> Batch {
        let mut batch = Batch::new();
        for id in ids {
            batch.push(entry(id)).expect("room");
        }
        batch
    }

    fn stored(id: &str, event_id: &str) -> SuccessfulEntry {
        SuccessfulEntry::new(id, event_id)
    }

    fn refused(id: &str, code: &str) -> FailedEntry {
        FailedEntry::new(id, code, "m")
    }

    #[test]
    fn each_entry_gets_what_was_said_of_it_whatever_the_order() {
        let answer = PutAuditEventsResponse::new(vec![stored("c", "E")], vec![refused("a", "InvalidData")]);
        let all = reconcile(&batch(&["a", "b", "c"]), answer);
        assert_eq!(all.said[0], Said::Refused { code: "InvalidData".into(), message: "m".into() });
        assert_eq!(all.said[1], Said::Nothing);
        assert_eq!(all.said[2], Said::Stored { event_id: "E".into() });
        assert_eq!((all.foreign, all.repeated), (0, 0));
    }

    #[test]
    fn foreign_ids_are_counted_and_change_nothing() {
        let answer =
            PutAuditEventsResponse::new(vec![stored("x", "E"), stored("a", "A")], vec![refused("y", "InvalidData")]);
        let all = reconcile(&batch(&["a"]), answer);
        assert_eq!(all.said, [Said::Stored { event_id: "A".into() }]);
        assert_eq!(all.foreign, 2);
    }

    #[test]
    fn an_id_named_twice_counts_once_and_a_contradiction_counts_as_nothing_said() {
        let answer = PutAuditEventsResponse::new(
            vec![stored("twice", "A"), stored("twice", "B"), stored("both", "C")],
            vec![refused("both", "InvalidData"), refused("same", "Throttling"), refused("same", "Throttling")],
        );
        let all = reconcile(&batch(&["twice", "both", "same"]), answer);
        assert_eq!(all.said[0], Said::Stored { event_id: "A".into() });
        assert_eq!(all.said[1], Said::Nothing);
        assert!(matches!(&all.said[2], Said::Refused { code, .. } if code == "Throttling"));
        assert_eq!(all.repeated, 3);
    }

    #[test]
    fn an_empty_answer_says_nothing_of_any_entry() {
        let all = reconcile(&batch(&["a", "b"]), PutAuditEventsResponse::default());
        assert_eq!(all.said, [Said::Nothing, Said::Nothing]);
    }
}
