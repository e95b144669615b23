//! What goes wrong, in words: each with the field that makes it so, the reason, and what to write instead.

use autoscaler::{Deactivation, Figures, LengthStrategy, Settings, Workload};
use serde::Serialize;

use super::outlook::Outlook;
use crate::report::clock;

/// Something that the settings do to the load and that nobody means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A name that stays.
    pub name: &'static str,
    /// The field, as a path in the ScaledObject.
    pub field: String,
    /// What happens, and why.
    pub reason: String,
    /// What to do.
    pub mend: String,
}

/// Everything that is found, worst first.
pub(super) fn of(settings: &Settings, workload: &Workload, outlook: &Outlook) -> Vec<Finding> {
    let found = [
        stranded(settings, outlook),
        fleet_ended(settings, outlook),
        thrash(settings, outlook),
        falls_behind(settings, workload, outlook),
        paused(settings),
    ];
    found.into_iter().flatten().collect()
}

/// In how many of the runs something is so, in words.
fn often(outlook: &Outlook, is_so: impl Fn(&Figures) -> bool) -> String {
    let all = outlook.runs.len();
    let so = outlook.runs.iter().filter(|run| is_so(run)).count();
    if so == all {
        "whatever the phases of the two loops".to_owned()
    } else {
        format!("in {so} of {all} phases of the two loops")
    }
}

fn stranded(settings: &Settings, outlook: &Outlook) -> Option<Finding> {
    let strands = |run: &Figures| run.stranded_longest > settings.polling_interval;
    let longest = outlook.runs.iter().map(|run| run.stranded_longest).max()?;
    if !outlook.runs.iter().any(strands) {
        return None;
    }
    let most = outlook.runs.iter().map(|run| run.stranded).max()?;
    let activation = settings.activation_queue_length;
    let left = match (outlook.likely.stranded, most) {
        (_, 0) => "none of them for ever here, since others come".to_owned(),
        (0, most) => format!("up to {most} are left at the end"),
        (likely, most) if likely == most => format!("{likely} are left at the end"),
        (likely, most) => format!("{likely} are left at the end, up to {most} in other phases"),
    };
    Some(Finding {
        name: "messages-stranded",
        field: "spec.triggers[0].metadata.activationQueueLength".to_owned(),
        reason: format!(
            "{activation}: a queue of {activation} messages or fewer is not active, so that no replica is started for the \
             last messages of a load. They wait until others come, or expire (after 7 days if nothing else is said): {left}, \
             and they waited for up to {} ({})",
            clock::words(longest),
            often(outlook, strands)
        ),
        mend: "write \"0\"".to_owned(),
    })
}

/// The worst deactivation of all runs, and in how many there is such a one.
fn worst(
    outlook: &Outlook,
    such: impl Fn(&Deactivation) -> bool,
) -> Option<(Deactivation, String)> {
    let of = |run: &Figures| run.worst_deactivation.filter(|it| such(it));
    // The likely course is what the plot shows.
    let likely = of(&outlook.likely);
    let all = outlook.runs.iter().filter_map(of);
    let worst = likely.or_else(|| all.max_by_key(|it| (it.from, it.interrupted)))?;
    Some((worst, often(outlook, |run| of(run).is_some())))
}

fn fleet_ended(settings: &Settings, outlook: &Outlook) -> Option<Finding> {
    let (cooldown, polling) = (settings.cooldown_period, settings.polling_interval);
    if cooldown <= polling
        && let Some((worst, often)) = worst(outlook, |it| it.from - it.to > 1)
    {
        return Some(Finding {
            name: "fleet-ended-at-once",
            field: "spec.cooldownPeriod".to_owned(),
            reason: format!(
                "{} s, and pollingInterval is {} s: the cooldown is over before the next poll, so that the first poll that \
                 finds the queue inactive ends all replicas in one step, past the HPA and its windows. {} ({often})",
                cooldown.as_secs(),
                polling.as_secs(),
                ended(&worst)
            ),
            mend: "make it several polls long, such as 300".to_owned(),
        });
    }
    let (worst, often) = worst(outlook, |it| it.interrupted > 0)?;
    let (field, reason, mend) = if settings.strategy == LengthStrategy::VisibleOnly {
        let reason = "visibleonly: messages that are being worked on do not count";
        ("queueLengthStrategy", reason.to_owned(), "write all")
    } else {
        let activation = settings.activation_queue_length;
        let reason = format!("{activation}: a queue that short is inactive while it is worked on");
        ("activationQueueLength", reason, "write \"0\"")
    };
    Some(Finding {
        name: "work-ended",
        field: format!("spec.triggers[0].metadata.{field}"),
        reason: format!(
            "{reason}, so that replicas end with work in flight. {} ({often})",
            ended(&worst)
        ),
        mend: mend.to_owned(),
    })
}

fn ended(worst: &Deactivation) -> String {
    let at_work = match (worst.ended_at_work, worst.interrupted) {
        (0, _) => "none of them at work".to_owned(),
        (replicas, messages) => format!("{replicas} of them at work on {messages} messages"),
    };
    format!(
        "At {} it goes from {} replicas to {}, {at_work}",
        clock::words(worst.at),
        worst.from,
        worst.to
    )
}

fn thrash(settings: &Settings, outlook: &Outlook) -> Option<Finding> {
    let times = outlook.likely.thrash;
    if times == 0 {
        return None;
    }
    let cooldown = settings.cooldown_period <= settings.polling_interval;
    let (field, mend) = if cooldown {
        ("cooldownPeriod", "make it several polls long, such as 300")
    } else {
        (
            "advanced.horizontalPodAutoscalerConfig.behavior.scaleDown",
            "give a longer stabilizationWindowSeconds, policies that take fewer, or a longer cooldownPeriod, if starting \
             replicas anew costs more than keeping them",
        )
    };
    let most = outlook.runs.iter().map(|run| run.thrash).max()?;
    Some(Finding {
        name: "thrash",
        field: format!("spec.{field}"),
        reason: format!(
            "replicas that were taken away were needed again within 5 minutes, {} (at most {} in other phases of the two loops)",
            how_often(times),
            how_often(most)
        ),
        mend: mend.to_owned(),
    })
}

fn how_often(times: u32) -> String {
    match times {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    }
}

/// More messages are left than all replicas that there may be work on, or the load is over and there are some.
fn falls_behind(settings: &Settings, workload: &Workload, outlook: &Outlook) -> Option<Finding> {
    let most = u64::from(settings.max_replica_count);
    let slots = most.saturating_mul(workload.service.in_flight.into());
    let left = outlook.likely.left;
    let full = u64::from(outlook.likely.most_replicas) >= most;
    if settings.annotations.paused.is_some() || !full || left <= slots {
        return None;
    }
    let capacity = f64::from(settings.max_replica_count) * workload.service.per_second;
    Some(Finding {
        name: "falls-behind",
        field: "spec.maxReplicaCount".to_owned(),
        reason: format!(
            "{most}: all of them together do {capacity:.1} messages a second, and {left} messages are still waiting at the end"
        ),
        mend: "allow more replicas, make each of them faster, or expect the backlog; a longer --horizon shows when it is gone"
            .to_owned(),
    })
}

fn paused(settings: &Settings) -> Option<Finding> {
    settings.annotations.paused.map(|_| Finding {
        name: "paused",
        field: "metadata.annotations".to_owned(),
        reason: "autoscaling.keda.sh/paused or paused-replicas: nothing scales, whatever the queue holds".to_owned(),
        mend: "take the annotation away".to_owned(),
    })
}
