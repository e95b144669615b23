//! Finds the target of storage's addresses: a Service of the overlay and its pods' port, or a host outside of the cluster.

use anyhow::anyhow;
use serde_json::{Map, Value};

use super::{Adapted, Overlay, UNUSABLE, containers, name_of};

/// The values of `k8s/` in place of an account and of an identity, for a user to replace.
const TO_FILL_IN: [&str; 2] = ["yourstorageaccount", "00000000-0000-0000-0000-000000000000"];

/// Where the workload finds storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cluster) struct Reached {
    /// The address that pods use.
    pub(in crate::cluster) url: String,
    /// The Service of the overlay behind the address, if there is one.
    pub(in crate::cluster) service: Option<Service>,
}

/// The target of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cluster) struct Service {
    /// The label selector of its pods.
    pub(in crate::cluster) selector: String,
    /// The pods' port.
    pub(in crate::cluster) port: u16,
    /// The path after the host, such as `/devstoreaccount1`.
    pub(in crate::cluster) path: String,
}

impl Overlay {
    /// Fails if a value that a user has to fill in is still there: a token would go to whoever has an account of that name.
    pub(in crate::cluster) fn ensure_filled_in(&self) -> anyhow::Result<()> {
        for object in &self.objects {
            let text = object.to_string();
            if let Some(value) = TO_FILL_IN.iter().find(|value| text.contains(*value)) {
                let (kind, name) = (object["kind"].as_str().unwrap_or_default(), name_of(object));
                return Err(anyhow!(
                    "{kind} {name} still has {value}; write your own account and client id into the overlay (azure.env)"
                )
                .context(UNUSABLE));
            }
        }
        Ok(())
    }
}

impl Adapted {
    /// The target of the address in the consumer's setting `variable`.
    pub(in crate::cluster) fn reached(&self, variable: &str) -> Option<Reached> {
        let url = self.settings().remove(variable)?;
        let service = self.service(&url);
        Some(Reached { url, service })
    }

    fn service(&self, url: &str) -> Option<Service> {
        let (scheme, rest) = url.split_once("://")?;
        if !matches!(scheme, "http" | "https") {
            return None;
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = authority.rsplit_once(':')?;
        let name = host.split('.').next()?;
        let service = self.find("Service", name)?;
        let ports = service["spec"]["ports"].as_array()?;
        let port: u64 = port.parse().ok()?;
        let entry = ports.iter().find(|it| it["port"] == port)?;
        let selector = service["spec"]["selector"].as_object()?;
        let target = match &entry["targetPort"] {
            Value::String(name) => self.container_port(selector, name)?,
            Value::Number(number) => number.as_u64()?,
            _ => port,
        };
        let pairs = selector.iter();
        let pairs = pairs.filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)));
        Some(Service {
            selector: pairs.collect::<Vec<_>>().join(","),
            port: u16::try_from(target).ok()?,
            path: path.to_owned(),
        })
    }

    /// The number of the port `name` in the pods that `selector` selects.
    fn container_port(&self, selector: &Map<String, Value>, name: &str) -> Option<u64> {
        let selected = self.objects.iter().filter(|object| {
            let labels = &object["spec"]["template"]["metadata"]["labels"];
            selector.iter().all(|(key, value)| labels[key] == *value)
        });
        let ports = selected.flat_map(|object| {
            let containers = containers(object).iter();
            let ports = containers.filter_map(|it| it["ports"].as_array());
            ports.flatten().collect::<Vec<_>>()
        });
        let mut named = ports.filter(|port| port["name"] == name);
        named.next()?["containerPort"].as_u64()
    }
}
