//! Tests of the number of Jobs that each poll creates.

use std::time::Duration;

use super::*;
use crate::{Arrivals, Figures, LengthStrategy, Nodes, Rates, ScalerError, Work};

fn queue(queue_length: i64) -> Reads {
    Reads::Queue(QueueTrigger {
        queue_length,
        ..QueueTrigger::default()
    })
}

/// Settings of one message per Job, and up to 10 Jobs.
fn settings(strategy: JobStrategy) -> JobSettings {
    JobSettings {
        max_replica_count: Some(10),
        strategy,
        triggers: vec![queue(1)],
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
    settings.jobs_to_make(
        messages(length),
        Duration::ZERO,
        Unfinished { all, pending },
    )
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
        (Accurate, 5, 3, 3, 2),
        (Eager, 3, 0, 0, 3),
        (Eager, 3, 3, 0, 3),
        (Eager, 3, 9, 0, 1),
        (Eager, 30, 0, 0, 10),
        (Eager, 30, 2, 3, 5),
    ] {
        let seen = made(&settings(strategy), length, all, pending);
        assert_eq!(
            seen, expected,
            "{strategy:?}: {length} messages, {all} jobs, {pending} pending"
        );
    }
    // Two messages for each Job: 4 Jobs are asked for, beside 3 of at most 10.
    let two = JobSettings {
        triggers: vec![queue(2)],
        ..settings(Accurate)
    };
    assert_eq!(made(&two, 8, 3, 0), 4);
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
    let trigger = QueueTrigger {
        queue_length: 5,
        activation_queue_length: 10,
        ..QueueTrigger::default()
    };
    five.triggers = vec![Reads::Queue(trigger)];
    assert_eq!(made(&five, 10, 0, 0), 0);
    assert_eq!(made(&five, 11, 0, 0), 3);
    let is_active = |visible| five.is_active(Queue { visible, leased: 0 }, Duration::ZERO);
    assert_eq!([is_active(10), is_active(11)], [false, true]);
    assert_eq!(
        five.jobs_to_make(Err(ScalerError), Duration::ZERO, Unfinished::default()),
        0
    );
    five.triggers = vec![queue(0)];
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
    let trigger = |queue_length, elsewhere| {
        Reads::Queue(QueueTrigger {
            queue_length,
            elsewhere,
            ..QueueTrigger::default()
        })
    };
    let two = |calculation, second| JobSettings {
        calculation,
        triggers: vec![trigger(2, None), trigger(1, Some(second))],
        ..settings(JobStrategy::Default)
    };
    for (calculation, [first, second], expected) in [
        (Calculation::Max, [8, 6], 4),
        // By length, not by Jobs.
        (Calculation::Min, [8, 6], 6),
        (Calculation::Avg, [8, 6], 5),
        (Calculation::Sum, [8, 6], 10),
        // The first of equal ones.
        (Calculation::Max, [8, 8], 4),
        (Calculation::Min, [8, 8], 4),
        // An empty queue is not active.
        (Calculation::Min, [8, 0], 4),
        (Calculation::Avg, [8, 0], 4),
        (Calculation::Sum, [0, 0], 0),
    ] {
        let made = made(&two(calculation, second), first, 0, 0);
        assert_eq!(made, expected, "{calculation:?} of {first} and {second}");
    }
    let failed = two(Calculation::Sum, 3);
    let made = failed.jobs_to_make(Err(ScalerError), Duration::ZERO, Unfinished::default());
    assert_eq!(made, 3, "the other one counts");
}

/// Source: KEDA `cron_scaler.go`, `GetMetricSpecForScaling` and `GetMetricsAndActivity`; `metrics.go`, `IsScaledJobActive`.
#[test]
fn a_cron_trigger_keeps_its_jobs_in_its_hours() {
    let cron = Cron::new("0 8 * * *", "0 18 * * *", "UTC", 4).unwrap();
    let settings = JobSettings {
        triggers: vec![queue(1), Reads::Cron(cron)],
        ..settings(JobStrategy::Default)
    };
    let at = |hour: u64, length, all| {
        let unfinished = Unfinished { all, pending: 0 };
        settings.jobs_to_make(messages(length), seconds(hour * 3_600), unfinished)
    };
    assert_eq!((at(7, 0, 0), at(8, 0, 0), at(18, 0, 0)), (0, 4, 0));
    assert_eq!((at(8, 0, 3), at(8, 3, 0), at(8, 7, 0)), (1, 4, 7));
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

/// 6 messages of 100 s each, and Jobs that start after 10 s and take one message.
fn workload() -> JobWorkload {
    JobWorkload {
        arrivals: Arrivals::burst(6),
        start_delay: seconds(10),
        work: Work::Fixed(seconds(100)),
        messages_per_job: 1,
    }
}

fn run(settings: &JobSettings, workload: &JobWorkload, horizon: u64) -> (JobFigures, Vec<JobPoll>) {
    let nodes = Nodes {
        replicas_per_node: 2,
        linger: Duration::ZERO,
    };
    let mut polls = Vec::new();
    let each = |poll: &JobPoll| polls.push(*poll);
    let horizon = seconds(horizon);
    let start = JobStart::default();
    let figures = simulate_jobs(settings, &start, workload, horizon, nodes, each);
    (figures, polls)
}

#[test]
fn the_default_strategy_makes_one_job_for_each_message_where_leased_ones_count() {
    let (figures, polls) = run(&settings(JobStrategy::Default), &workload(), 600);
    assert_eq!((figures.made, figures.in_vain, figures.kept), (6, 0, 6));
    assert_eq!(polls[0].made, 6);
    let expected = Figures {
        most_replicas: 6,
        drain: Some(seconds(110)),
        most_messages: 6,
        longest_wait: seconds(10),
        longest_unstranded_wait: seconds(10),
        replica_time: seconds(6 * 110),
        most_nodes: 3,
        node_time: seconds(3 * 110),
        ..Figures::default()
    };
    assert_eq!(figures.figures, expected);
}

/// The strategy `accurate` assumes that the queue's length excludes messages in work, and `queueLengthStrategy: all` includes
/// them.
#[test]
fn the_accurate_strategy_makes_jobs_in_vain_where_leased_messages_count() {
    let mut accurate = settings(JobStrategy::Accurate);
    let (figures, _) = run(&accurate, &workload(), 600);
    assert!(figures.in_vain >= 4, "{figures:?}");
    accurate.triggers = vec![Reads::Queue(QueueTrigger {
        queue_length: 1,
        strategy: LengthStrategy::VisibleOnly,
        ..QueueTrigger::default()
    })];
    let (figures, _) = run(&accurate, &workload(), 600);
    assert_eq!((figures.made, figures.in_vain), (6, 0));
}

/// Jobs created at 0 s end at 110 s; the poll at 120 s creates the next two, the one at 240 s the last.
#[test]
fn what_does_not_fit_waits_for_jobs_that_end() {
    let two = JobSettings {
        max_replica_count: Some(2),
        successful_jobs_history_limit: 1,
        ..settings(JobStrategy::Default)
    };
    let (figures, polls) = run(&two, &workload(), 1_000);
    let made: Vec<_> = polls.iter().filter(|it| it.made > 0).collect();
    let made: Vec<_> = made.iter().map(|it| (it.at.as_secs(), it.made)).collect();
    assert_eq!(made, [(0, 2), (120, 2), (240, 2)]);
    assert_eq!(figures.figures.drain, Some(seconds(350)));
    assert_eq!(figures.figures.full_scale, Some(seconds(10)));
    assert_eq!(figures.figures.longest_wait, seconds(250));
    assert_eq!(figures.kept, 1);
    let (cut, _) = run(&two, &workload(), 300);
    assert_eq!((cut.figures.drain, cut.figures.left), (None, 2));
    // The four of the poll at 210 s, of which two are done at 230 s: polls of the second half count.
    let (cut, _) = run(&two, &workload(), 235);
    assert_eq!((cut.figures.never_below, cut.figures.left), (4, 2));
}

/// Jobs of 12 s take a second message each at 12 s, before the next poll sees the queue.
#[test]
fn a_poll_tells_of_most_messages_since_the_one_before() {
    let burst = |at, burst| Rates {
        at: seconds(at),
        burst,
        per_second: 0.0,
    };
    let workload = JobWorkload {
        arrivals: Arrivals::new([burst(0, 6), burst(10, 4), burst(11, 2)]),
        start_delay: Duration::ZERO,
        work: Work::Fixed(seconds(12)),
        messages_per_job: 2,
    };
    let (figures, polls) = run(&settings(JobStrategy::Default), &workload, 70);
    let peaks = polls
        .iter()
        .map(|poll| (poll.peak.0.as_secs(), poll.peak.1));
    assert_eq!(peaks.collect::<Vec<_>>(), [(0, 6), (11, 12), (60, 0)]);
    assert_eq!(figures.figures.most_messages, 12);
}

/// A Job of three messages does them one after the other: of two Jobs, the second ends after its third message, or if it finds
/// none.
#[test]
fn a_job_takes_as_many_messages_as_it_is_meant_for() {
    let three = JobSettings {
        triggers: vec![queue(3)],
        ..settings(JobStrategy::Default)
    };
    let workload = JobWorkload {
        arrivals: Arrivals::burst(5),
        messages_per_job: 3,
        ..workload()
    };
    let (figures, _) = run(&three, &workload, 600);
    // KEDA scale_jobs.go, `createJobs`: as many jobs as messages are asked for, no more than the two for 5 messages.
    assert_eq!(figures.made, 2);
    assert_eq!(figures.figures.drain, Some(seconds(310)));
}

/// 2 messages below the activation length wait for ever.
#[test]
fn messages_below_the_activation_length_are_stranded() {
    let trigger = QueueTrigger {
        queue_length: 1,
        activation_queue_length: 6,
        ..QueueTrigger::default()
    };
    let active = JobSettings {
        triggers: vec![Reads::Queue(trigger)],
        ..settings(JobStrategy::Default)
    };
    let (figures, _) = run(&active, &workload(), 600);
    assert_eq!(figures.made, 0);
    assert_eq!((figures.figures.stranded, figures.figures.left), (6, 6));
    assert_eq!(figures.figures.stranded_longest, seconds(600));
    let waits = (
        figures.figures.longest_wait,
        figures.figures.longest_unstranded_wait,
    );
    assert_eq!(waits, (seconds(600), seconds(0)));
}

#[test]
fn single_messages_are_those_of_the_rates() {
    let rates = |at, burst, per_second| Rates {
        at: seconds(at),
        burst,
        per_second,
    };
    let arrivals = Arrivals::new([rates(0, 3, 0.5), rates(5, 0, 0.0), rates(9, 1, 1.0)]);
    let messages = arrivals.messages(seconds(11));
    let messages: Vec<_> = messages
        .iter()
        .map(|(at, n)| (at.as_millis(), *n))
        .collect();
    // Half a message is left over at 5 s.
    let expected = [
        (0, 3),
        (2_000, 1),
        (4_000, 1),
        (9_000, 1),
        (9_500, 1),
        (10_500, 1),
    ];
    assert_eq!(messages, expected);
    assert!((arrivals.count(seconds(11)) - 8.5).abs() < 1e-9);
}

/// The mean and the quartiles of the drawn times are those of the distribution.
#[test]
fn work_is_drawn_evenly() {
    for (work, quartiles) in [
        (Work::Uniform(seconds(10), seconds(30)), [15.0, 20.0, 25.0]),
        // ln(4/3), ln(2) and ln(4), times 20 s.
        (Work::Exponential(seconds(20)), [5.754, 13.863, 27.726]),
        (Work::Fixed(seconds(20)), [20.0; 3]),
    ] {
        let mut drawn: Vec<_> = (0..1_000).map(|n| work.nth(n).as_secs_f64()).collect();
        drawn.sort_by(f64::total_cmp);
        let mean = drawn.iter().sum::<f64>() / 1_000.0;
        assert!((mean - 20.0).abs() < 0.1, "{work:?}: {mean}");
        let seen = [250, 500, 750].map(|n: usize| drawn[n]);
        let near = seen.iter().zip(quartiles).all(|(a, b)| (a - b).abs() < 0.2);
        assert!(near, "{work:?}: {seen:?}");
    }
}
