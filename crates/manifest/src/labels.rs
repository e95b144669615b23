//! Label selectors, node affinity and requirements of node pools, which share their operators.

#![expect(
    missing_docs,
    reason = "named as in the API of Kubernetes, whose reference documents each"
)]

use std::collections::BTreeMap;

use serde::Deserialize;

/// The label with the name of a node.
pub const HOSTNAME: &str = "kubernetes.io/hostname";

/// The label with its name that every namespace has.
pub const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// Labels of a pod or node.
pub type Labels = BTreeMap<String, String>;

/// A label selector; one without conditions selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selector {
    #[serde(default)]
    pub match_labels: Labels,
    #[serde(default)]
    pub match_expressions: Vec<Requirement>,
}

impl Selector {
    pub fn matches(&self, labels: &Labels) -> bool {
        let has = |(key, value): (&String, &String)| labels.get(key) == Some(value);
        let holds = |requirement: &Requirement| requirement.holds(labels);
        self.match_labels.iter().all(has) && self.match_expressions.iter().all(holds)
    }
}

/// One condition on one label.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Requirement {
    pub key: String,
    pub operator: Operator,
    #[serde(default)]
    pub values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
}

impl Requirement {
    pub fn holds(&self, labels: &Labels) -> bool {
        let label = labels.get(&self.key);
        let listed = label.is_some_and(|value| self.values.contains(value));
        match self.operator {
            Operator::In => listed,
            Operator::NotIn => !listed,
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::Gt => self.compares(label, |label, bound| label > bound),
            Operator::Lt => self.compares(label, |label, bound| label < bound),
        }
    }

    fn compares(&self, label: Option<&String>, than: fn(i64, i64) -> bool) -> bool {
        let number = |text: &String| text.parse::<i64>().ok();
        match (label.and_then(number), self.values.first().and_then(number)) {
            (Some(label), Some(bound)) => than(label, bound),
            _ => false,
        }
    }
}
