//! Payloads: a function of seed and sequence number, so that the expected content need not be stored. They contain some of
//! every kind of character that a consumer may change by mistake.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{MAX_DATA_UTF16, Seq};

/// The size of a run's payloads, in bytes of UTF-8.
///
/// As text: `sample`, `512`, `uniform:100..2000`, `exponential:800` (mean; truncated at the largest storable).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PayloadSize {
    /// The sample's text alone, `Scale Test Message : COUNT <seq>`.
    #[default]
    Sample,
    /// Always this many bytes.
    Fixed(usize),
    /// Any size of the range, equally likely; both ends included.
    Uniform(usize, usize),
    /// Exponentially distributed with this mean.
    Exponential(usize),
}

/// Error of a text that is not a payload size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "payload size {0:?} is not 'sample', '<bytes>', 'uniform:<min>..<max>' or 'exponential:<mean>', \
     each from {min} to {max} bytes",
    min = PayloadSize::RANGE.start(), max = PayloadSize::RANGE.end()
)]
pub struct ParsePayloadSizeError(String);

impl PayloadSize {
    /// Possible sizes of a payload: at least the sample's text with its largest count, at most the size of a table column. A
    /// column counts UTF-16 units, of which a text never has more than bytes. The largest payload fits into a queue message
    /// even with the most escapes, as a JSON string in XML (`the_largest_payload_of_the_worst_text_fits_a_message`).
    pub const RANGE: RangeInclusive<usize> = 48..=MAX_DATA_UTF16;
}

impl FromStr for PayloadSize {
    type Err = ParsePayloadSizeError;

    fn from_str(text: &str) -> Result<Self, ParsePayloadSizeError> {
        let refused = || ParsePayloadSizeError(text.to_owned());
        let bytes = |number: &str| {
            number
                .parse()
                .ok()
                .filter(|n| Self::RANGE.contains(n))
                .ok_or_else(refused)
        };
        match text.split_once(':') {
            None if text == "sample" => Ok(Self::Sample),
            None => bytes(text).map(Self::Fixed),
            Some(("uniform", range)) => {
                let (min, max) = range.split_once("..").ok_or_else(refused)?;
                let (min, max) = (bytes(min)?, bytes(max)?);
                if min > max {
                    Err(refused())
                } else {
                    Ok(Self::Uniform(min, max))
                }
            }
            Some(("exponential", mean)) => bytes(mean).map(Self::Exponential),
            Some(_) => Err(refused()),
        }
    }
}

impl TryFrom<String> for PayloadSize {
    type Error = ParsePayloadSizeError;

    fn try_from(text: String) -> Result<Self, ParsePayloadSizeError> {
        text.parse()
    }
}

impl From<PayloadSize> for String {
    fn from(size: PayloadSize) -> Self {
        size.to_string()
    }
}

impl fmt::Display for PayloadSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sample => f.write_str("sample"),
            Self::Fixed(bytes) => write!(f, "{bytes}"),
            Self::Uniform(min, max) => write!(f, "uniform:{min}..{max}"),
            Self::Exponential(mean) => write!(f, "exponential:{mean}"),
        }
    }
}

/// The beginning of every payload, the sample's text; the sequence number follows.
const PREFIX: &str = "Scale Test Message : COUNT ";

/// The payloads of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payloads {
    /// The run's seed.
    pub seed: u64,
    /// Their sizes.
    pub size: PayloadSize,
}

impl Payloads {
    /// The payload (`msg`) of message `seq`: the sample's text alone, or between spaces and with seeded filler up to its size.
    pub fn payload(&self, seq: Seq) -> String {
        let mut text = String::new();
        self.write_payload(seq, &mut text);
        text
    }

    /// Replaces `text` by the payload of message `seq`; for callers that need millions of payloads.
    pub fn write_payload(&self, seq: Seq, text: &mut String) {
        use fmt::Write as _;
        text.clear();
        let mut random = SplitMix64::of(self.seed, seq);
        let Some(bytes) = self.bytes(&mut random) else {
            write!(text, "{PREFIX}{seq}").expect("writing to a string must succeed");
            return;
        };
        text.reserve_exact(bytes);
        // Spaces at both ends, if there is room, to detect consumers that trim.
        write!(text, " {PREFIX}{seq} ").expect("writing to a string must succeed");
        if text.len() < bytes {
            fill(text, bytes - 1, &mut random);
            text.push(' ');
        } else {
            text.truncate(bytes);
        }
    }

    /// The message whose payload is `text`, if there is one; identifies a row independently of its keys.
    pub fn seq_of(&self, text: &str) -> Option<Seq> {
        let sample = text.strip_prefix(' ').unwrap_or(text);
        let count = sample.strip_prefix(PREFIX)?.split(' ').next()?;
        let seq = count.parse().ok()?;
        (self.payload(seq) == text).then_some(seq)
    }

    /// The payloads with this number of the same messages: 1 for these, from 2 on for others.
    #[must_use]
    pub const fn further(self, number: u8) -> Self {
        let apart = 0x9E6C_63D0_876A_9A69_u64.wrapping_mul(number as u64 - 1);
        Self {
            seed: self.seed ^ apart,
            ..self
        }
    }

    /// The sequence number in `text`, if it looks like a payload; the rest may be anything.
    pub fn count_in(text: &str) -> Option<Seq> {
        let rest = text.trim_start().strip_prefix(PREFIX)?;
        let end = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..end].parse().ok()
    }

    /// How many payloads `text` seems to contain.
    pub fn counts_in(text: &str) -> usize {
        text.matches(PREFIX).count()
    }

    fn bytes(&self, random: &mut SplitMix64) -> Option<usize> {
        match self.size {
            PayloadSize::Sample => None,
            PayloadSize::Fixed(bytes) => Some(bytes),
            PayloadSize::Uniform(min, max) => {
                let span = (max - min + 1) as f64;
                Some(min + scaled(random.unit() * span).min(max - min))
            }
            PayloadSize::Exponential(mean) => {
                let bytes = scaled(-(1.0 - random.unit()).ln() * mean as f64);
                Some(bytes.clamp(*PayloadSize::RANGE.start(), *PayloadSize::RANGE.end()))
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a non-negative size far below 2^52, rounded down"
)]
fn scaled(size: f64) -> usize {
    size as usize
}

/// Characters that consumers change by mistake, each in its own way: characters of two, three and four bytes, the last also of
/// two UTF-16 units; the same letter composed and with a combining accent; characters that JSON and XML escape, and texts that
/// look escaped already; white space of every kind. XML 1.0 can represent all of them.
const SPECIMENS: [&str; 16] = [
    "é", "e\u{301}", "ж", "€", "中", "😀", "𝄞", "<&>", "\"", "\\", "\n", "\t", "  ", "'", "&amp;",
    "\\u00e9",
];

/// Bytes of the longest specimen.
const SPECIMEN: usize = 8;

/// Number of letters after each specimen, in two steps of ten.
const LETTERS: usize = 20;

/// The specimens as arrays of fixed width, which can be copied without a loop, with their lengths.
const SPECIMEN_BYTES: [([u8; SPECIMEN], usize); 16] = {
    let mut all = [([0; SPECIMEN], 0); 16];
    let mut at = 0;
    while at < all.len() {
        let bytes = SPECIMENS[at].as_bytes();
        (all[at].0.split_at_mut(bytes.len()).0).copy_from_slice(bytes);
        all[at].1 = bytes.len();
        at += 1;
    }
    all
};

/// Fills `text` up to `bytes` with specimens, where there is room for the longest, and twenty letters after each. A generator
/// and an audit make hundreds of megabytes of this, so it works in large steps, and is mostly ASCII, which is quickly validated
/// as UTF-8.
fn fill(text: &mut String, bytes: usize, random: &mut SplitMix64) {
    let mut filled = std::mem::take(text).into_bytes();
    let mut at = filled.len();
    // Longer than needed, so that the last step needs no separate code.
    filled.resize(bytes + SPECIMEN + LETTERS, 0);
    while at < bytes {
        let bits = random.next();
        if bytes - at >= SPECIMEN {
            let (specimen, length) = SPECIMEN_BYTES[usize::from((bits >> 60) as u8)];
            filled[at..at + SPECIMEN].copy_from_slice(&specimen);
            at += length;
        }
        filled[at..at + 10].copy_from_slice(&letters(bits));
        filled[at + 10..at + LETTERS].copy_from_slice(&letters(random.next()));
        at += LETTERS;
    }
    filled.truncate(bytes);
    *text = String::from_utf8(filled).expect("specimens and letters must be UTF-8");
}

/// Ten letters of six bits each, lowest bits first.
fn letters(mut bits: u64) -> [u8; 10] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::array::from_fn(|_| {
        let letter = ALPHABET[usize::from((bits & 63) as u8)];
        bits >>= 6;
        letter
    })
}

/// `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014), as in Java's `SplittableRandom`.
///
/// Implemented here because payloads must stay the same across versions and languages, which the generators of `rand` do not
/// promise; any worker can reimplement its ten lines.
pub(super) struct SplitMix64(pub(super) u64);

impl SplitMix64 {
    /// An independent stream for each message, so that payload `seq` does not depend on the ones before it.
    fn of(seed: u64, seq: Seq) -> Self {
        Self(Self(seed ^ seq.get().wrapping_mul(0xD134_2543_DE82_EF95)).next())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `[0, 1)` with 53 bits.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests;
