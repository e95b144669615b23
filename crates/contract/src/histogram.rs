//! Histograms as text: `HdrHistogram` V2, compressed, in Base64, as in `.hlog` files.

use std::io::Read as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::ZlibDecoder;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};

/// First bytes of a compressed histogram (`HdrHistogram`'s `AbstractHistogram.encodeIntoCompressedByteBuffer`).
const COMPRESSED: [u8; 4] = 0x1c84_9314_u32.to_be_bytes();

/// Bytes of the cookie, and of the length of the rest.
const HEAD: usize = 8;

/// Bytes of the fields between the head of an uncompressed histogram and its counts.
const FIELDS: usize = 32;

/// Encoding of the smallest 64-bit number (`ZigZag`, LEB128 of at most nine bytes).
const LEAST: [u8; 9] = [0xff; 9];

/// Largest accepted histogram, in bytes: far more than one of microseconds with three digits needs.
const LONGEST: u64 = 4 << 20;

/// Error of a text that is not a histogram.
#[derive(Debug, thiserror::Error)]
pub enum HistogramError {
    /// The text is not Base64.
    #[error("histogram is not base64")]
    Base64(#[from] base64::DecodeError),
    /// The Base64 contains something else.
    #[error("histogram is not in HdrHistogram's V2 format: {0}")]
    Format(String),
}

/// Encodes `histogram` as text.
pub fn encode(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .expect("writing a histogram to memory must succeed");
    BASE64_STANDARD.encode(bytes)
}

/// Decodes the histogram in `text`, compressed or not.
pub fn decode(text: &str) -> Result<Histogram<u64>, HistogramError> {
    let mut bytes = BASE64_STANDARD.decode(text)?;
    if bytes.starts_with(&COMPRESSED) {
        let mut inflated = Vec::new();
        ZlibDecoder::new(bytes.get(HEAD..).unwrap_or_default())
            .take(LONGEST)
            .read_to_end(&mut inflated)
            .map_err(|error| HistogramError::Format(error.to_string()))?;
        bytes = inflated;
    }
    // The library allocates as many bytes as the text claims, before it checks them: up to 4 GiB.
    let counts = bytes
        .get(HEAD / 2..HEAD)
        .and_then(|length| length.try_into().ok())
        .map_or(0, u32::from_be_bytes);
    if u64::from(counts) > (bytes.len().saturating_sub(HEAD + FIELDS)) as u64 {
        return Err(HistogramError::Format("it is cut off".into()));
    }
    // The library also negates the one number without a negative (a run of 2^63 empty counts).
    let counts = bytes.get(HEAD + FIELDS..).unwrap_or_default();
    if counts.windows(LEAST.len()).any(|bytes| bytes == LEAST) {
        return Err(HistogramError::Format("a count is out of range".into()));
    }
    Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|error| HistogramError::Format(error.to_string()))
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::V2Serializer;

    use super::*;

    fn some() -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(1, 86_400_000_000, 3).unwrap();
        for value in [1, 5, 5, 3_000, 70_000_000] {
            histogram.record(value).unwrap();
        }
        histogram
    }

    fn plain() -> Vec<u8> {
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&some(), &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_encoded_is_decoded_compressed_or_not() {
        let compressed = encode(&some());
        assert!(compressed.starts_with("HIST"), "{compressed}");
        assert_eq!(decode(&compressed).unwrap(), some());
        assert_eq!(decode(&BASE64_STANDARD.encode(plain())).unwrap(), some());
    }

    #[test]
    fn a_length_that_is_not_there_is_refused_and_reserves_nothing() {
        let mut bytes = plain();
        bytes[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
        let inflated = {
            use std::io::Write as _;
            let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            zlib.write_all(&bytes).unwrap();
            zlib.finish().unwrap()
        };
        let length = u32::try_from(inflated.len()).unwrap().to_be_bytes();
        let compressed = [&COMPRESSED[..], &length, &inflated].concat();
        for bytes in [bytes, compressed] {
            let error = decode(&BASE64_STANDARD.encode(bytes)).unwrap_err();
            assert!(error.to_string().contains("cut off"), "{error}");
        }
    }

    #[test]
    fn a_count_that_has_no_negative_is_refused() {
        let mut bytes = plain();
        let length = u32::try_from(bytes.len() - HEAD - FIELDS + LEAST.len()).unwrap();
        bytes[4..8].copy_from_slice(&length.to_be_bytes());
        bytes.extend(LEAST);
        let error = decode(&BASE64_STANDARD.encode(bytes)).unwrap_err();
        assert!(error.to_string().contains("out of range"), "{error}");
    }

    #[test]
    fn what_is_no_histogram_is_refused() {
        assert!(matches!(decode("?"), Err(HistogramError::Base64(_))));
        for short in 0..plain().len() {
            let text = BASE64_STANDARD.encode(&plain()[..short]);
            assert!(matches!(decode(&text), Err(HistogramError::Format(_))));
        }
    }
}
