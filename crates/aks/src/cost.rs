//! Upper bound of an environment's cost, before it exists.
//!
//! Prices of machines come from the Retail Prices API, or from a file in the form of its answer. Spot machines count with the
//! on-demand price, which they never exceed: node auto-provisioning's maximum price is -1. The sizes that Karpenter will choose
//! are unknown beforehand: it takes the cheapest ones that fit. So a virtual core counts with the highest price among one size
//! of each family that the pools allow.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::args::UpArgs;
use crate::door::{Door, missing};
use crate::failure::{Exit, Failure};

/// One size of each family in `k8s/overlays/aks-spot/nodepools.yaml` (D, E, F), with its virtual cores.
const FAMILIES: [(&str, f64); 3] = [
    ("Standard_D2s_v5", 2.0),
    ("Standard_E2s_v5", 2.0),
    ("Standard_F2s_v2", 2.0),
];

/// List prices in USD (November 2026) of resources that always exist: a Basic registry per day, a public address and the load
/// balancer that nodes reach the internet through per hour, an OS disk of 64 GiB (P6) per hour, a million messages (four queue
/// operations and two of the table each, and KEDA's polls).
const REGISTRY_DAY: f64 = 0.167;
const ADDRESS_HOUR: f64 = 0.005;
const BALANCER_HOUR: f64 = 0.025;
const DISK_HOUR: f64 = 0.014;
const MILLION_MESSAGES: f64 = 2.5;

/// The smallest node that the pools allow has two virtual cores; each node has a disk.
const LEAST_NODE_CPU: f64 = 2.0;

/// The system pool, as in `infra/defaults.json`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SystemPool {
    pub(crate) size: String,
    pub(crate) nodes: f64,
}

impl SystemPool {
    pub(crate) fn read(root: &Path) -> Result<Self, Failure> {
        let path = root.join("infra/defaults.json");
        let text = fs::read_to_string(&path).map_err(|error| {
            missing(&path, &error).mend("name the repository's root with --root")
        })?;
        let read: Value = serde_json::from_str(&text).map_err(|error| missing(&path, &error))?;
        let value = |name: &str| &read["parameters"][name]["value"];
        let size = value("systemVmSize").as_str();
        let nodes = value("systemNodeCount").as_f64();
        match (size, nodes) {
            (Some(size), Some(nodes)) => Ok(Self {
                size: size.to_owned(),
                nodes,
            }),
            _ => Err(missing(&path, &"it lacks systemVmSize or systemNodeCount")),
        }
    }
}

/// An entry in the answer of the Retail Prices API.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Price {
    arm_sku_name: String,
    sku_name: String,
    product_name: String,
    unit_of_measure: String,
    #[serde(rename = "retailPrice")]
    hourly: f64,
}

/// Prices of an hour of machines.
#[derive(Debug)]
pub(crate) struct Prices(Vec<Price>);

impl Prices {
    /// Reads the prices from the file, or requests those of the relevant sizes from the API.
    pub(crate) fn get(args: &UpArgs, system: &SystemPool, door: &Door) -> Result<Self, Failure> {
        let mut items = Vec::new();
        if let Some(path) = &args.prices {
            let text = fs::read_to_string(path).map_err(|error| missing(path, &error))?;
            let page: Value = serde_json::from_str(&text).map_err(|error| missing(path, &error))?;
            items.extend(Self::items(&page));
        } else {
            let mut sizes: Vec<_> = FAMILIES.iter().map(|(size, _)| *size).collect();
            sizes.push(&system.size);
            for size in sizes {
                let filter = format!(
                    "$filter=serviceName eq 'Virtual Machines' and armRegionName eq '{}' and armSkuName eq '{size}' and priceType eq 'Consumption'",
                    args.location
                );
                let url = "https://prices.azure.com/api/retail/prices";
                let asked = [
                    "rest",
                    "--method",
                    "get",
                    "--skip-authorization-header",
                    "--url",
                    url,
                    "--url-parameters",
                    &filter,
                ];
                let page = door.az(&asked).map_err(|refusal| {
                    Failure::refused("the Retail Prices API does not answer", &refusal)
                        .mend("give prices with --prices; docs/AKS.md says how to make the file")
                })?;
                items.extend(Self::items(&page));
            }
        }
        Ok(Self(items))
    }

    /// The entries of a page, without those that are not prices per hour.
    fn items(page: &Value) -> Vec<Price> {
        let items = page["Items"].as_array().cloned().unwrap_or_default();
        items
            .into_iter()
            .filter_map(|item| serde_json::from_value(item).ok())
            .collect()
    }

    /// The on-demand price of an hour of `size` with Linux.
    fn hour(&self, size: &str) -> Result<f64, Failure> {
        let fits = |price: &&Price| {
            price.arm_sku_name == size
                && price.unit_of_measure == "1 Hour"
                && !price.product_name.contains("Windows")
                && !price.sku_name.ends_with("Spot")
                && !price.sku_name.ends_with("Low Priority")
        };
        // The highest of several, because this is an upper bound.
        let prices = self.0.iter().filter(fits).map(|price| price.hourly);
        prices.max_by(f64::total_cmp).ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                format!("there is no price for {size} in this region"),
            )
            .mend("choose a --location that has the size, or give prices with --prices")
        })
    }
}

/// The upper bound of an environment's cost until its expiry.
#[derive(Debug)]
pub(crate) struct Bill {
    /// Items, with their cost in USD.
    pub(crate) lines: Vec<(String, f64)>,
}

impl Bill {
    pub(crate) fn of(args: &UpArgs, system: &SystemPool, prices: &Prices) -> Result<Self, Failure> {
        let hours = f64::from(args.expires_hours);
        let mut dearest = 0.0_f64;
        for (size, cpu) in FAMILIES {
            dearest = dearest.max(prices.hour(size)? / cpu);
        }
        let cpu = f64::from(args.spot_cpu) + f64::from(args.on_demand_cpu);
        let nodes = system.nodes + cpu / LEAST_NODE_CPU;
        let days = (hours / 24.0).ceil();
        let line = |what: String, usd: f64| (what, usd);
        Ok(Self {
            lines: vec![
                line(
                    format!("{} × {}, {hours} h", system.nodes, system.size),
                    system.nodes * prices.hour(&system.size)? * hours,
                ),
                line(
                    format!("{cpu} vCPU of both NodePools at their limits, {hours} h"),
                    cpu * dearest * hours,
                ),
                line(
                    format!("{nodes} disks, an address and a load balancer, {hours} h"),
                    (nodes * DISK_HOUR + ADDRESS_HOUR + BALANCER_HOUR) * hours,
                ),
                line(format!("registry, {days} d"), days * REGISTRY_DAY),
                line(
                    format!("{} messages", args.messages),
                    args.messages as f64 / 1e6 * MILLION_MESSAGES,
                ),
            ],
        })
    }

    pub(crate) fn total(&self) -> f64 {
        self.lines.iter().map(|(_, usd)| usd).sum()
    }

    /// Returns an error if the cost exceeds `ceiling`.
    pub(crate) fn hold(&self, ceiling: f64) -> Result<(), Failure> {
        let total = self.total();
        if total <= ceiling {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Usage,
            format!("it may cost {total:.2} USD, and --ceiling is {ceiling:.2}"),
        )
        .said("nothing was created")
        .mend("lower --expires-hours, --spot-cpu or --on-demand-cpu, or raise --ceiling"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices() -> Prices {
        let item = |size: &str, sku: &str, product: &str, price: f64| serde_json::json!({"armSkuName": size, "skuName": sku, "productName": product, "unitOfMeasure": "1 Hour", "retailPrice": price});
        let page = serde_json::json!({"Items": [
            item("Standard_D4s_v5", "D4s v5", "Dsv5 Series", 0.2),
            item("Standard_D4s_v5", "D4s v5 Spot", "Dsv5 Series", 0.9),
            item("Standard_D4s_v5", "D4s v5", "Dsv5 Series Windows", 0.9),
            item("Standard_D2s_v5", "D2s v5", "Dsv5 Series", 0.1),
            item("Standard_E2s_v5", "E2s v5", "Esv5 Series", 0.14),
            item("Standard_F2s_v2", "F2s v2", "Fsv2 Series", 0.09),
            {"unitOfMeasure": "1 GB"},
        ]});
        Prices(Prices::items(&page))
    }

    fn args(more: &[&str]) -> UpArgs {
        use clap::Parser as _;
        let all = ["aks", "up"].iter().chain(more);
        match crate::Args::parse_from(all).command {
            crate::args::Command::Up(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_bound_is_what_limits_hours_and_the_dearest_family_come_to() {
        let system = SystemPool {
            size: "Standard_D4s_v5".to_owned(),
            nodes: 1.0,
        };
        let args = args(&[
            "--expires-hours",
            "2",
            "--spot-cpu",
            "16",
            "--on-demand-cpu",
            "8",
            "--messages",
            "1000000",
        ]);
        let bill = Bill::of(&args, &system, &prices()).unwrap();
        let usd: Vec<_> = bill
            .lines
            .iter()
            .map(|(_, usd)| (usd * 1000.0).round() / 1000.0)
            .collect();
        // 13 disks: the system node, and 12 nodes with two vCPU each.
        assert_eq!(usd, [0.4, 3.36, 0.424, 0.167, 2.5]);
        assert!(bill.hold(7.0).is_ok());
        let refused = bill.hold(6.0).unwrap_err();
        assert_eq!(refused.exit, Exit::Usage);
        assert!(
            refused.to_string().contains("nothing was created"),
            "{refused}"
        );
    }

    #[test]
    fn a_size_without_a_price_is_not_free() {
        let system = SystemPool {
            size: "Standard_X".to_owned(),
            nodes: 1.0,
        };
        let failure = Bill::of(&args(&[]), &system, &prices()).unwrap_err();
        assert!(
            failure.to_string().contains("no price for Standard_X"),
            "{failure}"
        );
    }

    #[test]
    fn the_cheapest_defaults_are_read_from_the_repository() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let system = SystemPool::read(&root).unwrap();
        assert_eq!(
            (system.size.as_str(), system.nodes),
            ("Standard_D4s_v5", 1.0)
        );
    }
}
