//! The account of every event.

use super::ids::Ids;

/// What became of all that the client accepted: `accepted == delivered + dead + kept + lost`, always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "the report names every event that was not delivered"]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Events that the client took in: by `emit`, and those that an earlier run had left in the spool, or another process in the
    /// spool's directory.
    pub accepted: u64,
    /// Of `accepted`, those that an earlier run or another process had left.
    pub recovered: u64,
    /// Events that the service has, by its own word.
    pub delivered: u64,
    /// Dead letters: events that no retry can save, and those that were given up.
    pub dead: u64,
    /// Events without a verdict that are in the spool: the next start goes on with them.
    pub kept: u64,
    /// Events without a verdict and without a spool: this process forgets them.
    pub lost: u64,
    /// Of `kept` and `lost`, those that a request carried which got no answer: the service may have them.
    pub in_doubt: u64,
    /// The ids of the delivered ones.
    pub delivered_ids: Ids,
    /// The ids of the dead letters.
    pub dead_ids: Ids,
    /// The ids of the kept ones.
    pub kept_ids: Ids,
    /// The ids of the lost ones.
    pub lost_ids: Ids,
}

impl ShutdownReport {
    /// Whether every accepted event is with the service.
    pub fn is_complete(&self) -> bool {
        self.delivered == self.accepted
    }
}

impl std::fmt::Display for ShutdownReport {
    /// `accepted A = delivered D + dead X + kept K + lost L`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { accepted, delivered, dead, kept, lost, .. } = self;
        write!(f, "accepted {accepted} = delivered {delivered} + dead {dead} + kept {kept} + lost {lost}")
    }
}
