//! Changes of when KEDA itself takes replicas away, past the HPA.

use std::time::Duration;

use autoscaler::Settings;

use super::Case;
use super::trial::Change;
use crate::simulate::outlook::{AT_REST, Question};

pub(super) const COOLDOWN: &str = "spec.cooldownPeriod";
const INITIAL_COOLDOWN: &str = "spec.initialCooldownPeriod";
const IDLE: &str = "spec.idleReplicaCount";
/// Cooldowns and windows that are tried, in seconds, shortest first.
pub(super) const TIMES: [u64; 4] = [300, 600, 900, 1_800];

/// Longer cooldowns; and for a ScaledObject that may be new, longer initial ones, which alone count until it has been active.
pub(super) fn longer_cooldowns(case: &Case<'_>) -> Vec<Change<Question>> {
    let settings = &case.question.settings;
    let times = || TIMES.map(Duration::from_secs).into_iter();
    let longer = times().filter(|time| *time > settings.cooldown_period);
    let cooldowns = longer.map(|time| {
        let words = format!("write cooldownPeriod: {}", time.as_secs());
        let set = move |it: &mut Settings| it.cooldown_period = time;
        Change::settings(words, set).of(COOLDOWN)
    });
    let now = settings.initial_cooldown_period;
    let is_new = case.question.age < AT_REST;
    let longer = times().filter(|time| is_new && *time > now);
    let why = format!(
        "{} s: KEDA takes the replicas away that it finds, if the queue has not been active for so long after the ScaledObject \
         was made",
        now.as_secs()
    );
    let initial = longer.map(|time| {
        let words = format!("write initialCooldownPeriod: {}", time.as_secs());
        let set = move |it: &mut Settings| it.initial_cooldown_period = time;
        let change = Change::settings(words, set).of(INITIAL_COOLDOWN);
        change.since(why.clone())
    });
    cooldowns.chain(initial).collect()
}

/// No idle replicas, if KEDA goes below the HPA's minimum for them.
pub(super) fn no_idle(case: &Case<'_>) -> Option<Change<Question>> {
    let idle = case.question.settings.idle_replica_count;
    idle.filter(|idle| *idle > 0)?;
    let none = Change::settings("write idleReplicaCount: 0", |it: &mut Settings| {
        it.idle_replica_count = Some(0);
    });
    Some(none.of(IDLE).since(idle_and_back(case)))
}

/// KEDA scales to the idle count, and the HPA, which runs unless there are 0 replicas, back to its minimum.
fn idle_and_back(case: &Case<'_>) -> String {
    let settings = &case.question.settings;
    format!(
        "{}: while the queue is idle, KEDA goes down to so many with every poll, and the HPA, which rests at 0 replicas alone, \
         back to minReplicaCount, {}",
        settings.idle_replica_count.unwrap_or_default(),
        settings.min_replica_count
    )
}
