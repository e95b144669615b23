//! Changes that make messages wait less, and limits on the replicas.

use std::time::Duration;

use autoscaler::{Modifiers, Rules, SelectPolicy, Settings};

use super::Case;
use super::grace::kept_at_work;
use super::trial::{Change, behavior};
use super::waiting::{always_active, inactive, is_least, strands};
use crate::simulate::outlook::Question;

/// Highest number of replicas that is tried.
const MOST: u32 = 1_000;
/// Polls with KEDA's default interval are not blamed.
const POLL: Duration = Duration::from_secs(30);
/// Kubernetes keeps thousandths: a smaller target is none.
const LEAST_TARGET: f64 = 0.001;
const MAXIMUM: &str = "spec.maxReplicaCount";
const POLLING: &str = "spec.pollingInterval";
const UP: &str = "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp";

/// The path of a key in the main queue's trigger.
pub(super) fn trigger_field(settings: &Settings, key: &str) -> String {
    format!("spec.triggers[{}].metadata.{key}", settings.trigger_index)
}

/// What limits the replicas, as a field and in words.
pub(super) fn limit(case: &Case<'_>) -> (String, String) {
    let settings = &case.question.settings;
    let up = settings.effective_behavior(&settings.annotations);
    let up = up.map(|it| it.scale_up.select_policy);
    if up == Some(SelectPolicy::Disabled) {
        return (format!("{UP}.selectPolicy"), disabled(case));
    }
    let most = settings.max_replica_count;
    let reached = case.most(|run| run.most_replicas);
    if reached >= most {
        return (MAXIMUM.to_owned(), capacity(case));
    }
    wish(case)
}

fn capacity(case: &Case<'_>) -> String {
    let most = case.question.settings.max_replica_count;
    let service = &case.question.workload.service;
    format!(
        "{most}: all of them together do {} messages a second",
        rate(f64::from(most) * service.per_second())
    )
}

/// The target from which the HPA computes the number of replicas.
fn wish(case: &Case<'_>) -> (String, String) {
    let settings = &case.question.settings;
    let (most, reached) = (
        settings.max_replica_count,
        case.most(|run| run.most_replicas),
    );
    let makes = if reached < most {
        format!(", which makes no more than {reached} of at most {most}")
    } else {
        String::new()
    };
    if let Some(modifiers) = &settings.modifiers {
        let target = modifiers.target;
        let why = format!(
            "{target}: the HPA asks for a replica for every {target} of what the formula gives{makes}"
        );
        return ("spec.advanced.scalingModifiers.target".to_owned(), why);
    }
    let length = settings.queue_length;
    let why = format!("{length}: the HPA asks for a replica for every {length} messages{makes}");
    (trigger_field(settings, "queueLength"), why)
}

fn rate(per_second: f64) -> String {
    if per_second >= 10.0 {
        format!("{per_second:.0}")
    } else if per_second >= 0.1 {
        format!("{per_second:.1}")
    } else {
        format!("{per_second:.4}")
    }
}

fn disabled(case: &Case<'_>) -> String {
    format!(
        "Disabled: the HPA adds no replica, so that there are at most {}",
        case.most(|run| run.most_replicas)
    )
}

/// The setting for scale-out that differs from its default, and its effect.
fn held_back(case: &Case<'_>, up: &Rules) -> (String, String) {
    let (plain, mut fields) = (Rules::default_up(), Vec::new());
    if up.select_policy == SelectPolicy::Disabled {
        fields.push(("selectPolicy", disabled(case)));
    }
    let window = up.stabilization_window.unwrap_or_default();
    if !window.is_zero() {
        let why = format!(
            "{} s: the HPA adds a replica only when it has wished for it for that long",
            window.as_secs()
        );
        fields.push(("stabilizationWindowSeconds", why));
    }
    if up.policies != plain.policies || up.select_policy == SelectPolicy::Min {
        fields.push((
            "policies",
            "they let the HPA add few replicas at a time".to_owned(),
        ));
    }
    if let Some(tolerance) = up.tolerance {
        let why =
            format!("{tolerance}: the HPA puts up with so much more than it is meant to have");
        fields.push(("tolerance", why));
    }
    if let [(field, why)] = fields.as_slice() {
        return (format!("{UP}.{field}"), why.clone());
    }
    let whys = fields.iter().map(|(field, why)| format!("{field} {why}"));
    (UP.to_owned(), whys.collect::<Vec<_>>().join("; "))
}

/// About a quarter of a formula's target, if there is such a target. One that is a whole number stays one, since KEDA falls back with no
/// other (`pkg/fallback/fallback.go`, `HasValidFallback`).
fn quarter(modifiers: &Modifiers) -> Option<f64> {
    let quarter = modifiers.target / 4.0;
    let quarter = if modifiers.whole_target {
        quarter.floor().max(1.0)
    } else {
        quarter
    };
    (quarter < modifiers.target && quarter >= LEAST_TARGET).then_some(quarter)
}

/// Changes that start the first replica sooner, if a message may not even wait for a poll and the start.
fn sooner(case: &Case<'_>) -> Vec<Change<Question>> {
    let settings = &case.question.settings;
    let (polling, start) = (
        settings.polling_interval,
        case.question.workload.service.start_delay,
    );
    let mut changes = Vec::new();
    if case.max_wait > polling + start {
        return changes;
    }
    let why = format!(
        "{} s: the first message waits for a poll, and then for a replica that starts",
        polling.as_secs()
    );
    for seconds in [10, 5] {
        let often = Duration::from_secs(seconds);
        if often < polling.min(POLL) {
            let words = format!("write pollingInterval: {seconds}");
            let change = Change::settings(words, move |it| it.polling_interval = often);
            changes.push(change.of(POLLING).since(why.clone()));
        }
    }
    if settings.min_replica_count == 0 && settings.max_replica_count > 0 {
        let why = "0: no replica is there for the first message";
        let one = Change::settings("write minReplicaCount: 1", |it| it.min_replica_count = 1);
        changes.push(one.of("spec.minReplicaCount").since(why));
    }
    changes
}

/// Changes that finish messages sooner, each with the field that is to blame if it helps: first without limits on replicas,
/// then with more replicas.
pub(super) fn faster(case: &Case<'_>) -> Vec<Change<Question>> {
    let settings = &case.question.settings;
    let mut changes = Vec::new();
    if strands(case) && !is_least(settings) {
        let (field, why) = inactive(settings);
        changes.push(always_active(settings).of(field).since(why));
    }
    let own = settings.behavior.as_ref().map(|it| &it.scale_up);
    if let Some(up) = own.filter(|up| **up != Rules::default_up()) {
        let (field, why) = held_back(case, up);
        let words = "take behavior.scaleUp away, so that its defaults hold";
        let defaults = |it: &mut Settings| behavior(it).scale_up = Rules::default_up();
        changes.push(Change::settings(words, defaults).of(field).since(why));
    }
    let polling = settings.polling_interval;
    if polling > POLL {
        let why = format!(
            "{} s: KEDA looks at an idle queue so rarely, and starts nothing until it does",
            polling.as_secs()
        );
        let often = |it: &mut Settings| it.polling_interval = POLL;
        let words = format!("write pollingInterval: {}", POLL.as_secs());
        let change = Change::settings(words, often);
        changes.push(change.of(POLLING).since(why));
    }
    changes.extend(sooner(case));
    let times = [2, 4, 10].into_iter();
    let more = times.map(|times| settings.max_replica_count.saturating_mul(times));
    for most in more.filter(|most| *most <= MOST) {
        let words = format!("write maxReplicaCount: {most}");
        let change = Change::settings(words, move |it| it.max_replica_count = most);
        changes.push(change.of(MAXIMUM).since(capacity(case)));
    }
    let (field, why) = wish(case);
    if let Some(modifiers) = &settings.modifiers {
        if let Some(target) = quarter(modifiers) {
            let words = format!("write target: \"{target}\"");
            let change = Change::settings(words, move |it| {
                if let Some(modifiers) = &mut it.modifiers {
                    modifiers.target = target;
                }
            });
            changes.push(change.of(field).since(why));
        }
    } else if settings.queue_length > 1 {
        let mut lengths = vec![(settings.queue_length / 4).max(1), 1];
        lengths.dedup();
        for length in lengths {
            let words = format!("write queueLength: \"{length}\"");
            let change = Change::settings(words, move |it| it.queue_length = length);
            changes.push(change.of(field.clone()).since(why.clone()));
        }
    }
    changes.extend(kept_at_work(case));
    changes
}
