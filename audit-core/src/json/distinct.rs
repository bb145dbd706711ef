//! Whether the keys of an object are distinct, as far as that can be seen while they are written.

/// So many keys are looked up; more are distinct only if they ascend.
const KEPT: usize = 48;
const SLOTS: usize = 64;

/// A number that is the same for the same keys, and for other keys seldom so: of their length, their first eight bytes and
/// their last.
#[inline]
pub(crate) fn fingerprint(key: &[u8]) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let quad = |quad: &[u8; 4]| u64::from(u32::from_le_bytes(*quad));
    let (head, tail) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => match (key.first_chunk::<4>(), key.last_chunk::<4>(), key) {
            (Some(head), Some(tail), _) => (quad(head), quad(tail)),
            (_, _, [first, .., last]) => (u64::from(*first), u64::from(key[1]) << 8 | u64::from(*last)),
            (_, _, [only]) => (u64::from(*only), 0),
            (_, _, []) => (0, 0),
        },
    };
    let mixed = (head.wrapping_mul(ODD) ^ tail.rotate_left(29) ^ key.len() as u64).wrapping_mul(ODD);
    mixed ^ (mixed >> 32)
}

/// The keys of one object, while it is written.
pub(crate) struct DistinctKeys {
    /// A part of each key's fingerprint, at the place that another part names or at the next one that is free.
    table: [u16; SLOTS],
    kept: usize,
    /// Whether all keys were looked up, and none was there.
    looked_up: bool,
}

impl DistinctKeys {
    pub(crate) const fn new() -> Self {
        Self { table: [0; SLOTS], kept: 0, looked_up: true }
    }

    /// Adds a key, and returns whether all keys so far are known to be distinct. If not, they may be so all the same.
    #[inline]
    pub(crate) fn add(&mut self, key: &[u8]) -> bool {
        self.looked_up = self.looked_up && self.kept < KEPT && self.insert(key);
        self.looked_up
    }

    fn insert(&mut self, key: &[u8]) -> bool {
        let fingerprint = fingerprint(key);
        // A free slot is zero. What is cut off here makes two keys look alike more often, and that is all.
        #[allow(clippy::cast_possible_truncation, reason = "some bits are as good as others")]
        let (tag, mut slot) = ((fingerprint >> 16) as u16 | 1, fingerprint as usize % SLOTS);
        while self.table[slot] != 0 {
            if self.table[slot] == tag {
                return false;
            }
            slot = (slot + 1) % SLOTS;
        }
        self.table[slot] = tag;
        self.kept += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::DistinctKeys;

    #[test]
    fn keys_that_are_alike_are_never_taken_for_distinct() {
        for count in 0..60_usize {
            let keys: Vec<String> = (0..count).map(|at| format!("{at}{}", "x".repeat(at % 20))).collect();
            for twice in &keys {
                let mut object = DistinctKeys::new();
                let known = keys.iter().chain([twice]).map(|key| object.add(key.as_bytes())).last();
                assert_eq!(known, Some(false), "{twice} of {count}");
            }
        }
    }

    #[test]
    fn some_dozen_usual_keys_are_told_apart() {
        let keys = "id node_id name full_name private owner html_url description fork url forks_url keys_url \
            collaborators_url teams_url hooks_url issue_events_url events_url assignees_url branches_url tags_url \
            blobs_url git_tags_url git_refs_url trees_url statuses_url languages_url stargazers_url contributors_url \
            subscribers_url subscription_url commits_url git_commits_url comments_url issue_comment_url contents_url";
        let mut object = DistinctKeys::new();
        assert!(keys.split_whitespace().all(|key| object.add(key.as_bytes())));
    }
}
