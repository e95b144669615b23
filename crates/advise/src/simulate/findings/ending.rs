//! Replicas that are removed too early, too many at once, or with work that they cannot finish.

use std::time::Duration;

use autoscaler::{
    DecisionMaker, Figures, LengthStrategy, Policy, PolicyKind, Rules, ScaleIn, SelectPolicy,
    Settings,
};

use super::cooldown::{COOLDOWN, TIMES, longer_cooldowns, no_idle};
use super::faster::trigger_field;
use super::grace::kept_at_work;
use super::trial::{Change, Score, behavior};
use super::waiting::{always_active, inactive, is_least};
use super::{Case, Finding, spread};
use crate::simulate::outlook::Question;
use views::clock;

/// The policy that is tried for a slow scale-in.
const SLOW: Policy = Policy {
    kind: PolicyKind::Percent,
    value: 25,
    period: Duration::from_secs(60),
};

/// What must not get worse: replicas that stay longer must not then end all at once, and no messages must be left.
fn harm(run: &Figures) -> u64 {
    let at_once = run
        .worst_deactivation
        .map_or(0, |it| u64::from(it.from - it.to));
    run.stranded + run.cut_off + run.left + at_once.saturating_sub(1)
}

fn replicas(count: u64) -> String {
    count.to_string()
}

/// The worst matching scale-in of all runs, and in how many runs there is one.
fn worst(case: &Case<'_>, such: impl Fn(&ScaleIn) -> bool) -> Option<(ScaleIn, String)> {
    let of = |run: &Figures| run.worst_deactivation.filter(|it| such(it));
    // The plot shows the likely course.
    let likely = of(&case.outlook.likely);
    let all = case.outlook.runs.iter().filter_map(of);
    let worst = likely.or_else(|| all.max_by_key(|it| (it.from, it.interrupted)))?;
    Some((worst, case.often(|run| of(run).is_some())))
}

/// KEDA ends all replicas in one step, or replicas that work on messages.
pub(super) fn fleet_ended(case: &Case<'_>) -> Option<Finding> {
    let settings = &case.question.settings;
    let (cooldown, polling) = (settings.cooldown_period, settings.polling_interval);
    if cooldown <= polling
        && let Some((worst, often)) = worst(case, |it| it.from - it.to > 1)
    {
        let score: Score<'_, Figures> = Score {
            name: "the number of replicas that KEDA ends at once",
            of: |run| {
                run.worst_deactivation
                    .map_or(0, |it| u64::from(it.from - it.to) - 1)
            },
            words: |count| (count + 1).to_string(),
            found: None,
            finding: Some("fleet-ended-at-once"),
            harm: |run| run.stranded + run.cut_off,
        };
        let mut changes = longer_cooldowns(case);
        changes.extend(kept_at_work(case));
        return Some(Finding {
            name: "fleet-ended-at-once",
            field: "spec.cooldownPeriod".to_owned(),
            reason: format!(
                "{} s, and pollingInterval is {} s: the cooldown is over before the next poll, so that the first poll that \
                 finds the queue inactive ends all replicas in one step, past the HPA and its windows. {} ({often})",
                cooldown.as_secs(),
                polling.as_secs(),
                ended(case, &worst)
            ),
            mend: case.trial.cheapest(&changes, &score).text,
        });
    }
    work_ended(case)
}

/// KEDA ends replicas that work on messages.
fn work_ended(case: &Case<'_>) -> Option<Finding> {
    let settings = &case.question.settings;
    let (worst, often) = worst(case, |it| it.interrupted > 0)?;
    let (field, reason, change) = if settings.strategy == LengthStrategy::VisibleOnly {
        let reason = "visibleonly: messages that are being worked on do not count".to_owned();
        let change = Change::settings("write queueLengthStrategy: all", |it| {
            it.strategy = LengthStrategy::All;
        });
        let key = "queueLengthStrategy";
        (trigger_field(settings, key), reason, Some(change.of(key)))
    } else {
        let (field, reason) = inactive(settings);
        let reason = format!("{reason}, also while messages are worked on");
        let change = (!is_least(settings)).then(|| always_active(settings).of(field.clone()));
        (field, reason, change)
    };
    let score: Score<'_, Figures> = Score {
        name: "the number of messages in work on replicas that KEDA ends",
        of: |run| run.worst_deactivation.map_or(0, |it| it.interrupted),
        words: replicas,
        found: None,
        finding: None,
        harm: |run| run.stranded + run.cut_off,
    };
    Some(Finding {
        name: "work-ended",
        reason: format!(
            "{reason}, so that replicas end with work in flight. {} ({often})",
            ended(case, &worst)
        ),
        mend: {
            let is_new = |it: &Change<Question>| !change.iter().any(|own| own.is_like(it));
            let others = kept_at_work(case).into_iter().filter(is_new);
            let others: Vec<_> = others.chain(longer_cooldowns(case)).collect();
            let changes: Vec<_> = change.into_iter().chain(others).collect();
            case.trial.cheapest(&changes, &score).text
        },
        field,
    })
}

fn ended(case: &Case<'_>, worst: &ScaleIn) -> String {
    let at_work = match (worst.ended_at_work, worst.interrupted, worst.cut_off) {
        (_, 0, _) => "none of them at work".to_owned(),
        (at_work, messages, cut_off) => {
            let grace = clock::words(case.question.workload.service.grace);
            let lost = match cut_off {
                0 => format!("done within the grace of {grace}"),
                lost => format!("{lost} of them not done within the grace of {grace}"),
            };
            format!("{at_work} of them at work on {messages} messages, {lost}")
        }
    };
    format!(
        "At {} it goes from {} replicas to {}, {at_work}",
        clock::words(worst.at),
        worst.from,
        worst.to
    )
}

/// Work that is lost because its replica is removed.
pub(super) fn cut_off(case: &Case<'_>) -> Option<Finding> {
    let is_cut = |run: &Figures| run.cut_off > 0;
    let of = |run: &Figures| run.worst_cut;
    let likely = case.outlook.likely.worst_cut;
    let all = case.outlook.runs.iter().filter_map(of);
    let worst = likely.or_else(|| all.max_by_key(|it| it.cut_off))?;
    let likely = case.outlook.likely.cut_off;
    let runs = case.outlook.runs.iter();
    let lost = spread(likely, "message", runs.map(|run| run.cut_off));
    let by_hpa = worst.by == DecisionMaker::Hpa;
    let field = if by_hpa {
        "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown"
    } else {
        "spec.cooldownPeriod"
    };
    let score: Score<'_, Figures> = Score {
        name: "the number of messages whose work is lost",
        of: |run| run.cut_off,
        words: replicas,
        found: None,
        finding: None,
        harm: |run| run.stranded + run.left,
    };
    let mut changes = kept_at_work(case);
    changes.extend(fewer_at_once(case));
    changes.extend(longer_cooldowns(case));
    Some(Finding {
        name: "work-cut-off",
        field: field.to_owned(),
        reason: format!(
            "{} takes away replicas that are at work on messages which are not done when their grace is over: the work is \
             lost, and begun anew by another replica. So it is with {lost}, {}. {}",
            worst.by,
            case.often(is_cut),
            ended(case, &worst)
        ),
        mend: case.trial.cheapest(&changes, &score).text,
    })
}

/// A longer window for scale-in, and a slower scale-in, alone and together.
fn fewer_at_once(case: &Case<'_>) -> Vec<Change<Question>> {
    let window = |settings: &Settings| {
        let own = settings.behavior.as_ref();
        let own = own.and_then(|it| it.scale_down.stabilization_window);
        own.unwrap_or(settings.controller.downscale_stabilization)
    };
    let now = window(&case.question.settings);
    let longer = TIMES.map(Duration::from_secs).into_iter();
    let longer: Vec<_> = longer.filter(|time| *time > now).collect();
    let field = "write behavior.scaleDown";
    let windows = longer.iter().map(|time| {
        let words = format!("{field}.stabilizationWindowSeconds: {}", time.as_secs());
        let time = *time;
        let change = Change::settings(words, move |it| {
            behavior(it).scale_down.stabilization_window = Some(time);
        });
        change.of("stabilizationWindowSeconds")
    });
    let slowly = Change::settings(format!("{field}.policies with 25 percent in 60 s"), |it| {
        slow(&mut behavior(it).scale_down);
    })
    .of("policies");
    let both = longer.iter().map(|time| {
        let seconds = time.as_secs();
        let words =
            format!("{field}.stabilizationWindowSeconds: {seconds} and cooldownPeriod: {seconds}");
        let time = *time;
        Change::settings(words, move |it| {
            behavior(it).scale_down.stabilization_window = Some(time);
            it.cooldown_period = it.cooldown_period.max(time);
        })
        .double()
    });
    windows.chain([slowly]).chain(both).collect()
}

fn slow(rules: &mut Rules) {
    rules.policies = vec![SLOW];
    rules.select_policy = SelectPolicy::Max;
}

/// Replicas that are removed and needed again.
pub(super) fn thrash(case: &Case<'_>) -> Option<Finding> {
    let most = case.most(|run| run.thrash);
    if most == 0 {
        return None;
    }
    let likely = &case.outlook.likely;
    let by_keda = case.most(|run| run.thrash_by_keda);
    let by_hpa = case.most(|run| run.thrash - run.thrash_by_keda);
    let (field, by) = if by_keda >= by_hpa {
        (
            COOLDOWN,
            "by KEDA itself, after the cooldown and past the HPA's windows",
        )
    } else {
        (
            "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown",
            "by the HPA",
        )
    };
    let score: Score<'_, Figures> = Score {
        name: "the number of such scale-outs",
        of: |run| run.thrash.into(),
        words: replicas,
        found: None,
        finding: None,
        harm,
    };
    let mut changes: Vec<_> = no_idle(case).into_iter().collect();
    if changes.is_empty() {
        changes = longer_cooldowns(case);
    }
    let windows = fewer_at_once(case);
    if by_keda >= by_hpa {
        changes.extend(windows);
    } else {
        changes.splice(0..0, windows);
    }
    changes.extend(kept_at_work(case));
    let runs = case.outlook.runs.iter();
    let times = spread(
        likely.thrash.into(),
        "time",
        runs.map(|run| run.thrash.into()),
    );
    let advice = case.trial.cheapest(&changes, &score);
    let often = case.often(|run| run.thrash > 0);
    let what = format!("needed again within 5 minutes: {times}, {often}");
    let (field, reason) = match advice.blame {
        Some((field, why)) => (
            field,
            format!("{why}; replicas that are taken away are {what}"),
        ),
        None => (
            field.to_owned(),
            format!("replicas are taken away {by}, and {what}"),
        ),
    };
    Some(Finding {
        name: "thrash",
        field,
        reason,
        mend: advice.text,
    })
}

/// A scale-in policy without any effect: it allows the removal of all replicas in one step.
pub(super) fn abrupt(case: &Case<'_>) -> Option<Finding> {
    let settings = &case.question.settings;
    let rules = &settings.behavior.as_ref()?.scale_down;
    if rules.select_policy == SelectPolicy::Disabled
        || rules.policies == Rules::default_down().policies
    {
        return None;
    }
    let (most, least) = (settings.max_replica_count, settings.hpa_min_replicas());
    let all_at_once = |policy: &&Policy| match policy.kind {
        PolicyKind::Pods => policy.value >= most.saturating_sub(least),
        PolicyKind::Percent => policy.value >= 100,
    };
    let such = rules.policies.iter().find(all_at_once)?;
    let limits = rules.policies.iter().filter(|it| !all_at_once(it)).count();
    let other_limits = rules.select_policy == SelectPolicy::Min && limits > 0;
    if most <= least + 1 || other_limits || !case.any(|run| run.worst_step.is_some()) {
        return None;
    }
    let kind = match such.kind {
        PolicyKind::Pods => format!("{} pods", such.value),
        PolicyKind::Percent => format!("{} percent", such.value),
    };
    let likely = case.outlook.likely.worst_step;
    let step = likely.or_else(|| case.outlook.runs.iter().find_map(|run| run.worst_step))?;
    let score: Score<'_, Figures> = Score {
        name: "the number of replicas that the HPA takes away in one step",
        of: |run| run.worst_step.map_or(0, |it| u64::from(it.from - it.to)),
        words: replicas,
        found: None,
        finding: None,
        harm: |run| run.stranded + run.left,
    };
    let slowly = Change::settings("write 25 percent in 60 s", |it| {
        slow(&mut behavior(it).scale_down);
    });
    // With a policy alone, replicas added within the period can be removed at once (Kubernetes `horizontal.go`,
    // `getReplicasChangePerPeriod`).
    let words = "write 25 percent in 60 s, and stabilizationWindowSeconds: 300";
    let later = Change::settings(words, |it| {
        slow(&mut behavior(it).scale_down);
        behavior(it).scale_down.stabilization_window = Some(Duration::from_secs(300));
    });
    Some(Finding {
        name: "scale-down-unlimited",
        field: "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.policies".to_owned(),
        reason: format!(
            "{kind} in {} s, and there are at most {most} replicas: the policy limits nothing, the HPA may take all away in one \
             step as it may without a policy. At {} it goes from {} to {}",
            such.period.as_secs(),
            clock::words(step.at),
            step.from,
            step.to
        ),
        mend: case.trial.advice(&[slowly, later], &score).text,
    })
}
