//! Resources that nodes have and consumers request.

use std::collections::BTreeMap;

use serde_json::Value;

/// Resources of a node or of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// CPU, in thousandths of a core.
    pub cpu_millis: u64,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Number of pods; 1 for a consumer.
    pub pods: u64,
}

/// Error of a text that is not a Kubernetes quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read {0:?} as a quantity such as 100m, 2, 64Mi or 8G")]
pub struct QuantityError(String);

impl Amounts {
    /// Reads the amounts in `of`; a missing amount is 0.
    pub fn read(of: &BTreeMap<String, Value>, pods: u64) -> Result<Self, QuantityError> {
        let amount = |name: &str| of.get(name).map_or(Ok(0), thousandths);
        Ok(Self {
            cpu_millis: amount("cpu")?,
            memory_bytes: amount("memory")? / 1_000,
            pods,
        })
    }

    /// The amounts multiplied by `times`.
    #[must_use]
    pub const fn times(self, times: u64) -> Self {
        Self {
            cpu_millis: self.cpu_millis.saturating_mul(times),
            memory_bytes: self.memory_bytes.saturating_mul(times),
            pods: self.pods.saturating_mul(times),
        }
    }

    /// Whether each amount is at most that of `other`.
    pub const fn fits(self, other: Self) -> bool {
        self.cpu_millis <= other.cpu_millis
            && self.memory_bytes <= other.memory_bytes
            && self.pods <= other.pods
    }
}

/// A quantity in thousandths of its unit (Kubernetes, `apimachinery/pkg/api/resource`: binary and decimal suffixes), rounded up.
fn thousandths(value: &Value) -> Result<u64, QuantityError> {
    const SUFFIXES: [(&str, u64); 9] = [
        ("Ki", 1_000 << 10),
        ("Mi", 1_000 << 20),
        ("Gi", 1_000 << 30),
        ("Ti", 1_000 << 40),
        ("m", 1),
        ("k", 1_000_000),
        ("M", 1_000_000_000),
        ("G", 1_000_000_000_000),
        ("T", 1_000_000_000_000_000),
    ];
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let found = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)));
    let (digits, factor) = found.unwrap_or((&text, 1_000));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let refused = || QuantityError(text.clone());
    let number = |digits: &str| digits.parse::<u64>().map_err(|_| refused());
    let whole = number(whole)?.checked_mul(factor).ok_or_else(refused)?;
    if fraction.is_empty() {
        return Ok(whole);
    }
    let places = u32::try_from(fraction.len()).map_err(|_| refused())?;
    let scale = 10_u64.checked_pow(places).ok_or_else(refused)?;
    let part = number(fraction)?.checked_mul(factor).ok_or_else(refused)?;
    Ok(whole.saturating_add(part.div_ceil(scale)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_does() {
        for (text, expected) in [
            (json!("100m"), 100),
            (json!("2"), 2_000),
            (json!(2), 2_000),
            (json!("0.5"), 500),
            (json!("1.5Ki"), 1_536_000),
            (json!("64Mi"), 67_108_864_000),
            (json!("1k"), 1_000_000),
        ] {
            assert_eq!(thousandths(&text), Ok(expected), "{text}");
        }
        for text in ["", "m", "-1", "1 Gi", "ten", "1.5.5"] {
            assert!(thousandths(&json!(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_too_much_in_one_thing_does_not_fit() {
        let node = Amounts {
            cpu_millis: 1_900,
            memory_bytes: 8 << 30,
            pods: 4,
        };
        let requests = BTreeMap::from([
            ("cpu".into(), json!("100m")),
            ("memory".into(), json!("64Mi")),
        ]);
        let consumer = Amounts::read(&requests, 1).unwrap();
        assert!(consumer.times(4).fits(node));
        assert!(!consumer.times(5).fits(node));
        assert!(
            !Amounts {
                cpu_millis: 1_901,
                ..consumer
            }
            .fits(node)
        );
    }
}
