//! Messages that wait too long, for ever, or for a replica that never starts.

use std::time::Duration;

use autoscaler::{Figures, Settings};

use super::faster::{faster, limit, trigger_field};
use super::trial::{Change, Score};
use super::{Case, Finding, spread};
use crate::simulate::outlook::Question;
use views::clock;

fn seconds(seconds: u64) -> String {
    clock::words(Duration::from_secs(seconds))
}

/// Whether messages wait, in some phase, that are too few to be active.
pub(super) fn strands(case: &Case<'_>) -> bool {
    let polling = case.question.settings.polling_interval;
    case.any(|run| run.stranded_longest > polling)
}

/// Too few messages to be active, without replicas for them.
pub(super) fn stranded(case: &Case<'_>) -> Option<Finding> {
    let settings = &case.question.settings;
    if !strands(case) {
        return None;
    }
    let strands = |run: &Figures| run.stranded_longest > settings.polling_interval;
    let longest = case.most(|run| run.stranded_longest);
    let most = case.most(|run| run.stranded);
    let left = match (case.outlook.likely.stranded, most) {
        (_, 0) => "none of them for ever here, since others come".to_owned(),
        (0, most) => format!("up to {most} are left at the end"),
        (likely, most) if likely == most => format!("{likely} are left at the end"),
        (likely, most) => format!("{likely} are left at the end, up to {most} in other phases"),
    };
    let none = Change::settings("write \"0\"", activate);
    let score: Score<'_, Figures> = Score {
        name: "the longest such wait",
        of: |run| run.stranded_longest.as_secs(),
        words: seconds,
        found: Some(&strands),
        finding: None,
        harm: |run| run.left,
    };
    let (field, active) = inactive(settings);
    Some(Finding {
        name: "messages-stranded",
        field,
        reason: format!(
            "{active}, so that no replica is started for the last messages of a load. They wait until others come, or expire (after 7 days if nothing else is said): {left}, \
             and they waited for up to {} ({})",
            clock::words(longest),
            case.often(strands)
        ),
        mend: if is_least(settings) {
            instead(settings).to_owned()
        } else {
            case.trial.advice(&[none], &score).text
        },
    })
}

/// Makes the trigger active as soon as there is a message, as far as a threshold can.
fn activate(settings: &mut Settings) {
    match &mut settings.modifiers {
        Some(modifiers) => modifiers.activation_target = 0.0,
        None => settings.activation_queue_length = 0,
    }
}

/// The change that makes the trigger active as soon as there is a message.
pub(super) fn always_active(settings: &Settings) -> Change<Question> {
    let key = match &settings.modifiers {
        Some(_) => "activationTarget",
        None => "activationQueueLength",
    };
    Change::settings(format!("write {key}: \"0\""), activate)
}

/// The field that keeps the trigger inactive, and how.
pub(super) fn inactive(settings: &Settings) -> (String, String) {
    let Some(modifiers) = &settings.modifiers else {
        let activation = settings.activation_queue_length;
        let field = trigger_field(settings, "activationQueueLength");
        let how = format!("{activation}: a queue of {activation} messages or fewer is not active");
        return (field, how);
    };
    let target = modifiers.activation_target;
    let field = |name: &str| format!("spec.advanced.scalingModifiers.{name}");
    if is_least(settings) {
        let how =
            format!("it gives {target} or less while messages are there, which is not active");
        return (field("formula"), how);
    }
    let how = format!("{target}: a formula that gives {target} or less is not active");
    (field("activationTarget"), how)
}

/// Whether nothing less than what is written makes a difference.
pub(super) fn is_least(settings: &Settings) -> bool {
    match &settings.modifiers {
        Some(modifiers) => modifiers.activation_target <= 0.0,
        None => settings.activation_queue_length <= 0,
    }
}

/// What to do about messages that do not count as activity, though one that counts would.
fn instead(settings: &Settings) -> &'static str {
    match &settings.modifiers {
        Some(_) => {
            "write a formula that gives more than that for a single message, such as the name of the trigger that reads the queue"
        }
        None => "write queueLengthStrategy: all, so that messages at work count, too",
    }
}

/// Whether there are more messages than all replicas work on during the whole second half of the time. A burst just before the
/// horizon does not count, and what is stranded at the end is all that is left: it was caught up with.
fn is_behind(case: &Case<'_>, run: &Figures) -> bool {
    let in_flight = u64::from(case.question.workload.service.in_flight);
    let work = u64::from(run.most_replicas).saturating_mul(in_flight);
    run.never_below > work && run.stranded == 0
}

fn behind(found: &dyn Fn(&Figures) -> bool) -> Score<'_, Figures> {
    Score {
        name: "the number of messages that are never caught up with",
        of: |run| run.never_below,
        words: |count| count.to_string(),
        found: Some(found),
        finding: None,
        harm: |_| 0,
    }
}

/// Whether annotations limit scaling; these are findings of their own.
fn holds_back(case: &Case<'_>) -> bool {
    let annotations = &case.question.settings.annotations;
    annotations.paused.is_some() || annotations.paused_scale_out
}

/// More messages arrive than are finished, or the horizon is too short.
pub(super) fn falls_behind(case: &Case<'_>) -> Option<Finding> {
    if holds_back(case) || case.cut.is_some() || !case.any(|run| is_behind(case, run)) {
        return None;
    }
    let likely = &case.outlook.likely;
    let runs = case.outlook.runs.iter();
    let left = spread(likely.left, "message", runs.map(|run| run.left));
    let never = likely.never_below;
    let found = |run: &Figures| is_behind(case, run);
    let advice = case.trial.advice(&faster(case), &behind(&found));
    let (field, why) = advice.blame.unwrap_or_else(|| limit(case));
    Some(Finding {
        name: "falls-behind",
        field,
        reason: format!(
            "{why}. At the end {left} are left, and never fewer than {never} in the second half of the time ({})",
            case.often(|run| is_behind(case, run))
        ),
        mend: advice.text,
    })
}

/// A message waits longer than allowed. The time in which messages are stranded is a finding of its own.
pub(super) fn waits(case: &Case<'_>) -> Option<Finding> {
    let too_long = |run: &Figures| run.longest_unstranded_wait > case.max_wait;
    if holds_back(case) {
        return None;
    }
    // If the horizon is in the middle of a drain, the whole drain counts.
    let (longest, often, trial) = match &case.cut {
        Some(cut) => {
            let question = Question {
                horizon: cut.horizon,
                ..case.question.clone()
            };
            let longest = cut.runs.iter().filter(|run| too_long(run));
            let longest = longest.map(|run| run.longest_unstranded_wait).max()?;
            let often = format!("with --horizon {}m", cut.horizon.as_secs() / 60);
            (longest, often, &case.trial.with(&question))
        }
        None if !case.any(too_long) => return None,
        None if case.any(|run| is_behind(case, run)) => return None,
        None => (
            case.most(|run| run.longest_unstranded_wait),
            case.often(too_long),
            &case.trial,
        ),
    };
    let most = case.most(|run| run.most_messages);
    let score: Score<'_, Figures> = Score {
        name: "the longest wait",
        of: |run| run.longest_unstranded_wait.as_secs(),
        words: seconds,
        found: Some(&too_long),
        finding: None,
        harm: |_| 0,
    };
    let advice = trial.advice(&faster(case), &score);
    let (field, why) = advice.blame.unwrap_or_else(|| limit(case));
    Some(Finding {
        name: "messages-wait",
        field,
        reason: format!(
            "{why}: a message waits for up to {} before a replica takes it, in a queue of up to {most} ({often}). More than {} is \
             found; --max-wait says what may be",
            clock::words(longest),
            clock::words(case.max_wait)
        ),
        mend: advice.text,
    })
}

/// Scaling is paused.
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

/// Scale-out is paused.
pub(super) fn paused_scale_out(case: &Case<'_>) -> Option<Finding> {
    let settings = &case.question.settings;
    if !settings.annotations.paused_scale_out || settings.annotations.paused.is_some() {
        return None;
    }
    let likely = &case.outlook.likely;
    let away = Change::settings("take the annotation away", |it| {
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
            case.trial
                .advice(&[away], &behind(&|run| is_behind(case, run)))
                .text
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

/// Scale-in is paused.
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
