//! The harness's connection to a run's storage: through a forwarded port if storage is a Service of the overlay, otherwise
//! directly.

use std::time::Duration;

use anyhow::Context as _;
use cluster::Forward;
use evidence::audit::StorageNames;
use evidence::events::Resource;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client};
use workflow::azure::{AccountArgs, QueueArgs, Storage, TableArgs};
use workflow::contract::workload::Lens;

use super::overlay::{Adapted, Reached};
use crate::reach::Reach;
use crate::settings::{names, parse};
use crate::storage::{Store, queue_names, table_names};

/// Time limit for storage in the cluster to be ready: an image may have to be pulled.
const READY: Duration = Duration::from_secs(180);

/// Storage, and the connections to it.
pub(super) struct Reachable {
    pub(super) store: Store,
    pub(super) reach: Reach,
    /// Secrets of this storage, which no log or report may contain.
    pub(super) secrets: Vec<String>,
    /// Storage resources outside of the cluster, which the removal of the run's namespace does not remove.
    pub(super) lasting: Vec<Resource>,
    _ways: Vec<Forward>,
}

impl Reachable {
    /// Connects to the storage of the run of `lens`, whose other objects are applied, and waits until it answers. Creates no
    /// queue or table.
    pub(super) async fn open(
        client: &Client,
        namespace: &str,
        adapted: &Adapted,
        lens: Lens,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
        let mut ways = Vec::new();
        let mut here = Vec::new();
        for variable in ["AZURE_QUEUE_ENDPOINT", "AZURE_TABLE_ENDPOINT"] {
            // Without an address, it is Azure's own, which the account's name determines.
            let url = match adapted.reached(variable) {
                None => None,
                Some(Reached {
                    url,
                    service: Some(service),
                }) => {
                    cluster::ready(client, namespace, &service.selector, READY).await?;
                    let way = Forward::open(pods.clone(), &service.selector, service.port).await?;
                    let (scheme, _) = url.split_once("://").unwrap_or(("http", ""));
                    let url = format!("{scheme}://{}{}", way.address(), service.path);
                    ways.push(way);
                    Some(url)
                }
                Some(Reached { url, service: None }) => Some(url),
            };
            here.push(url);
        }
        Self::at(adapted, lens, here, ways, patience)
    }

    /// The storage of the run of `lens`, whose queue and table service the harness finds at `here`, through `ways`; without an
    /// address, Azure's own.
    pub(super) fn at(
        adapted: &Adapted,
        lens: Lens,
        here: Vec<Option<String>>,
        ways: Vec<Forward>,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let mut variables: Vec<(String, String)> = adapted.settings().into_iter().collect();
        variables.extend(adapted.secrets());
        // The harness is not a pod: it signs in with the credential that its own environment offers.
        variables.retain(|(name, value)| name != "EDW_CREDENTIAL" || value != "workload-identity");
        let account: AccountArgs =
            parse("storage", &[], &variables).context("read how the overlay opens its storage")?;
        let storage = Storage::open_trusting(&account, &adapted.roots()?)?;
        let (_, table_name) = names(lens.run());
        let mut urls = (here.into_iter()).map(|url| url.map(|url| url.parse()).transpose());
        let queue_endpoint = urls.next().transpose()?.flatten();
        let queues = adapted.queues().iter().map(|name| {
            Ok(QueueArgs {
                queue: name.parse()?,
                queue_endpoint: queue_endpoint.clone(),
            })
        });
        let queues: Vec<QueueArgs> = queues.collect::<anyhow::Result<_>>()?;
        let table = TableArgs {
            table: table_name.parse()?,
            table_endpoint: urls.next().transpose()?.flatten(),
        };
        let store = Store::of(&storage, lens, &queues, &table)?;
        let lasting = if ways.is_empty() {
            lasting(&store.names, &store.lens, account.account.as_deref())
        } else {
            Vec::new()
        };
        Ok(Self {
            store,
            reach: Reach::new(storage.queue(&queues[0])?, patience),
            secrets: adapted.all_secrets(),
            lasting,
            _ways: ways,
        })
    }
}

/// The ledger entries for what a run creates in an account that outlives it.
fn lasting(names: &StorageNames, lens: &Lens, account: Option<&str>) -> Vec<Resource> {
    let resource = |kind: &str, name: String| Resource {
        kind: kind.to_owned(),
        name,
        storage: account.unwrap_or("the overlay's storage").to_owned(),
    };
    let queue = names.queues.iter();
    let queues = queue.flat_map(|own| queue_names(lens, own));
    let table = names.table.iter();
    let tables = table.flat_map(|own| table_names(lens, own));
    let queues = queues.map(|name| resource("queue", name));
    queues
        .chain(tables.map(|name| resource("table", name)))
        .collect()
}
