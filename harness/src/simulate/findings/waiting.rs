//! Messages that wait for long, for ever, or for a replica that never comes.

use std::time::Duration;

use autoscaler::{Figures, Rules, SelectPolicy, Settings};

use super::trial::{Change, Score, behavior};
use super::{Case, Finding, spread};
use crate::report::clock;

/// Most replicas that are tried.
const MOST: u32 = 1_000;

fn seconds(seconds: u64) -> String {
    clock::words(Duration::from_secs(seconds))
}

/// Too few messages to be active, and nobody there for them.
pub(super) fn stranded(case: &Case<'_>) -> Option<Finding> {
    let settings = &case.question.settings;
    let strands = |run: &Figures| run.stranded_longest > settings.polling_interval;
    if !case.any(strands) {
        return None;
    }
    let longest = case.most(|run| run.stranded_longest);
    let most = case.most(|run| run.stranded);
    let activation = settings.activation_queue_length;
    let left = match (case.outlook.likely.stranded, most) {
        (_, 0) => "none of them for ever here, since others come".to_owned(),
        (0, most) => format!("up to {most} are left at the end"),
        (likely, most) if likely == most => format!("{likely} are left at the end"),
        (likely, most) => format!("{likely} are left at the end, up to {most} in other phases"),
    };
    let none = case
        .trial
        .change("write \"0\"", |it| match &mut it.modifiers {
            Some(modifiers) => modifiers.activation_target = 0.0,
            None => it.activation_queue_length = 0,
        });
    let score = Score {
        name: "the longest such wait",
        of: |run| run.stranded_longest.as_secs(),
        words: seconds,
        harm: |run| run.left,
    };
    let (field, active) = match &settings.modifiers {
        None => (
            trigger_field(settings, "activationQueueLength"),
            format!("{activation}: a queue of {activation} messages or fewer is not active"),
        ),
        Some(modifiers) => {
            let target = modifiers.activation_target;
            let field = "spec.advanced.scalingModifiers.activationTarget".to_owned();
            (
                field,
                format!("{target}: a formula that gives {target} or less is not active"),
            )
        }
    };
    Some(Finding {
        name: "messages-stranded",
        field,
        reason: format!(
            "{active}, so that no replica is started for the last messages of a load. They wait until others come, or expire (after 7 days if nothing else is said): {left}, \
             and they waited for up to {} ({})",
            clock::words(longest),
            case.often(strands)
        ),
        mend: case.trial.advice(vec![none], score),
    })
}

/// A key of the trigger that reads the queue that is asked about.
fn trigger_field(settings: &Settings, key: &str) -> String {
    format!("spec.triggers[{}].metadata.{key}", settings.trigger_index)
}

/// More messages than all replicas work on, through the whole second half of the time. A burst that came just before the horizon
/// is none.
fn is_behind(case: &Case<'_>, run: &Figures) -> bool {
    let in_flight = u64::from(case.question.workload.service.in_flight);
    let work = u64::from(run.most_replicas).saturating_mul(in_flight);
    run.never_below > work && run.stranded == 0
}

const BEHIND: Score = Score {
    name: "the number of messages that are never caught up with",
    of: |run| run.never_below,
    words: |count| count.to_string(),
    harm: |_| 0,
};

/// Annotations do, which are findings of their own.
fn holds_back(case: &Case<'_>) -> bool {
    let annotations = &case.question.settings.annotations;
    annotations.paused.is_some() || annotations.paused_scale_out
}

/// More comes than is done, or the time is too short for it.
pub(super) fn falls_behind(case: &Case<'_>) -> Option<Finding> {
    if holds_back(case) || !case.any(|run| is_behind(case, run)) {
        return None;
    }
    let likely = &case.outlook.likely;
    let runs = case.outlook.runs.iter();
    let left = spread(likely.left, "message", runs.map(|run| run.left));
    let never = likely.never_below;
    let (field, why) = limit(case);
    let score = BEHIND;
    Some(Finding {
        name: "falls-behind",
        field,
        reason: format!(
            "{why}. At the end {left} are left, and never fewer than {never} in the second half of the time ({})",
            case.often(|run| is_behind(case, run))
        ),
        mend: case.trial.advice(faster(case), score),
    })
}

/// A message waits for longer than it may.
pub(super) fn waits(case: &Case<'_>) -> Option<Finding> {
    let too_long = |run: &Figures| run.longest_wait > case.max_wait && run.stranded == 0;
    if holds_back(case) || !case.any(too_long) || case.any(|run| is_behind(case, run)) {
        return None;
    }
    let longest = case.most(|run| run.longest_wait);
    let most = case.most(|run| run.most_messages);
    let (field, why) = limit(case);
    let score = Score {
        name: "the longest wait",
        of: |run| run.longest_wait.as_secs(),
        words: seconds,
        harm: |_| 0,
    };
    Some(Finding {
        name: "messages-wait",
        field,
        reason: format!(
            "{why}: a message waits for up to {} before a replica takes it, in a queue of up to {most} ({}). More than {} is \
             found; --max-wait says what may be",
            clock::words(longest),
            case.often(too_long),
            clock::words(case.max_wait)
        ),
        mend: case.trial.advice(faster(case), score),
    })
}

/// What keeps the replicas from doing more, as a field and in words.
fn limit(case: &Case<'_>) -> (String, String) {
    let settings = &case.question.settings;
    let up = settings.effective_behavior(&settings.annotations);
    let up = up.map(|it| it.scale_up.select_policy);
    if up == Some(SelectPolicy::Disabled) {
        let field = "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.selectPolicy";
        let why = format!(
            "Disabled: the HPA adds no replica, so that there are at most {}",
            case.most(|run| run.most_replicas)
        );
        return (field.to_owned(), why);
    }
    let most = settings.max_replica_count;
    let service = &case.question.workload.service;
    let reached = case.most(|run| run.most_replicas);
    if reached >= most {
        let capacity = f64::from(most) * service.per_second();
        let why = format!(
            "{most}: all of them together do {} messages a second",
            rate(capacity)
        );
        return ("spec.maxReplicaCount".to_owned(), why);
    }
    if let Some(modifiers) = &settings.modifiers {
        let target = modifiers.target;
        let why = format!(
            "{target}: the HPA asks for a replica for every {target} of what the formula gives, which makes no more than {reached} \
             of at most {most}"
        );
        return ("spec.advanced.scalingModifiers.target".to_owned(), why);
    }
    let length = settings.queue_length;
    let why = format!(
        "{length}: the HPA asks for a replica for every {length} messages, which makes no more than {reached} of at most {most}"
    );
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

/// What gets more done: what holds replicas back away, then more of them.
fn faster(case: &Case<'_>) -> Vec<Change> {
    let settings = &case.question.settings;
    let trial = &case.trial;
    let mut changes = Vec::new();
    let own = settings.behavior.as_ref().map(|it| &it.scale_up);
    if own.is_some_and(|up| *up != Rules::default_up()) {
        let words = "take behavior.scaleUp away, so that its defaults hold";
        let defaults = |it: &mut Settings| behavior(it).scale_up = Rules::default_up();
        changes.push(trial.change(words, defaults));
    }
    let times = [2, 4, 10].into_iter();
    let more = times.map(|times| settings.max_replica_count.saturating_mul(times));
    for most in more.filter(|most| *most <= MOST) {
        let words = format!("write maxReplicaCount: {most}");
        changes.push(trial.change(words, |it| it.max_replica_count = most));
    }
    if settings.queue_length > 1 && settings.modifiers.is_none() {
        let fewer = (settings.queue_length / 4).max(1);
        let words = format!("write queueLength: \"{fewer}\"");
        changes.push(trial.change(words, |it| it.queue_length = fewer));
    }
    changes
}

/// Nothing scales.
pub(super) fn paused(case: &Case<'_>) -> Option<Finding> {
    case.question.settings.annotations.paused?;
    let likely = &case.outlook.likely;
    Some(Finding {
        name: "paused",
        field: "metadata.annotations".to_owned(),
        reason: format!(
            "autoscaling.keda.sh/paused or paused-replicas: nothing scales, whatever the queue holds. {}, the queue has up \
             to {} messages, and {} at the end",
            there_are(likely.replicas_at_rest),
            likely.most_messages,
            likely.left
        ),
        mend: "take the annotation away".to_owned(),
    })
}

/// No replica is added.
pub(super) fn paused_scale_out(case: &Case<'_>) -> Option<Finding> {
    let settings = &case.question.settings;
    if !settings.annotations.paused_scale_out || settings.annotations.paused.is_some() {
        return None;
    }
    let likely = &case.outlook.likely;
    let away = case.trial.change("take the annotation away", |it| {
        it.annotations.paused_scale_out = false;
    });
    Some(Finding {
        name: "paused-scale-out",
        field: "metadata.annotations".to_owned(),
        reason: format!(
            "autoscaling.keda.sh/paused-scale-out: no replica is added, neither by KEDA nor by the HPA. {}, the queue has up to {} \
             messages, and {} at the end",
            there_are(likely.most_replicas),
            likely.most_messages,
            likely.left
        ),
        mend: if likely.never_below > 0 {
            case.trial.advice(vec![away], BEHIND)
        } else {
            "take the annotation away".to_owned()
        },
    })
}

fn there_are(replicas: u32) -> String {
    match replicas {
        0 => "There is no replica".to_owned(),
        1 => "There is 1 replica".to_owned(),
        replicas => format!("There are {replicas} replicas"),
    }
}

/// No replica is taken away.
pub(super) fn paused_scale_in(case: &Case<'_>) -> Option<Finding> {
    let settings = &case.question.settings;
    if !settings.annotations.paused_scale_in || settings.annotations.paused.is_some() {
        return None;
    }
    let likely = &case.outlook.likely;
    Some(Finding {
        name: "paused-scale-in",
        field: "metadata.annotations".to_owned(),
        reason: format!(
            "autoscaling.keda.sh/paused-scale-in: no replica is taken away. The {} that this load brings stay when there is \
             nothing to do",
            likely.most_replicas
        ),
        mend: "take the annotation away when the load is over".to_owned(),
    })
}
