//! Quantities of Kubernetes.

use serde_json::Value;

/// Suffixes of a quantity, with what they stand for.
const SUFFIXES: [(&str, f64); 10] = [
    ("Ki", 1_024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("", 1.0),
];

/// A quantity of Kubernetes: a number, or a text with one of its suffixes.
pub(crate) fn quantity(value: &Value) -> Option<f64> {
    let text = match value {
        Value::Number(number) => return number.as_f64(),
        Value::String(text) => text.trim(),
        _ => return None,
    };
    SUFFIXES.iter().find_map(|(suffix, factor)| {
        let number: f64 = text.strip_suffix(suffix)?.parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number * factor)
    })
}
