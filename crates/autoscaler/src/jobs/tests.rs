//! Jobs that each poll makes.

use std::time::Duration;

use super::*;
use crate::{LengthStrategy, Queue, ScalerError};

/// One message for each job, up to 10 of them.
fn settings(strategy: JobStrategy) -> JobSettings {
    JobSettings {
        max_replica_count: Some(10),
        strategy,
        triggers: vec![QueueTrigger {
            queue_length: 1,
            ..QueueTrigger::default()
        }],
        ..JobSettings::default()
    }
}

const CUSTOM: JobStrategy = JobStrategy::Custom {
    deduction: 1,
    running: 0.5,
};

#[expect(
    clippy::unnecessary_wraps,
    reason = "an observation, as the model takes it"
)]
fn messages(visible: u64) -> Observation {
    Ok(Queue { visible, leased: 0 })
}

fn made(settings: &JobSettings, length: u64, all: u32, pending: u32) -> u32 {
    settings.jobs_to_make(&[messages(length)], Unfinished { all, pending })
}

/// Source: KEDA `pkg/scaling/executor/scale_jobs.go`, `GetEffectiveMaxScale` of each strategy, and `createJobs`; the rows of
/// accurate and eager are those of `scale_jobs_test.go` (`TestAccurateScalingStrategy`, `TestEagerScalingStrategy`) and of the
/// table in KEDA's documentation of eager.
#[test]
fn each_strategy_counts_the_jobs_that_there_are_in_its_own_way() {
    use JobStrategy::{Accurate, Default, Eager};
    for (strategy, length, all, pending, expected) in [
        (Default, 3, 0, 0, 3),
        (Default, 3, 2, 0, 1),
        (Default, 3, 4, 0, 0),
        (Default, 30, 2, 0, 8),
        (CUSTOM, 3, 2, 0, 1),
        (CUSTOM, 8, 4, 4, 5),
        (CUSTOM, 1, 0, 0, 0),
        (Accurate, 3, 2, 0, 3),
        (Accurate, 3, 2, 2, 1),
        (Accurate, 9, 3, 0, 7),
        (Accurate, 9, 10, 0, 0),
        (Eager, 3, 0, 0, 3),
        (Eager, 3, 3, 0, 3),
        (Eager, 3, 9, 0, 1),
        (Eager, 30, 0, 0, 10),
    ] {
        let seen = made(&settings(strategy), length, all, pending);
        assert_eq!(
            seen, expected,
            "{strategy:?}: {length} messages, {all} jobs, {pending} pending"
        );
    }
}

/// Source: KEDA `scale_jobs.go`, `getScalingDecision`; `scaledjob_types.go`, `MinReplicaCount` and `MaxReplicaCount`.
#[test]
fn the_least_jobs_are_kept_and_do_not_count_for_messages() {
    let with = |min, max| JobSettings {
        min_replica_count: min,
        max_replica_count: max,
        ..settings(JobStrategy::Default)
    };
    let three = with(Some(3), Some(10));
    assert_eq!(made(&three, 0, 0, 0), 3, "though nothing is active");
    assert_eq!(made(&three, 0, 1, 0), 2);
    assert_eq!(made(&three, 0, 3, 0), 0);
    assert_eq!(made(&three, 20, 1, 0), 2, "first the least");
    assert_eq!(made(&three, 20, 3, 0), 7);
    assert_eq!((three.least(), three.most_besides()), (3, 7));
    let unset = with(Some(3), None);
    assert_eq!((unset.least(), unset.most_besides()), (3, 100));
    let crossed = with(Some(20), Some(10));
    assert_eq!((crossed.least(), crossed.most_besides()), (10, 10));
}

/// Source: KEDA `pkg/scaling/scaledjob/metrics.go`, `CalculateQueueLengthAndMaxValue`; `scale_handler.go`, `getScaledJobMetrics`.
#[test]
fn a_job_is_for_queue_length_messages_rounded_up_and_only_of_an_active_queue() {
    let mut five = settings(JobStrategy::Default);
    five.triggers[0].queue_length = 5;
    five.triggers[0].activation_queue_length = 10;
    assert_eq!(made(&five, 10, 0, 0), 0);
    assert_eq!(made(&five, 11, 0, 0), 3);
    assert_eq!(
        five.jobs_to_make(&[Err(ScalerError)], Unfinished::default()),
        0
    );
    five.triggers[0].queue_length = 0;
    assert_eq!(made(&five, 11, 0, 0), 0, "no target, no job");
    let paused = JobSettings {
        paused: true,
        ..settings(JobStrategy::Eager)
    };
    assert_eq!(made(&paused, 11, 0, 0), 0);
}

/// Source: KEDA `metrics.go`, `IsScaledJobActive`.
#[test]
fn several_triggers_count_as_they_are_told_to() {
    let trigger = |queue_length| QueueTrigger {
        queue_length,
        ..QueueTrigger::default()
    };
    for (calculation, lengths, expected) in [
        // By length, not by jobs.
        (Calculation::Max, [8, 6], 4),
        (Calculation::Min, [8, 6], 6),
        (Calculation::Avg, [8, 6], 5),
        (Calculation::Sum, [8, 6], 10),
        // One that is empty is not active.
        (Calculation::Min, [8, 0], 4),
        (Calculation::Avg, [8, 0], 4),
        (Calculation::Sum, [0, 0], 0),
    ] {
        let settings = JobSettings {
            calculation,
            triggers: vec![trigger(2), trigger(1)],
            ..settings(JobStrategy::Default)
        };
        let observed = lengths.map(messages);
        let made = settings.jobs_to_make(&observed, Unfinished::default());
        assert_eq!(made, expected, "{calculation:?} of {lengths:?}");
    }
    let settings = JobSettings {
        calculation: Calculation::Sum,
        triggers: vec![trigger(2), trigger(1)],
        ..settings(JobStrategy::Default)
    };
    let observed = [Err(ScalerError), messages(3)];
    let made = settings.jobs_to_make(&observed, Unfinished::default());
    assert_eq!(made, 3, "the other one counts");
}

/// Source: KEDA `scale_jobs.go`, `cleanUp`.
#[test]
fn finished_jobs_are_kept_up_to_their_limits() {
    let settings = JobSettings {
        successful_jobs_history_limit: 3,
        failed_jobs_history_limit: 0,
        ..JobSettings::default()
    };
    assert_eq!(settings.kept(2, 4), (2, 0));
    assert_eq!(settings.kept(9, 0), (3, 0));
    assert_eq!(JobSettings::default().kept(200, 200), (100, 100));
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// 6 messages of 100 s each, and jobs that start after 10 s and take one message.
fn workload() -> JobWorkload {
    JobWorkload {
        arrivals: vec![(seconds(0), 6)],
        start_delay: seconds(10),
        work: seconds(100),
        messages_per_job: 1,
    }
}

#[test]
fn the_default_strategy_makes_one_job_for_each_message_where_leased_ones_count() {
    let series = simulate_jobs(&settings(JobStrategy::Default), &workload(), seconds(600));
    assert_eq!((series.made, series.most_jobs, series.in_vain), (6, 6, 0));
    assert_eq!((series.done, series.left), (Some(seconds(110)), 0));
    assert_eq!(series.polls[0].made, 6);
}

/// Accurate takes a queue's length for what nobody works on, and `queueLengthStrategy: all` counts both.
#[test]
fn the_accurate_strategy_makes_jobs_in_vain_where_leased_messages_count() {
    let mut accurate = settings(JobStrategy::Accurate);
    let series = simulate_jobs(&accurate, &workload(), seconds(600));
    assert!(series.in_vain >= 4, "{series:?}");
    accurate.triggers[0].strategy = LengthStrategy::VisibleOnly;
    let series = simulate_jobs(&accurate, &workload(), seconds(600));
    assert_eq!((series.made, series.in_vain), (6, 0));
}

#[test]
fn what_does_not_fit_waits_for_jobs_that_end() {
    let two = JobSettings {
        max_replica_count: Some(2),
        ..settings(JobStrategy::Default)
    };
    let series = simulate_jobs(&two, &workload(), seconds(1_000));
    // Jobs made at 0 s end at 110 s; the poll at 120 s makes the next two, that at 240 s the last.
    let made: Vec<_> = series.polls.iter().filter(|it| it.made > 0).collect();
    let made: Vec<_> = made.iter().map(|it| (it.at.as_secs(), it.made)).collect();
    assert_eq!(made, [(0, 2), (120, 2), (240, 2)]);
    assert_eq!(series.done, Some(seconds(350)));
    let cut = simulate_jobs(&two, &workload(), seconds(300));
    assert_eq!((cut.done, cut.left), (None, 2));
}
