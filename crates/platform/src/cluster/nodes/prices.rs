//! Prices of an hour of a machine, from the Retail Prices API, which needs no sign-in ("Azure Retail Prices REST API"): list
//! prices of the region, in USD. Left out: discounts of a subscription's contract.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::{Client, Url};
use serde::Deserialize;

/// The address of the API.
const PUBLIC: &str = "https://prices.azure.com";

/// Timeout of a request.
const ANSWER: Duration = Duration::from_secs(30);

/// A price for an hour, in millionths of a USD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hourly {
    pub(super) on_demand_micro_usd: u64,
    /// The Spot price; `None`: the size is not sold as Spot in this region.
    pub(super) spot_micro_usd: Option<u64>,
}

/// Client of the API that asks once for each machine size.
pub(in crate::cluster) struct Prices {
    base: Url,
    http: Client,
    known: BTreeMap<(String, String), Hourly>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "Items")]
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    arm_sku_name: String,
    sku_name: String,
    product_name: String,
    unit_of_measure: String,
    retail_price: f64,
}

impl Prices {
    /// A client of the public API.
    pub(in crate::cluster) fn public() -> anyhow::Result<Self> {
        Self::at(PUBLIC, Client::builder())
    }

    pub(super) fn at(base: &str, client: reqwest::ClientBuilder) -> anyhow::Result<Self> {
        Ok(Self {
            base: base.parse()?,
            http: client.timeout(ANSWER).build()?,
            known: BTreeMap::new(),
        })
    }

    /// The price of a machine of this size in this region.
    pub(super) async fn of(&mut self, region: &str, size: &str) -> anyhow::Result<Hourly> {
        let key = (region.to_owned(), size.to_owned());
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let mut url = self.base.join("api/retail/prices")?;
        let filter = format!(
            "serviceName eq 'Virtual Machines' and armRegionName eq '{region}' and armSkuName eq '{size}' and priceType eq 'Consumption'"
        );
        url.query_pairs_mut().append_pair("$filter", &filter);
        let answer = self.http.get(url).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status);
        let text = answer.context("ask for prices")?.text().await?;
        let page: Page = serde_json::from_str(&text).context("read the prices")?;
        let price = price(&page.items, size)
            .with_context(|| format!("find the price of {size} in {region}: there is none"))?;
        self.known.insert(key, price);
        Ok(price)
    }
}

/// The price of `size` with Linux; the highest of several.
fn price(items: &[Item], size: &str) -> Option<Hourly> {
    let fits = |item: &&Item| {
        item.arm_sku_name == size
            && item.unit_of_measure == "1 Hour"
            && !item.product_name.contains("Windows")
            && !item.sku_name.ends_with("Low Priority")
    };
    let (mut on_demand, mut spot) = (None, None);
    for item in items.iter().filter(fits) {
        let kind = if item.sku_name.ends_with("Spot") {
            &mut spot
        } else {
            &mut on_demand
        };
        *kind = (*kind).max(micros(item.retail_price).ok());
    }
    Some(Hourly {
        on_demand_micro_usd: on_demand?,
        spot_micro_usd: spot,
    })
}

fn micros(usd: f64) -> anyhow::Result<u64> {
    ensure!(
        usd.is_finite() && (0.0..1e6).contains(&usd),
        "read the price {usd}: it is none"
    );
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 0 and a million million"
    )]
    Ok((usd * 1e6).round() as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_size_has_the_price_of_its_linux_machines() {
        let item = |sku: &str, product: &str, price: f64| json!({"armSkuName": "Standard_D2s_v5", "skuName": sku, "productName": product, "unitOfMeasure": "1 Hour", "retailPrice": price, "type": "Consumption"});
        let page = json!({"Items": [
            item("D2s v5", "Virtual Machines Dsv5 Series", 0.096),
            item("D2s v5 Spot", "Virtual Machines Dsv5 Series", 0.0196),
            item("D2s v5 Low Priority", "Virtual Machines Dsv5 Series", 0.5),
            item("D2s v5", "Virtual Machines Dsv5 Series Windows", 0.188),
        ]});
        let page: Page = serde_json::from_value(page).unwrap();
        let hourly = Hourly {
            on_demand_micro_usd: 96_000,
            spot_micro_usd: Some(19_600),
        };
        assert_eq!(price(&page.items, "Standard_D2s_v5"), Some(hourly));
        assert_eq!(price(&page.items, "Standard_D4s_v5"), None);
    }
}
