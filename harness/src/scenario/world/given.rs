//! What the `Given` sentences of a scenario say, before anything runs.

use std::path::Path;
use std::time::Duration;

use platform::autoscale::{Pod, Scaling};
use platform::workers::CONSUMERS;
use platform::{ConsumerOptions, NodePlan, Replicas, SetUp, StorageNeed, WorkerSpec};
use workflow::contract::PayloadSize;
use workflow::duration;

use super::super::steps::OnNodes;
use crate::events::Fact;
use crate::pace::Pace;
use crate::run::{Load, Needed, Patience};
use crate::wire::Rule;

/// What the `Given` sentences of a scenario say.
#[derive(Debug, Default)]
pub(in crate::scenario) struct Given {
    /// How many consumers there are, where nothing scales them.
    pub(in crate::scenario) consumers: u32,
    /// What decides how many consumers there are, where the scenario does not.
    pub(in crate::scenario) scaling: Option<Scaling>,
    /// The nodes that consumers run on, where there are any.
    pub(in crate::scenario) nodes: Option<OnNodes>,
    /// What the manifests say of each consumer, where nothing scales consumers and manifests configure them.
    pub(in crate::scenario) pod: Option<Pod>,
    /// Settings of consumers.
    pub(in crate::scenario) options: ConsumerOptions,
    /// How large payloads are, where the scenario says so.
    pub(in crate::scenario) payload: Option<PayloadSize>,
    /// Whether the run has a storage of its own, which can be taken away.
    pub(in crate::scenario) own_storage: bool,
    /// How processes sign in; with a SAS when absent.
    pub(in crate::scenario) identity: Option<SetUp>,
    /// The requests that fail on the way to storage, and how.
    pub(in crate::scenario) rules: Vec<Rule>,
    /// The requests that storage refuses when consumers start, until it answers.
    pub(in crate::scenario) busy: Option<Rule>,
}

impl Given {
    /// What a run at `pace` needs of its platform; `manifests` configure its consumers.
    pub(super) fn needed(&self, pace: Pace, manifests: &Path) -> Needed {
        let storage = match &self.identity {
            Some(set_up) => StorageNeed::SignedIn(set_up.clone()),
            None if self.own_storage => StorageNeed::Own,
            None => StorageNeed::Shared,
        };
        let nodes = self.nodes.map(|nodes| NodePlan {
            manifests: manifests.to_owned(),
            workers_each: nodes.each,
            pace,
            // Where nothing scales consumers, they are on nodes that stand already.
            is_standing: self.scaling.is_none(),
        });
        Needed {
            storage,
            nodes,
            ..Needed::default()
        }
    }

    /// The same as facts for reports; `nodes` says of which kind nodes are.
    pub(super) fn facts(&self, nodes: &str) -> Vec<Fact> {
        let ConsumerOptions {
            work,
            visibility,
            max_attempts,
            ..
        } = self.options.clone();
        let options = [
            ("work", work),
            ("lease", visibility.map(duration::text)),
            (
                "attempts",
                max_attempts.map(|attempts| attempts.to_string()),
            ),
        ];
        let scaled = self.scaling.as_ref().map(Scaling::described);
        let consumers = scaled.unwrap_or_else(|| self.consumers.to_string());
        let mut facts = vec![
            Fact::new("consumers", consumers),
            Fact::new("payload", self.payload().to_string()),
        ];
        let on_nodes = self.nodes.map(|it| format!("{nodes}, {it}"));
        facts.extend(on_nodes.map(|it| Fact::new("nodes", it)));
        let options = options.into_iter();
        facts.extend(options.filter_map(|(name, value)| Some(Fact::new(name, value?))));
        facts
    }

    /// The consumers of a run at `pace`.
    pub(super) fn workers(&self, pace: Pace) -> WorkerSpec {
        let mut options = self.options.clone();
        let mut grace = Patience::default().drain;
        if let Some(pod) = self.pod() {
            options.variables = pod.variables(pace);
            grace = pod.grace(pace);
        }
        let replicas = match &self.scaling {
            Some(scaling) => Replicas::Scaled(Box::new(scaling.clone())),
            None => Replicas::Fixed(self.consumers),
        };
        WorkerSpec {
            group: CONSUMERS,
            replicas,
            options,
            grace,
        }
    }

    /// What the manifests say of each consumer, where manifests configure them.
    fn pod(&self) -> Option<&Pod> {
        let scaled = self.scaling.as_ref().map(|scaling| &scaling.pod);
        scaled.or(self.pod.as_ref())
    }

    /// How long a lease lasts at `pace`, where the scenario or the manifests say so.
    pub(super) fn lease(&self, pace: Pace) -> Option<Duration> {
        let by_manifests = || self.pod()?.lease(pace);
        self.options.visibility.or_else(by_manifests)
    }

    /// How large payloads are.
    pub(super) fn payload(&self) -> PayloadSize {
        self.payload.unwrap_or(Load::PAYLOAD)
    }
}
