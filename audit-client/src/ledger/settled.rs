//! Which sequence numbers have their verdict: the lowest that has none, and the ranges above it.

use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct Settled {
    below: u64,
    above: BTreeMap<u64, u64>,
}

impl Default for Settled {
    fn default() -> Self {
        Self { below: 1, above: BTreeMap::new() }
    }
}

impl Settled {
    /// All numbers below this one are settled.
    pub(super) fn below(&self) -> u64 {
        self.below
    }

    /// Marks `seq`, which is not marked yet.
    pub(super) fn mark(&mut self, seq: u64) {
        let mut end = seq + 1;
        if let Some(next_end) = self.above.remove(&end) {
            end = next_end;
        }
        if seq == self.below {
            self.below = end;
            return;
        }
        if let Some((_, previous_end)) = self.above.range_mut(..seq).next_back()
            && *previous_end == seq
        {
            *previous_end = end;
            return;
        }
        self.above.insert(seq, end);
    }
}

#[cfg(test)]
mod tests {
    use super::Settled;

    #[test]
    fn settled_numbers_join_into_one_bound_whatever_their_order() {
        let mut random = fastrand::Rng::with_seed(11);
        for _ in 0..200 {
            let mut order: Vec<u64> = (1..=64).collect();
            random.shuffle(&mut order);
            let mut settled = Settled::default();
            let mut marked = std::collections::BTreeSet::new();
            for seq in order {
                settled.mark(seq);
                marked.insert(seq);
                let first_open = (1..=65).find(|seq| !marked.contains(seq)).expect("an open one");
                assert_eq!(settled.below, first_open);
                let above: u64 = settled.above.iter().map(|(start, end)| end - start).sum();
                assert_eq!(settled.below - 1 + above, marked.len() as u64);
            }
            assert!(settled.above.is_empty());
        }
    }
}
