//! Quantities of Kubernetes.

use serde_json::Value;

/// Suffixes of a quantity with their factors (`pkg/api/resource`, `suffix.go` of apimachinery).
const SUFFIXES: [(&str, f64); 15] = [
    ("Ki", 1_024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

/// Parses a Kubernetes quantity that is not negative: a number, or a text with a suffix or an exponent, but not both.
/// `kube_quantity` reads "" and "Mi" as 0, which the API server refuses.
pub fn quantity(value: &Value) -> Option<f64> {
    let text = match value {
        Value::Number(number) => return number.as_f64(),
        Value::String(text) => text,
        _ => return None,
    };
    let suffix = SUFFIXES.iter().find(|(suffix, _)| text.ends_with(suffix));
    let number: f64 = match suffix {
        Some((suffix, factor)) => {
            let number = text.strip_suffix(suffix)?;
            if number.contains(['e', 'E']) {
                return None;
            }
            number.parse::<f64>().ok()? * factor
        }
        None => text.parse().ok()?,
    };
    (number.is_finite() && number >= 0.0).then_some(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_those_of_kubernetes() {
        for (value, amount) in [
            (json!("100m"), 0.1),
            (json!("1.5"), 1.5),
            (json!(2), 2.0),
            (json!("64Mi"), 67_108_864.0),
            (json!("1G"), 1e9),
            (json!("100000000n"), 0.1),
            (json!("1e3"), 1e3),
            (json!("12E6"), 12e6),
            (json!("2E"), 2e18),
            (json!("1Pi"), 1_125_899_906_842_624.0),
            (json!("+1"), 1.0),
        ] {
            let found = quantity(&value).unwrap();
            assert!((found - amount).abs() <= amount * 1e-9, "{value}: {found}");
        }
        for value in [
            json!("x"),
            json!(""),
            json!("Mi"),
            json!("-1"),
            json!(null),
            json!("1Zi"),
            json!("1e3k"),
            json!(" 1"),
            json!("inf"),
            json!("NaN"),
        ] {
            assert_eq!(quantity(&value), None, "{value}");
        }
    }
}
