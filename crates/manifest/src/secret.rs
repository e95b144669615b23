//! Secrets, as far as something depends on them: which keys they have. No value of one is kept, or repeated.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::ShapeError;

/// The token controller fills in the keys of such a Secret (Kubernetes, "Secrets", types of Secret).
const FILLED_IN: &str = "kubernetes.io/service-account-token";

/// The keys of a Secret whose values are not empty; `None`: something in the cluster fills them in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret(pub Option<BTreeSet<String>>);

impl Secret {
    /// Reads the Secret in `value`, or says which field the API server does not take, and why (Kubernetes `api/core/v1/types.go`, `Secret`:
    /// `data` is `map[string][]byte`, which is base64 in JSON, `stringData` is `map[string]string` and overwrites it).
    pub(super) fn read(value: &Value) -> Result<Self, (String, ShapeError)> {
        let mut keys = BTreeSet::new();
        for section in ["data", "stringData"] {
            let entries = match &value[section] {
                Value::Null => continue,
                Value::Object(entries) => entries,
                _ => {
                    let problem = "must be keys and values, each as 'key: value'";
                    return Err((section.to_owned(), ShapeError::new(problem)));
                }
            };
            for (key, value) in entries {
                let text = value.as_str().ok_or("must be a text; write it in quotes");
                let text = text.and_then(|text| {
                    if section == "stringData" || is_base64(text) {
                        return Ok(text);
                    }
                    Err("is no base64, which values of data are; write plain text into stringData in place of data")
                });
                let refused =
                    |problem: &str| (format!("{section}.{key}"), ShapeError::new(problem));
                if text.map_err(refused)?.is_empty() {
                    keys.remove(key);
                } else {
                    keys.insert(key.clone());
                }
            }
        }
        Ok(Self((value["type"] != FILLED_IN).then_some(keys)))
    }
}

/// Go `encoding/json` reads `[]byte` by `base64.StdEncoding`, which passes over ends of lines.
fn is_base64(text: &str) -> bool {
    let text: String = text.chars().filter(|it| !"\r\n".contains(*it)).collect();
    STANDARD.decode(text).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Source: Kubernetes `api/core/v1/types.go`, `Secret`; Go `encoding/base64`, `StdEncoding`.
    #[test]
    fn values_are_what_the_api_server_takes() {
        let keys = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
        for (value, found) in [
            (json!({}), keys(&[])),
            (json!({ "data": { "k": "aGk=" } }), keys(&["k"])),
            (json!({ "data": { "k": "aG\nk=\n" } }), keys(&["k"])),
            (
                json!({ "data": { "k": "" }, "stringData": { "l": "$X" } }),
                keys(&["l"]),
            ),
            (
                json!({ "data": { "k": "aGk=" }, "stringData": { "k": "" } }),
                keys(&[]),
            ),
            (json!({ "type": FILLED_IN }), None),
        ] {
            assert_eq!(Secret::read(&value).unwrap(), Secret(found), "{value}");
        }
        for (value, field, words) in [
            (
                json!({ "stringData": { "k": 5 } }),
                "stringData.k",
                "in quotes",
            ),
            (json!({ "data": { "k": "$VAR" } }), "data.k", "stringData"),
            (json!({ "data": { "k": "aGk" } }), "data.k", "base64"),
            (json!({ "data": { "k": 64 } }), "data.k", "in quotes"),
            (json!({ "data": ["k"] }), "data", "key: value"),
        ] {
            let (at, problem) = Secret::read(&value).unwrap_err();
            assert_eq!(at, field, "{value}");
            assert!(problem.to_string().contains(words), "{value}: {problem}");
        }
    }
}
