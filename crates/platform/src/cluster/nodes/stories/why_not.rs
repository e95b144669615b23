//! Reasons why a node cannot be taken back.

use std::time::Duration;

use workflow::contract::Stamp;

use super::super::seen::{Rules, SeenNode};
use super::super::story::{Moment, Story};
use super::{Known, OLD_ENOUGH, Stories};
use crate::simulated::Capacity;

impl Stories {
    /// Why a node cannot be taken back now; `None`: it can.
    pub(super) fn why_not(&self, known: &Known, now: Moment) -> Option<String> {
        match &self.rules {
            Rules::Azure => self.why_not_by_azure(known, now).map(str::to_owned),
            Rules::HandedOver(label) => {
                let SeenNode {
                    name,
                    capacity,
                    is_ready,
                    is_leaving,
                    is_cordoned,
                    ..
                } = &known.seen;
                let is_taken = |story: &Story| story.seen.node == *name && !story.is_gone;
                if *capacity != Some(Capacity::Spot) {
                    Some(format!("it does not carry {label}"))
                } else if !is_ready || *is_leaving {
                    Some("it is not ready, or about to go already".to_owned())
                } else if self.evictions.iter().any(is_taken) {
                    Some("it was taken back already".to_owned())
                } else {
                    is_cordoned.then(|| "it is cordoned".to_owned())
                }
            }
        }
    }

    fn why_not_by_azure(&self, known: &Known, now: Moment) -> Option<&'static str> {
        let is_open = |story: &Story| !story.seen.is_over || story.seen.recovered.is_none();
        let age = known.age(now);
        let has_heard = |worker: &String| self.answered.contains(worker);
        if known.seen.capacity != Some(Capacity::Spot) {
            Some("it is no Spot machine")
        } else if !known.seen.is_ready || known.seen.is_leaving || !known.seen.announced.is_empty()
        {
            Some("it is not ready, or about to go already")
        } else if self.evictions.iter().any(is_open) {
            Some(
                "another eviction is not made good yet, and node auto-provisioning pauses repairs where many nodes go at once",
            )
        } else if age < OLD_ENOUGH {
            Some("it is younger than 6 min, so that its machine may not be told")
        } else if !known.workers.iter().any(has_heard) {
            Some("no consumer on it has had an answer from Scheduled Events")
        } else {
            None
        }
    }
}

impl Known {
    /// The age of the node, by its creation time.
    fn age(&self, now: Moment) -> Duration {
        let created = self
            .seen
            .created
            .map(|it| Stamp::from_micros(it.as_microsecond()));
        let age = created.map_or(0, |created| now.stamp.micros_since(created));
        Duration::from_micros(age.max(0).unsigned_abs())
    }
}
