//! A slice of a load: the part that one of several generators sends.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use workflow::contract::Seq;

/// One of several equal slices of a load: every `of`th message, so that all slices together arrive as the whole load does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slice {
    index: u32,
    of: u32,
}

/// A text is not a slice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no slice of a load: expected <index>/<count>, the index from 0, such as 0/4 to 3/4"
)]
pub struct ParseSliceError(String);

impl Default for Slice {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl Slice {
    /// The whole load.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Slice `index`, from 0, of `of` slices; `None` if there is no such slice.
    pub const fn new(index: u32, of: u32) -> Option<Self> {
        if index < of {
            Some(Self { index, of })
        } else {
            None
        }
    }

    /// Its number among the slices, from 0.
    pub const fn index(self) -> u32 {
        self.index
    }

    /// How many slices the load is cut into.
    pub const fn of(self) -> u32 {
        self.of
    }

    /// Whether it is the whole load.
    pub const fn is_whole(self) -> bool {
        self.of == 1
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    pub(crate) const fn is_whole_ref(&self) -> bool {
        self.is_whole()
    }

    /// Whether message `seq` belongs to this slice.
    pub fn contains(self, seq: Seq) -> bool {
        (seq.get() - 1) % u64::from(self.of) == u64::from(self.index)
    }

    /// How many of the first `messages` messages of the load belong to this slice.
    pub fn within(self, messages: u64) -> u64 {
        let (index, of) = (u64::from(self.index), u64::from(self.of));
        messages.saturating_sub(index).div_ceil(of)
    }

    /// The sequence number of the last of the slice's first `count` messages; 0 if `count` is 0.
    pub fn last(self, count: u64) -> u64 {
        match count {
            0 => 0,
            count => (count - 1) * u64::from(self.of) + u64::from(self.index) + 1,
        }
    }

    /// The slice's messages from number `after` + 1 on (counted within the slice), up to message `until` of the load.
    pub(crate) fn messages(self, after: u64, until: u64) -> impl Iterator<Item = Seq> {
        (after + 1..=self.within(until)).filter_map(move |nth| Seq::new(self.last(nth)))
    }
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Slice {
    type Err = ParseSliceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ParseSliceError(text.to_owned());
        let (index, of) = text.split_once('/').ok_or_else(refused)?;
        let number = |text: &str| text.parse().map_err(|_| refused());
        Self::new(number(index)?, number(of)?).ok_or_else(refused)
    }
}

impl From<Slice> for String {
    fn from(slice: Slice) -> Self {
        slice.to_string()
    }
}

impl TryFrom<String> for Slice {
    type Error = ParseSliceError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_of_exactly_one_slice() {
        for (of, messages) in [(1, 7), (3, 7), (4, 8), (5, 3)] {
            let slices: Vec<_> = (0..of).filter_map(|at| Slice::new(at, of)).collect();
            let sum: u64 = slices.iter().map(|slice| slice.within(messages)).sum();
            assert_eq!(sum, messages, "{of} slices");
            for seq in (1..=messages).filter_map(Seq::new) {
                let holds = slices.iter().filter(|slice| slice.contains(seq)).count();
                assert_eq!(holds, 1, "message {seq} in {of} slices");
            }
            for slice in slices {
                let of_it: Vec<u64> = slice.messages(0, messages).map(Seq::get).collect();
                assert_eq!(of_it.len() as u64, slice.within(messages));
                assert!(
                    of_it
                        .iter()
                        .all(|seq| slice.contains(Seq::new(*seq).unwrap()))
                );
                let last = of_it.last().copied().unwrap_or(0);
                assert_eq!(slice.last(slice.within(messages)), last);
            }
        }
    }

    #[test]
    fn slices_are_written_and_read_by_their_index_and_count() {
        let slice: Slice = "2/4".parse().unwrap();
        assert_eq!((slice.index(), slice.of()), (2, 4));
        assert_eq!(serde_json::to_string(&slice).unwrap(), "\"2/4\"");
        for text in ["", "4", "4/4", "0/0", "-1/2", "a/b", "1/2/3"] {
            let error = text.parse::<Slice>().unwrap_err().to_string();
            assert!(error.contains("0/4 to 3/4"), "{error}");
        }
    }
}
