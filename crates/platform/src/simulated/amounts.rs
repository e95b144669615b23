//! Resources that nodes have and consumers request.

use std::collections::BTreeMap;

use manifest::quantity;
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
#[error("read {0} as a quantity such as 100m, 2, 64Mi or 8G")]
pub struct QuantityError(String);

impl Amounts {
    /// Reads the amounts in `of`; a missing amount is 0.
    pub fn read(of: &BTreeMap<String, Value>, pods: u64) -> Result<Self, QuantityError> {
        Ok(Self {
            cpu_millis: amount(of, "cpu", 1_000.0)?,
            memory_bytes: amount(of, "memory", 1.0)?,
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

/// The quantity `name` in parts of its unit, rounded up, as the scheduler does; `parts`: how many of these make a unit.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a quantity is not negative, and `as` saturates"
)]
fn amount(of: &BTreeMap<String, Value>, name: &str, parts: f64) -> Result<u64, QuantityError> {
    let Some(value) = of.get(name) else {
        return Ok(0);
    };
    let units = quantity(value).ok_or_else(|| QuantityError(value.to_string()))?;
    // A decimal fraction is a little more or less than it says.
    Ok((units * parts - 1e-6).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_rounded_up_to_thousandths_of_a_core_and_to_bytes() {
        let of = |cpu: Value, memory: Value| {
            let both = [("cpu".to_owned(), cpu), ("memory".to_owned(), memory)];
            Amounts::read(&both.into(), 0).map(|it| (it.cpu_millis, it.memory_bytes))
        };
        assert_eq!(of(json!("100m"), json!("64Mi")), Ok((100, 67_108_864)));
        assert_eq!(of(json!("0.57"), json!("1.5Ki")), Ok((570, 1_536)));
        assert_eq!(of(json!(2), json!("1k")), Ok((2_000, 1_000)));
        assert_eq!(of(json!("1u"), json!("100m")), Ok((1, 1)));
        assert_eq!(of(json!(0), json!("0")), Ok((0, 0)));
        let told = "read \"ten\" as a quantity such as 100m, 2, 64Mi or 8G";
        assert_eq!(of(json!("ten"), json!(1)).unwrap_err().to_string(), told);
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
