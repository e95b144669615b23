//! The identity services of a run in a cluster: the authority as a pod, and the cluster's own issuer and kubelets.

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use authority::{Remote, Seen};
use cluster::{Forward, Objects};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;

use super::overlay::{AUTHORITY, Adapted, CONTROL};
use super::watched;
use crate::identities::Identities;

/// The authority of a run, which runs as a pod.
pub(super) struct AuthorityPod {
    remote: Remote,
    _way: Forward,
}

impl AuthorityPod {
    /// Starts the authority of a run, if its workload signs in. The pod may take up to `ready` to start; the connection may be
    /// broken for at most `patience`.
    pub(super) async fn open(
        adapted: &Adapted,
        objects: &Objects,
        seen: &watched::Seen,
        (ready, patience): (Duration, Duration),
    ) -> anyhow::Result<Option<Self>> {
        let own = adapted.authority_objects()?;
        if own.is_empty() {
            return Ok(None);
        }
        for object in &own {
            objects.apply(object).await?;
        }
        cluster::ready(&seen.client, &seen.namespace, AUTHORITY, ready).await?;
        let pods: Api<Pod> = Api::namespaced(seen.client.clone(), &seen.namespace);
        let way = Forward::open(pods, AUTHORITY, CONTROL).await?;
        let remote = Remote::connect(&format!("http://{}", way.address()), patience).await?;
        Ok(Some(Self { remote, _way: way }))
    }

    /// Every token that it has given or received.
    pub(super) async fn secrets(&self) -> anyhow::Result<Vec<String>> {
        let secrets = self.remote.secrets().await;
        secrets.context("learn which tokens no file may hold")
    }
}

#[async_trait]
impl Identities for AuthorityPod {
    async fn seen(&self) -> anyhow::Result<Seen> {
        self.remote.seen().await
    }

    async fn replaced(&self) -> anyhow::Result<u64> {
        let seen = self.seen().await?.exchanges.into_iter();
        Ok(seen.filter(|exchange| exchange.is_replaced).count() as u64)
    }

    async fn set_away(&self, is_away: bool) -> anyhow::Result<()> {
        self.remote.set_away(is_away).await
    }
}
