//! Sets of sequence numbers, kept as ranges.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use workflow::contract::Seq;

/// A set of sequence numbers, as ranges with both ends included; in JSON `[[5,9],[12,12]]`.
///
/// Exceptions mostly come in sequence (storage is unavailable for a while), so the set stays small for a load of any length.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeqRanges {
    /// First to last number of each range; ranges are disjoint and not adjacent.
    ranges: BTreeMap<u64, u64>,
    count: u64,
}

impl SeqRanges {
    /// Adds `seq`; no effect if it is there.
    pub fn insert(&mut self, seq: Seq) {
        let n = seq.get();
        if self.contains(seq) {
            return;
        }
        self.count += 1;
        let last = self.ranges.remove(&(n + 1)).unwrap_or(n);
        match self.ranges.range_mut(..n).next_back() {
            Some((_, end)) if *end + 1 == n => *end = last,
            _ => drop(self.ranges.insert(n, last)),
        }
    }

    /// Whether `seq` is in the set.
    pub fn contains(&self, seq: Seq) -> bool {
        let before = self.ranges.range(..=seq.get()).next_back();
        before.is_some_and(|(_, last)| *last >= seq.get())
    }

    /// How many numbers are in the set.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Whether the set is empty.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The ranges, first to last, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.ranges.iter().map(|(first, last)| (*first, *last))
    }
}

impl FromIterator<Seq> for SeqRanges {
    fn from_iter<I: IntoIterator<Item = Seq>>(seqs: I) -> Self {
        let mut set = Self::default();
        seqs.into_iter().for_each(|seq| set.insert(seq));
        set
    }
}

impl Serialize for SeqRanges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for SeqRanges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut set = Self::default();
        let mut end = 0;
        for (first, last) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            if first <= end || last < first {
                let problem = format!("range [{first},{last}] is empty, or not after {end}");
                return Err(serde::de::Error::custom(problem));
            }
            set.count += last - first + 1;
            set.ranges.insert(first, last);
            end = last;
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(numbers: &[u64]) -> SeqRanges {
        numbers.iter().filter_map(|n| Seq::new(*n)).collect()
    }

    #[test]
    fn neighbours_join_in_any_order() {
        for order in [[5, 6, 7, 9, 1], [7, 5, 1, 9, 6], [9, 7, 6, 5, 1]] {
            let set = set(&order);
            assert_eq!(set.iter().collect::<Vec<_>>(), [(1, 1), (5, 7), (9, 9)]);
            assert_eq!(set.count(), 5);
        }
    }

    #[test]
    fn an_element_counts_once() {
        let mut set = set(&[5, 6, 7]);
        set.insert(Seq::new(6).unwrap());
        assert_eq!(set.count(), 3);
        assert!(set.contains(Seq::new(7).unwrap()) && !set.contains(Seq::new(8).unwrap()));
    }

    #[test]
    fn json_is_pairs_and_round_trips() {
        let set = set(&[5, 6, 7, 9]);
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(json, "[[5,7],[9,9]]");
        assert_eq!(serde_json::from_str::<SeqRanges>(&json).unwrap(), set);
    }

    #[test]
    fn malformed_ranges_are_refused() {
        for json in [
            "[[2,1]]",
            "[[0,1]]",
            "[[1,3],[3,4]]",
            "[[1]]",
            "[[5,6],[1,2]]",
        ] {
            assert!(serde_json::from_str::<SeqRanges>(json).is_err(), "{json}");
        }
    }
}
