//! A message, and the two opaque texts by which clients identify it: its id and its pop receipt.
//!
//! Neither is stored as text. An id is the message's sequence number, scrambled by a bijection with the queue's secret, and
//! followed by a checksum, so that ids need no index. A pop receipt is a number that is new for each delivery.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::clock::Moment;

/// A message's place in the order of its queue's puts.
pub(crate) type Sequence = u64;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) text: Box<str>,
    pub(crate) lease: Lease,
}

/// All data of a message except its text: the part that a delivery changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) inserted: Moment,
    pub(crate) expires: Moment,
    /// When it becomes visible.
    pub(crate) visible: Moment,
    pub(crate) receipt: u64,
    /// How often it has been received.
    pub(crate) deliveries: u32,
}

/// Converts sequence numbers to ids and receipts, and back. One per queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Naming {
    secret: u64,
}

impl Naming {
    pub(crate) const fn new(secret: u64) -> Self {
        Self { secret }
    }

    /// The id of a message, in the form of a GUID, like the service's.
    pub(crate) fn id(self, sequence: Sequence) -> uuid::Uuid {
        let scrambled = scramble(sequence ^ self.secret);
        uuid::Uuid::from_u64_pair(scrambled, self.check(scrambled))
    }

    /// The sequence number in an id; `None` if the id is not of this queue.
    pub(crate) fn sequence(self, id: &str) -> Option<Sequence> {
        let (scrambled, check) = uuid::Uuid::try_parse(id).ok()?.as_u64_pair();
        (check == self.check(scrambled)).then(|| unscramble(scrambled) ^ self.secret)
    }

    const fn check(self, scrambled: u64) -> u64 {
        scramble(scrambled ^ self.secret.rotate_left(17))
    }

    /// A receipt that no earlier delivery of the message had.
    pub(crate) const fn receipt(self, sequence: Sequence, count: u64, now: Moment) -> u64 {
        scramble(self.secret ^ scramble(sequence ^ scramble(count ^ now.ticks().rotate_left(20))))
    }
}

/// A pop receipt as clients see it.
pub(crate) fn receipt_text(sequence: Sequence, receipt: u64) -> String {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&receipt.to_be_bytes());
    bytes[8..].copy_from_slice(&sequence.to_be_bytes());
    BASE64.encode(bytes)
}

/// The sequence number and the receipt in a pop receipt's text; `None` where it is malformed.
pub(crate) fn parse_receipt(text: &str) -> Option<(Sequence, u64)> {
    let bytes: [u8; 16] = BASE64.decode(text).ok()?.try_into().ok()?;
    let number = |at: usize| {
        let mut part = [0; 8];
        part.copy_from_slice(&bytes[at..at + 8]);
        u64::from_be_bytes(part)
    };
    Some((number(8), number(0)))
}

/// The finaliser of splitmix64 (Steele, Lea and Flood, 2014): a bijection that removes all patterns of its input.
const fn scramble(value: u64) -> u64 {
    let mut x = value;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The inverse of [`scramble`]: its steps in reverse, with the inverses of its factors modulo 2^64.
const fn unscramble(value: u64) -> u64 {
    let mut x = value;
    x = x ^ (x >> 31) ^ (x >> 62);
    x = x.wrapping_mul(0x3196_42b2_d24d_8ec3);
    x = x ^ (x >> 27) ^ (x >> 54);
    x = x.wrapping_mul(0x96de_1b17_3f11_9089);
    x ^ (x >> 30) ^ (x >> 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_sequence_number() {
        let naming = Naming::new(0x1234_5678_9abc_def0);
        for sequence in [0, 1, 2, 1_000_000, u64::MAX] {
            assert_eq!(unscramble(scramble(sequence)), sequence);
            assert_eq!(
                naming.sequence(&naming.id(sequence).to_string()),
                Some(sequence)
            );
        }
        assert_eq!(
            Naming::new(1).sequence(&naming.id(7).to_string()),
            None,
            "an id of another queue"
        );
        assert_eq!(naming.sequence("not-an-id"), None);
    }

    #[test]
    fn a_receipt_leads_back_to_its_numbers_and_a_malformed_one_to_nothing() {
        assert_eq!(parse_receipt(&receipt_text(7, 9)), Some((7, 9)));
        for malformed in ["", "AgAA", "not base64 at all", "AAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(parse_receipt(malformed), None, "{malformed}");
        }
    }
}
