//! A set of sequence numbers, kept as ranges: what was acknowledged, or has its verdict.

use std::collections::BTreeMap;
use std::ops::Range;

/// Sequence numbers as disjoint ranges that do not touch. Grows with the number of gaps, not of members.
///
/// ```
/// let mut numbers = audit_spool::SeqSet::default();
/// assert_eq!(numbers.insert(1..4), 3);
/// assert_eq!(numbers.insert(3..6), 2);
/// assert_eq!(numbers.first_absent(1), 6);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeqSet {
    /// Start to end (exclusive).
    ranges: BTreeMap<u64, u64>,
}

impl SeqSet {
    /// Adds a range; returns how many of its numbers were not in the set.
    pub fn insert(&mut self, range: Range<u64>) -> u64 {
        if range.is_empty() {
            return 0;
        }
        let (mut start, mut end) = (range.start, range.end);
        let mut swallowed = 0;
        // Every range that overlaps or touches starts at or before `end`; walk them from the last backwards.
        while let Some((&from, &to)) = self.ranges.range(..=end).next_back() {
            if to < start {
                break;
            }
            self.ranges.remove(&from);
            swallowed += to - from;
            start = start.min(from);
            end = end.max(to);
        }
        self.ranges.insert(start, end);
        (end - start) - swallowed
    }

    /// Whether a number is in the set.
    pub fn contains(&self, seq: u64) -> bool {
        self.first_absent(seq) != seq
    }

    /// Whether all numbers of a range are in the set.
    pub fn contains_all(&self, range: &Range<u64>) -> bool {
        range.is_empty() || self.first_absent(range.start) >= range.end
    }

    /// The smallest number from `seq` on that is not in the set.
    pub fn first_absent(&self, seq: u64) -> u64 {
        match self.ranges.range(..=seq).next_back() {
            Some((_, &end)) if end > seq => end,
            _ => seq,
        }
    }

    /// How many of the numbers of a range are in the set.
    pub fn members_in(&self, range: &Range<u64>) -> u64 {
        let before = self.ranges.range(..range.start).next_back();
        before
            .into_iter()
            .chain(self.ranges.range(range.start..range.end))
            .map(|(&from, &to)| to.min(range.end).saturating_sub(from.max(range.start)))
            .sum()
    }

    /// One more than the largest number in the set; 0 of an empty one.
    pub fn end(&self) -> u64 {
        self.ranges.last_key_value().map_or(0, |(_, &end)| end)
    }

    /// The ranges, in order.
    pub fn ranges(&self) -> impl ExactSizeIterator<Item = Range<u64>> {
        self.ranges.iter().map(|(&from, &to)| from..to)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_set_of_ranges_agrees_with_a_set_of_numbers() {
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..300 {
            let (mut ranges, mut plain) = (SeqSet::default(), BTreeSet::new());
            for _ in 0..30 {
                let from = random.u64(0..60);
                let range = from..from + random.u64(0..8);
                let before = plain.len();
                plain.extend(range.clone());
                assert_eq!(ranges.insert(range), (plain.len() - before) as u64);
                assert_eq!(ranges.members_in(&(0..100)), plain.len() as u64);
                let flat: Vec<u64> = ranges.ranges().flatten().collect();
                assert_eq!(flat, plain.iter().copied().collect::<Vec<_>>());
                let starts: Vec<_> = ranges.ranges().collect();
                assert!(starts.windows(2).all(|pair| pair[0].end < pair[1].start), "{starts:?} touch");
                let seq = random.u64(0..70);
                assert_eq!(ranges.contains(seq), plain.contains(&seq));
                assert_eq!(ranges.first_absent(seq), (seq..1000).find(|n| !plain.contains(n)).unwrap());
                let asked = seq..seq + random.u64(0..20);
                assert_eq!(ranges.members_in(&asked), plain.range(asked.clone()).count() as u64);
                assert_eq!(ranges.contains_all(&asked), asked.clone().all(|n| plain.contains(&n)));
                assert_eq!(ranges.end(), plain.last().map_or(0, |n| n + 1));
            }
        }
    }
}
