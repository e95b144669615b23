//! Nodes and their cost: the price file, and how many replicas fit on a node.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use workflow::contract::yaml::trouble;

pub(super) use manifest::quantity;

/// The default price file.
const EXAMPLES: &str = include_str!("../../../../docs/prices.yaml");
/// The name of its figures in views.
const EXAMPLES_NAME: &str = "builtin:prices.yaml (examples, not offers)";

/// Reason why a price file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PricesError {
    /// The file cannot be read.
    #[error("read prices {file}")]
    Read {
        /// The file's path.
        file: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not a price file.
    #[error(
        "read prices {file}: line {line}: {problem}; the format is at the head of builtin:prices.yaml, which the command `export` \
         writes out"
    )]
    Format {
        /// The file's path.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The problem.
        problem: String,
    },
    /// A figure is invalid.
    #[error("read prices {file}: {field} of {node} is {value}, must be {expected}")]
    Value {
        /// The file's path.
        file: String,
        /// The size of the node.
        node: String,
        /// The figure's name.
        field: &'static str,
        /// Its value.
        value: String,
        /// The valid values.
        expected: &'static str,
    },
    /// The size of node does not exist.
    #[error("find node {wanted:?} in prices {file}, which has {known}")]
    NoSuchNode {
        /// The file's path.
        file: String,
        /// The requested size.
        wanted: String,
        /// The existing sizes.
        known: String,
    },
}

/// A price file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prices {
    currency: String,
    /// The region and day of the prices, for readers.
    #[serde(default)]
    note: String,
    nodes: Vec<Size>,
}

/// A size of node.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Size {
    name: String,
    allocatable: Allocatable,
    on_demand_per_hour: f64,
    spot_per_hour: f64,
}

/// The resources that pods may request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allocatable {
    cpu: Value,
    memory: Value,
    pods: u32,
}

/// A size of node and its prices.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NodeSize {
    pub(super) name: String,
    /// The source of the prices.
    pub(super) source: String,
    pub(super) currency: String,
    /// The price of an hour.
    pub(super) on_demand: f64,
    pub(super) spot: f64,
    cpu: f64,
    memory: f64,
    pods: u32,
}

/// The requests of one pod, in cores and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Requests {
    pub(super) cpu: f64,
    pub(super) memory: f64,
}

impl NodeSize {
    /// The node `name`, or the first one, of a price file or of the examples.
    pub(super) fn read(file: Option<&Path>, name: Option<&str>) -> Result<Self, PricesError> {
        match file {
            None => Self::parse(EXAMPLES_NAME, EXAMPLES, name),
            Some(path) => {
                let file = path.display().to_string();
                let text = builtin::read(path).and_then(|bytes| {
                    String::from_utf8(bytes.into_owned()).map_err(std::io::Error::other)
                });
                let text = text.map_err(|source| PricesError::Read {
                    file: file.clone(),
                    source,
                })?;
                Self::parse(&file, &text, name)
            }
        }
    }

    fn parse(file: &str, text: &str, name: Option<&str>) -> Result<Self, PricesError> {
        let prices: Prices = serde_saphyr::from_str(text).map_err(|error| {
            let (line, problem) = trouble(&error, text);
            let file = file.to_owned();
            PricesError::Format {
                file,
                line,
                problem,
            }
        })?;
        let mut sizes = prices.nodes.iter();
        let size = match name {
            None => sizes.next(),
            Some(name) => sizes.find(|size| size.name == name),
        };
        let Some(size) = size else {
            let known: Vec<_> = prices.nodes.iter().map(|size| size.name.as_str()).collect();
            return Err(PricesError::NoSuchNode {
                file: file.to_owned(),
                wanted: name.unwrap_or_default().to_owned(),
                known: if known.is_empty() {
                    "no node".to_owned()
                } else {
                    known.join(", ")
                },
            });
        };
        let wrong = |field, value: String, expected| PricesError::Value {
            file: file.to_owned(),
            node: size.name.clone(),
            field,
            value,
            expected,
        };
        let price = |field, price: f64| {
            let fits = price.is_finite() && price >= 0.0;
            let wrong = || wrong(field, price.to_string(), "a price, 0 or more");
            if fits { Ok(price) } else { Err(wrong()) }
        };
        let amount = |field, value: &Value| {
            let amount = quantity(value).filter(|amount| *amount > 0.0);
            amount
                .ok_or_else(|| wrong(field, value.to_string(), "a quantity such as 3860m or 12Gi"))
        };
        let note = if prices.note.is_empty() {
            String::new()
        } else {
            format!(": {}", prices.note)
        };
        Ok(Self {
            name: size.name.clone(),
            source: format!("{file}{note}"),
            currency: prices.currency.clone(),
            on_demand: price("on_demand_per_hour", size.on_demand_per_hour)?,
            spot: price("spot_per_hour", size.spot_per_hour)?,
            cpu: amount("allocatable.cpu", &size.allocatable.cpu)?,
            memory: amount("allocatable.memory", &size.allocatable.memory)?,
            pods: size.allocatable.pods,
        })
    }

    /// How many pods fit, by the scarcest resource; without requests, as many as the node allows. At least 1: a pod that does
    /// not fit is a problem of its own, and gets a node of another size.
    pub(super) fn fits(&self, requests: Requests) -> u32 {
        let by = |there: f64, asked: f64| {
            if asked > 0.0 {
                whole(there / asked)
            } else {
                u32::MAX
            }
        };
        let fits = by(self.cpu, requests.cpu).min(by(self.memory, requests.memory));
        fits.min(self.pods).max(1)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a quotient of positive numbers, and `as` saturates"
)]
fn whole(count: f64) -> u32 {
    // A tolerance for floating point, so that 3 cores fit thirty times 100m.
    (count + 1e-9).floor() as u32
}

#[cfg(test)]
mod tests {

    use super::*;

    const FILE: &str = "\
currency: EUR
note: of a test
nodes:
  - name: small
    allocatable: {cpu: 1900m, memory: 4Gi, pods: 20}
    on_demand_per_hour: 0.1
    spot_per_hour: 0.02
  - name: large
    allocatable: {cpu: 8, memory: 30Gi, pods: 100}
    on_demand_per_hour: 0.4
    spot_per_hour: 0.08
";

    #[test]
    fn a_price_file_is_read_by_the_size_of_node() {
        let first = NodeSize::parse("file", FILE, None).unwrap();
        assert_eq!(
            (first.name.as_str(), first.currency.as_str()),
            ("small", "EUR")
        );
        assert_eq!(first.source, "file: of a test");
        let large = NodeSize::parse("file", FILE, Some("large")).unwrap();
        assert!((large.on_demand - 0.4).abs() < 1e-9 && (large.spot - 0.08).abs() < 1e-9);
        let error = NodeSize::parse("file", FILE, Some("huge")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "find node \"huge\" in prices file, which has small, large"
        );
    }

    #[test]
    fn the_examples_can_be_read_and_say_that_they_are_examples() {
        let node = NodeSize::read(None, None).unwrap();
        assert!(node.spot < node.on_demand, "{node:?}");
        assert!(node.source.contains("examples, not offers"), "{node:?}");
        assert!(EXAMPLES.contains("prices.azure.com/api/retail/prices"));
    }

    #[test]
    fn what_a_node_holds_ends_with_what_runs_out_first() {
        let node = NodeSize::parse("file", FILE, None).unwrap();
        for (cpu, memory, fits) in [
            (0.1, 64.0, 19),
            (0.5, 64.0, 3),
            (0.01, 1_024.0, 4),
            (0.01, 64.0, 20),
            (0.0, 0.0, 20),
            (64.0, 64.0, 1),
        ] {
            let memory = memory * 1_048_576.0;
            let requests = Requests { cpu, memory };
            assert_eq!(node.fits(requests), fits, "{requests:?}");
        }
    }

    #[test]
    fn prices_that_make_no_sense_are_named() {
        for (from, to, part) in [
            ("0.02", "-1", "spot_per_hour of small is -1"),
            ("1900m", "lots", "allocatable.cpu of small is \"lots\""),
            ("currency: EUR", "", "head of builtin:prices.yaml"),
            ("spot_per_hour", "spot", "head of builtin:prices.yaml"),
        ] {
            let text = FILE.replacen(from, to, 1);
            let error = NodeSize::parse("file", &text, None)
                .unwrap_err()
                .to_string();
            assert!(error.contains(part), "{to}: {error}");
        }
    }
}
