//! Fractions in KEDA's own kinds, whose schemas have `x-kubernetes-int-or-string` where Kubernetes has a quantity (KEDA
//! `config/crd/bases/keda.sh_scaledobjects.yaml` and `keda.sh_scaledjobs.yaml`). The API server takes a fraction there only as a text.

use serde_json::Value;

/// Fields that hold a quantity.
const QUANTITIES: [&str; 4] = ["divisor", "sizeLimit", "storage", "tolerance"];
/// Fields whose fields do.
const SETS: [&str; 2] = ["limits", "requests"];

/// Each such number in the `spec`, with what to write.
pub(super) fn find(spec: &Value) -> Vec<String> {
    let mut told = Vec::new();
    look("spec", spec, false, &mut told);
    told
}

fn look(place: &str, value: &Value, is_set: bool, told: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let at = format!("{place}.{field}");
                if (is_set || QUANTITIES.contains(&field.as_str())) && value.is_f64() {
                    told.push(format!(
                        "{at}: is {value}, a number with a fraction, which a {field} is in KEDA's kinds only in quotes (must be of type \
                         integer,string: \"number\"); write {field}: \"{value}\""
                    ));
                }
                look(&at, value, SETS.contains(&field.as_str()), told);
            }
        }
        Value::Array(list) => {
            for (n, value) in list.iter().enumerate() {
                look(&format!("{place}[{n}]"), value, false, told);
            }
        }
        _ => {}
    }
}
