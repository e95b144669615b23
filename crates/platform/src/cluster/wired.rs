//! The wire of a run in a cluster: a pod between workload and storage, and the connection to its control interface.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cluster::{Forward, Objects};
use evidence::events::{Event, EventLog};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use wire::{Kills, Remote};
use workflow::contract::Stamp;

use super::at_once;
use super::crew::Crew;
use super::overlay::{Adapted, CONTROL, SELECTOR};
use super::watched::Seen;
use crate::lock::lock;
use crate::workers::Cause;

/// A wire that runs as a pod.
pub(super) struct Wired {
    pub(super) remote: Arc<Remote>,
    _way: Forward,
}

impl Wired {
    /// Starts the wire of a run whose storage exists, and copies its history into `directory`. `None`: the run has no wire. The
    /// pod may take up to `ready` to start; the connection may be broken for at most `patience`.
    pub(super) async fn open(
        adapted: &Adapted,
        objects: &Objects,
        seen: &Seen,
        directory: &Path,
        (ready, patience): (Duration, Duration),
    ) -> anyhow::Result<Option<Self>> {
        let own = adapted.wire_objects()?;
        if own.is_empty() {
            return Ok(None);
        }
        for object in &own {
            objects.apply(object).await?;
        }
        let pods: Api<Pod> = Api::namespaced(seen.client.clone(), &seen.namespace);
        cluster::ready(&seen.client, &seen.namespace, SELECTOR, ready).await?;
        let way = Forward::open(pods.clone(), SELECTOR, CONTROL).await?;
        let kills = PodKills {
            pods,
            crew: seen.crew.clone(),
            log: seen.log.clone(),
        };
        let base = format!("http://{}", way.address());
        let remote = Remote::connect(&base, directory, Arc::new(kills), patience).await?;
        let remote = Arc::new(remote);
        lock(&seen.crew).look_through(remote.clone());
        Ok(Some(Self { remote, _way: way }))
    }
}

/// Kills pods for the wire.
struct PodKills {
    pods: Api<Pod>,
    crew: Arc<Mutex<Crew>>,
    log: EventLog,
}

impl std::fmt::Debug for PodKills {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PodKills").finish_non_exhaustive()
    }
}

#[async_trait]
impl Kills for PodKills {
    /// The wire has already cut the pod off, so the kubelet's delay does not matter.
    async fn kill(&self, name: &str) {
        lock(&self.crew).asks(name, Cause::Fault);
        let fault = Event::fault("pod deleted at once for the wire", name);
        if let Err(error) = self.log.append(Stamp::now(), fault) {
            tracing::warn!("failed to {error}");
        }
        match self.pods.delete(name, &at_once()).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => tracing::warn!("failed to kill {name} for the wire: {error}"),
        }
    }
}
