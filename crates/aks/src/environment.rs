//! The outputs of `infra/main.bicep`, on which all later steps depend: `environment.json`.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::door::missing;
use crate::failure::{Exit, Failure};
use crate::kubernetes::KUBECONFIG;
use crate::names::Run;

/// The outputs of the deployment, with their names in `infra/main.bicep`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Environment {
    pub(crate) account_name: String,
    pub(crate) queue_endpoint: String,
    pub(crate) table_endpoint: String,
    pub(crate) queue_name: String,
    pub(crate) table_name: String,
    pub(crate) client_id: String,
    pub(crate) tenant_id: String,
    pub(crate) registry_name: String,
    pub(crate) login_server: String,
    pub(crate) cluster_name: String,
    pub(crate) node_resource_group: String,
    pub(crate) issuer_url: String,
}

const FILE: &str = "environment.json";

impl Environment {
    /// Parses the outputs in Azure Resource Manager's form: `{"name": {"type": ..., "value": ...}}`.
    pub(crate) fn of_outputs(outputs: &Value) -> Result<Self, Failure> {
        let empty = serde_json::Map::new();
        let outputs = outputs.as_object().unwrap_or(&empty);
        let values: serde_json::Map<String, Value> = outputs
            .iter()
            .map(|(name, output)| (name.clone(), output["value"].clone()))
            .collect();
        serde_json::from_value(Value::Object(values)).map_err(|error| {
            Failure::new(Exit::NotReady, "the deployment lacks an output")
                .said(error.to_string())
                .mend("deploy the infra/ of this version: run up again with the repository's root as --root")
        })
    }

    pub(crate) fn write(&self, dir: &Path) -> Result<(), Failure> {
        let path = dir.join(FILE);
        let text =
            serde_json::to_string_pretty(self).expect("an environment must be written as JSON");
        fs::write(&path, text).map_err(|error| missing(&path, &error))
    }

    /// Removes the files of an environment that is gone, including its kubeconfig.
    pub(crate) fn forget(dir: &Path) {
        for file in [FILE, KUBECONFIG] {
            // A file that was never written is fine.
            drop(fs::remove_file(dir.join(file)));
        }
    }

    /// Reads the file that `up` wrote.
    pub(crate) fn read(dir: &Path, run: &Run) -> Result<Self, Failure> {
        let path = dir.join(FILE);
        let text = fs::read_to_string(&path).map_err(|error| {
            missing(&path, &error).mend(format!(
                "run up --run {run} first, to its end, with the same --out"
            ))
        })?;
        serde_json::from_str(&text).map_err(|error| missing(&path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The template's outputs and this type must have the same names.
    #[test]
    fn the_template_puts_out_what_is_read() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let template = fs::read_to_string(root.join("infra/main.bicep")).unwrap();
        let outputs = template
            .lines()
            .filter_map(|line| line.strip_prefix("output "));
        let outputs: serde_json::Map<_, _> = outputs
            .map(|line| {
                let name = line.split(' ').next().unwrap();
                (
                    name.to_owned(),
                    serde_json::json!({"type": "String", "value": name}),
                )
            })
            .collect();
        let named = outputs.len();
        let read = Environment::of_outputs(&Value::Object(outputs)).unwrap();
        assert_eq!(read.login_server, "loginServer");
        let fields = serde_json::to_value(&read).unwrap();
        assert_eq!(
            fields.as_object().unwrap().len(),
            named,
            "an output that nobody reads"
        );
    }

    #[test]
    fn a_deployment_without_an_output_is_named() {
        let failure = Environment::of_outputs(&serde_json::json!({})).unwrap_err();
        assert!(
            failure.to_string().contains("missing field `accountName`"),
            "{failure}"
        );
    }
}
