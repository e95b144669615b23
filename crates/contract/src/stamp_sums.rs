//! Fingerprint of the producer's time stamps, small enough for a summary.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::payload::SplitMix64;
use super::{Seq, Stamp};

/// Number of messages in one sum. Smaller blocks locate wrong rows more closely and need more space: at this size a million
/// messages take 11 KB of JSON.
pub const STAMP_BLOCK: u64 = 1_000;

/// For each block of [`STAMP_BLOCK`] sequence numbers, the wrapping sum of a hash of `seq`, `srcStamp` and `sentStamp`
/// over the messages added.
///
/// The order of adding does not matter. Two sides that added the same messages have equal sums if and only if they saw the same
/// stamps, except for one case in 2^64. The sums detect invented stamps, but not a deliberate forgery: the hash has no secret.
/// In JSON they are Base64, eight bytes each, little-endian.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StampSums(Vec<u64>);

/// Error of a text without valid sums.
#[derive(Debug, thiserror::Error)]
pub enum ParseStampSumsError {
    /// The text is not Base64.
    #[error("stamp sums are not base64")]
    Base64(#[from] base64::DecodeError),
    /// The length is not a multiple of eight bytes.
    #[error("stamp sums take 8 bytes each, and there are {0} bytes")]
    Length(usize),
}

impl StampSums {
    /// Adds one message.
    pub fn add(&mut self, seq: Seq, src: Stamp, sent: Stamp) {
        let block = Self::block_of(seq);
        if block >= self.0.len() {
            self.0.resize(block + 1, 0);
        }
        self.0[block] = self.0[block].wrapping_add(hash(seq, src, sent));
    }

    /// Adds all messages of `other`.
    pub fn merge(&mut self, other: &Self) {
        if other.0.len() > self.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (sum, more) in self.0.iter_mut().zip(&other.0) {
            *sum = sum.wrapping_add(*more);
        }
    }

    /// The sum of a block, from 0; 0 if no message was added.
    pub fn sum(&self, block: usize) -> u64 {
        self.0.get(block).copied().unwrap_or(0)
    }

    /// The number of blocks, up to the last one with an added message.
    pub const fn blocks(&self) -> usize {
        self.0.len()
    }

    /// The block of a message, from 0.
    pub fn block_of(seq: Seq) -> usize {
        usize::try_from((seq.get() - 1) / STAMP_BLOCK).expect("a block's number must fit memory")
    }

    /// The sequence numbers of a block.
    pub const fn seqs_of(block: usize) -> RangeInclusive<u64> {
        let before = block as u64 * STAMP_BLOCK;
        before + 1..=before + STAMP_BLOCK
    }
}

/// Each value is mixed in before the next, so that errors in two values cannot cancel each other.
fn hash(seq: Seq, src: Stamp, sent: Stamp) -> u64 {
    let mix = |z| SplitMix64(z).next();
    let with_src = mix(seq.get()).wrapping_add(src.as_micros().cast_unsigned());
    mix(mix(with_src).wrapping_add(sent.as_micros().cast_unsigned()))
}

impl From<StampSums> for String {
    fn from(sums: StampSums) -> Self {
        let bytes: Vec<u8> = sums.0.into_iter().flat_map(u64::to_le_bytes).collect();
        BASE64_STANDARD.encode(bytes)
    }
}

impl TryFrom<String> for StampSums {
    type Error = ParseStampSumsError;

    fn try_from(text: String) -> Result<Self, ParseStampSumsError> {
        let bytes = BASE64_STANDARD.decode(text)?;
        let (sums, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(ParseStampSumsError::Length(bytes.len()));
        }
        Ok(Self(sums.iter().copied().map(u64::from_le_bytes).collect()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Added = (u64, i64, i64);

    fn sums(messages: &[Added]) -> StampSums {
        let mut sums = StampSums::default();
        for (seq, src, sent) in messages {
            let (src, sent) = (Stamp::from_micros(*src), Stamp::from_micros(*sent));
            sums.add(Seq::new(*seq).unwrap(), src, sent);
        }
        sums
    }

    #[test]
    fn a_block_is_a_thousand_messages() {
        let blocks = [1, 1_000, 1_001].map(|seq| StampSums::block_of(Seq::new(seq).unwrap()));
        assert_eq!(blocks, [0, 0, 1]);
        assert_eq!(StampSums::seqs_of(1), 1_001..=2_000);
        let sums = sums(&[(2_001, 1, 2)]);
        assert_eq!((sums.blocks(), sums.sum(0), sums.sum(9)), (3, 0, 0));
    }

    #[test]
    fn sums_are_those_of_an_independent_implementation() {
        // From a Python implementation of the same rule, because another version may read a summary.
        let sums = sums(&[
            (1, 1_795_435_200_000_000, 1_795_435_200_000_321),
            (2, 1_795_435_200_010_000, 1_795_435_200_010_007),
        ]);
        assert_eq!(sums.sum(0), 1_981_659_663_485_022_825);
    }

    #[test]
    fn other_texts_are_refused() {
        let read = |text: &str| StampSums::try_from(text.to_owned()).unwrap_err();
        assert!(matches!(read("%"), ParseStampSumsError::Base64(_)));
        assert!(matches!(read("AAAA"), ParseStampSumsError::Length(3)));
    }

    fn messages() -> impl Strategy<Value = Vec<Added>> {
        prop::collection::vec((1..5_000_u64, any::<i64>(), any::<i64>()), 1..40)
    }

    proptest! {
        #[test]
        fn the_order_does_not_matter_and_json_keeps_the_sums(
            (added, shuffled) in messages().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
        ) {
            prop_assert_eq!(sums(&added), sums(&shuffled));
            let (some, others) = added.split_at(added.len() / 2);
            let mut merged = sums(some);
            merged.merge(&sums(others));
            prop_assert_eq!(&merged, &sums(&added));
            let json = serde_json::to_string(&sums(&added)).unwrap();
            prop_assert_eq!(serde_json::from_str::<StampSums>(&json).unwrap(), sums(&added));
        }

        #[test]
        fn one_other_stamp_or_two_that_are_swapped_show(
            added in messages(), at in any::<prop::sample::Index>(), by in 1..i64::MAX
        ) {
            let changed = |change: &dyn Fn(&mut Added)| {
                let mut changed = added.clone();
                change(at.get_mut(&mut changed));
                sums(&changed) != sums(&added)
            };
            prop_assert!(changed(&|(_, src, _)| *src = src.wrapping_add(by)));
            prop_assert!(changed(&|(_, _, sent)| *sent = sent.wrapping_add(by)));
            let (_, src, sent) = *at.get(&added);
            prop_assert_eq!(changed(&|(_, src, sent)| std::mem::swap(src, sent)), src != sent);
        }
    }
}
