//! Ends a run's pods on a node, as `kubectl drain` does, or at once.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::api::{DeleteParams, EvictParams};
use kube::{Api, ResourceExt as _};
use tokio::time::{Instant, sleep};

use crate::error::{Error, said};
use crate::nodes::{has_ended, on};

/// Pause between two tries. `kubectl drain` waits for 5 s; with a shorter pause, budgets of one pod at a time are met sooner.
const AGAIN: Duration = Duration::from_secs(1);

/// How pods are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By the Eviction API: each pod is told to end, within its grace period, when its disruption budget allows it.
    InOrder,
    /// At once, without regard to a budget: as if the machine were gone.
    AtOnce,
}

/// Progress of a drain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// This pod is about to be ended at once. Reported before.
    Ends(String),
    /// This pod was told to end.
    Evicted(String),
    /// This pod may not be evicted yet, for this reason. Reported once for each pod.
    HeldBack(String, String),
}

/// The pods on one node.
#[derive(Debug, Clone)]
pub struct Drain {
    /// The run's pods. Use a client that does not retry ([`Connected::told`](crate::context::Connected::told)): each refusal is reported.
    pub pods: Api<Pod>,
    /// The label, with or without a value, of the pods that are ended. Others are left alone.
    pub label: &'static str,
    /// The node.
    pub node: String,
    /// How the pods are ended.
    pub way: Way,
    /// Time limit.
    pub patience: Duration,
}

impl Drain {
    /// Ends the pods, and returns when they are gone. If the API server refuses an eviction temporarily (429: a budget, or too
    /// many requests; 5xx: a problem of the server), it is tried again until the time limit; if it is forbidden, it is not.
    pub async fn run(&self, mut told: impl FnMut(Told)) -> Result<(), Error> {
        let begun = Instant::now();
        let mut refused: BTreeMap<String, String> = BTreeMap::new();
        loop {
            let listed = self.pods.list(&on(&self.node).labels(self.label)).await;
            let (left, silent) = match listed {
                Ok(pods) => {
                    let left = pods.items.into_iter().filter(|pod| !has_ended(pod));
                    let left: Vec<Pod> = left.collect();
                    if left.is_empty() {
                        return Ok(());
                    }
                    (left, None)
                }
                Err(error) if !is_final(&error) => (Vec::new(), Some(said(&error))),
                Err(error) => return Err(Error::of(self.lists(), &error)),
            };
            for pod in &left {
                let name = pod.name_any();
                let is_told = pod.metadata.deletion_timestamp.is_some();
                let ended = match self.way {
                    Way::InOrder if is_told => continue,
                    Way::InOrder => self.evict(&name).await,
                    Way::AtOnce => {
                        if !refused.contains_key(&name) {
                            told(Told::Ends(name.clone()));
                            refused.insert(name.clone(), String::new());
                        }
                        self.end(pod, &name).await
                    }
                };
                match ended {
                    Ok(()) if self.way == Way::InOrder => {
                        refused.remove(&name);
                        told(Told::Evicted(name));
                    }
                    Ok(()) => {}
                    Err(kube::Error::Api(status)) if status.code == 404 => {}
                    Err(error) if is_final(&error) => {
                        return Err(Error::of(format!("evict the pod {name}"), &error));
                    }
                    Err(error) => {
                        let why = said(&error);
                        let known = refused.insert(name.clone(), why.clone());
                        if known.as_ref() != Some(&why) {
                            told(Told::HeldBack(name, why));
                        }
                    }
                }
            }
            if begun.elapsed() >= self.patience {
                let holds = left.iter().map(|pod| holds(pod, &refused));
                let holds = holds.chain(silent).collect::<Vec<_>>();
                return Err(Error::Late {
                    what: format!("{} has no pod of the run any more", self.node),
                    after: self.patience,
                    why: holds.join("; "),
                });
            }
            sleep(AGAIN).await;
        }
    }

    fn lists(&self) -> String {
        format!("list the pods on {}", self.node)
    }

    async fn evict(&self, name: &str) -> Result<(), kube::Error> {
        let evicted = self.pods.evict(name, &EvictParams::default()).await;
        evicted.map(|_| ())
    }

    async fn end(&self, pod: &Pod, name: &str) -> Result<(), kube::Error> {
        let params = DeleteParams {
            grace_period_seconds: Some(0),
            preconditions: Some(kube::api::Preconditions {
                uid: pod.uid(),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        self.pods.delete(name, &params).await.map(|_| ())
    }
}

/// Whether another try is useless. A conflict comes from another change at the same time.
fn is_final(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => {
            (400..500).contains(&status.code) && !matches!(status.code, 404 | 409 | 429)
        }
        // The API server restarts, or its answer was cut off.
        _ => false,
    }
}

/// Why `pod` is still on its node.
fn holds(pod: &Pod, refused: &BTreeMap<String, String>) -> String {
    let name = pod.name_any();
    if let Some(end) = &pod.metadata.deletion_timestamp {
        let late = Timestamp::now().duration_since(end.0).as_secs();
        let finalizers = pod.finalizers().join(", ");
        let by = if finalizers.is_empty() {
            "its kubelet has not said that it ended".to_owned()
        } else {
            format!("the finalizers {finalizers} hold it")
        };
        return format!("{name} should have been gone for {late} s: {by}");
    }
    match refused.get(&name).filter(|why| !why.is_empty()) {
        Some(why) => format!("{name} may not be evicted: {why}"),
        None => format!("{name} is still there"),
    }
}
