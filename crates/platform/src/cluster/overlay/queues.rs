//! Several queues of a run in an overlay: each queue gets the objects that the overlay has for its one queue.
//!
//! The Deployment and the ScaledObject of the first queue keep the overlay's names; those of the other queues get a suffix. All
//! pods keep the overlay's labels, so that its `PodDisruptionBudget` and its policies apply to all of them (Kubernetes
//! `disruption.go`, `getExpectedScale`: a percentage refers to the replicas of all controllers together).

use std::path::Path;

use anyhow::{Context as _, ensure};
use evidence::pace::Pace;
use manifest::Document;
use serde_json::{Value, json};

use super::{Adapted, Overlay, UNUSABLE, name_of};
use crate::autoscale::Scaling;

/// The label that distinguishes the pods of one queue from those of another, if a run has several.
pub(super) const QUEUE: &str = "edw/queue";

impl Overlay {
    /// The scaling settings of the overlay's consumers. Errors and reports call the overlay `name`.
    pub(in crate::cluster) fn scaling(&self, name: &str) -> anyhow::Result<Scaling> {
        let is_of_scaling = |object: &&Value| match object["kind"].as_str() {
            Some("ScaledObject" | "ConfigMap") => true,
            Some("Deployment") => name_of(object) == self.consumer,
            _ => false,
        };
        let objects = self.objects.iter().filter(is_of_scaling);
        let documents = objects.map(|value| Document {
            file: name.to_owned(),
            value: value.clone(),
        });
        let documents: Vec<_> = documents.collect();
        let scaling = Scaling::of(&documents, Path::new(name), &[], Pace::PRODUCTION);
        scaling.context(UNUSABLE)
    }
}

impl Adapted {
    /// Gives the run these queues; each gets its own Deployment of workers.
    pub(in crate::cluster) fn spread_over(&mut self, queues: Vec<String>) -> anyhow::Result<()> {
        ensure!(!queues.is_empty(), "spread a run over no queue");
        // The overlay's own storage creates one queue: it must be one of the run's.
        let settings = self.settings_mut()?;
        settings.insert("AZURE_QUEUE_NAME".to_owned(), json!(queues[0]));
        self.queues = queues;
        Ok(())
    }

    /// The names of the run's queues.
    pub(in crate::cluster) fn queues(&self) -> &[String] {
        &self.queues
    }

    /// The label that distinguishes the pods of `queue`; `None`: the run has only one queue.
    pub(super) fn queue_label(&self, queue: usize) -> Option<(&'static str, Value)> {
        (self.queues.len() > 1).then(|| (QUEUE, json!(format!("q{}", queue + 1))))
    }
}

/// `name` with the suffix of `queue`, counted from 0.
pub(super) fn suffixed(name: &str, queue: usize) -> String {
    match queue {
        0 => name.to_owned(),
        _ => format!("{name}-q{}", queue + 1),
    }
}

/// Sets the run's queue in the trigger that reads it.
pub(super) fn name_queue(scaled: &mut Value, queue: &str) -> anyhow::Result<()> {
    let triggers = scaled["spec"]["triggers"].as_array_mut();
    let of_queue = triggers
        .into_iter()
        .flatten()
        .filter(|trigger| trigger["type"] == "azure-queue");
    let mut named = 0;
    for trigger in of_queue {
        trigger["metadata"]["queueName"] = json!(queue);
        named += 1;
    }
    ensure!(
        named == 1,
        "find the trigger of the queue: the ScaledObject has {named} of type azure-queue, and one is needed"
    );
    Ok(())
}

/// Renames the ScaledObject and its HPA unless they are the first queue's. KEDA derives the HPA's name from the ScaledObject
/// unless a name is set (KEDA `hpa.go`, `getHPAName`), and two HPAs cannot share a name.
pub(super) fn rename(scaled: &mut Value, queue: usize) {
    for path in [
        "/metadata/name",
        "/spec/advanced/horizontalPodAutoscalerConfig/name",
    ] {
        if let Some(name) = scaled.pointer_mut(path)
            && let Some(text) = name.as_str()
        {
            *name = json!(suffixed(text, queue));
        }
    }
}

#[cfg(test)]
mod tests;
