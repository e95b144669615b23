//! Tests of simulations with known results.

use super::*;
use crate::DecisionMaker;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn workload(arrivals: Arrivals, start_delay: u64) -> Workload {
    Workload {
        arrivals,
        service: Service {
            work: Work::Exponential(seconds(4)),
            in_flight: 4,
            start_delay: seconds(start_delay),
            grace: Duration::ZERO,
        },
    }
}

fn sample() -> Settings {
    Settings {
        max_replica_count: 15,
        cooldown_period: seconds(10),
        activation_queue_length: 20,
        ..Settings::default()
    }
}

fn run(settings: &Settings, workload: &Workload, horizon: u64) -> Series {
    simulate(settings, &Start::default(), workload, seconds(horizon))
}

/// The backlog at each tick is sent minus served, and never below zero.
#[test]
fn the_backlog_is_what_is_sent_and_not_served() {
    let rates = |at, burst, per_second| Rates {
        at: seconds(at),
        burst,
        per_second,
    };
    let arrivals = Arrivals::new([rates(20, 0, 0.0), rates(0, 100, 2.0)]);
    let settings = Settings {
        max_replica_count: 1,
        ..Settings::default()
    };
    let series = run(&settings, &workload(arrivals, 10), 180);
    let backlog = |at: u64| {
        let point = series
            .points
            .iter()
            .find(|point| point.at == seconds(at))
            .unwrap();
        (
            point.queue.visible + point.queue.leased,
            point.queue.leased,
            point.working,
        )
    };
    assert_eq!(backlog(0), (100, 0, 0));
    // Started at 10 s: 130 sent, 5 served.
    assert_eq!(backlog(15), (125, 4, 1));
    assert_eq!(backlog(30), (120, 4, 1));
    // 4 at 146 s, the last of which still needs its working time.
    assert_eq!(backlog(150), (1, 1, 1));
    assert_eq!(backlog(180), (0, 0, 1));
}

#[test]
fn the_sample_strands_a_small_burst() {
    let series = run(&sample(), &workload(Arrivals::burst(20), 5), 3_600);
    assert_eq!(series.replicas.counts(), [0]);
    assert_eq!(series.points.last().unwrap().queue.visible, 20);
}

#[test]
fn the_sample_ends_fifteen_replicas_at_work_at_once() {
    let rates = [
        Rates {
            at: seconds(0),
            burst: 1_000,
            per_second: 0.0,
        },
        Rates {
            at: seconds(119),
            burst: 18,
            per_second: 0.0,
        },
    ];
    let series = run(&sample(), &workload(Arrivals::new(rates), 0), 600);
    assert_eq!(series.replicas.counts(), [0, 1, 4, 8, 15, 0]);
    let last = series.decisions.last().unwrap();
    assert_eq!((last.by, last.from, last.to), (DecisionMaker::Keda, 15, 0));
    let interrupted: f64 = series.points.iter().map(|point| point.interrupted).sum();
    // 18 arrived a second before, and each takes four on average.
    assert!((13.5..14.5).contains(&interrupted), "{interrupted}");
}

#[test]
fn a_period_repeats_its_rates() {
    let rates = [
        Rates {
            at: seconds(0),
            burst: 10,
            per_second: 1.0,
        },
        Rates {
            at: seconds(5),
            burst: 0,
            per_second: 0.0,
        },
    ];
    let arrivals = Arrivals::new(rates).every(seconds(60));
    let mut workload = workload(arrivals, 0);
    workload.service.work = Work::Fixed(seconds(1_000_000));
    let series = run(&Settings::default(), &workload, 300);
    let backlog: Vec<_> = series
        .points
        .iter()
        .skip(1)
        .filter(|point| point.at.as_secs().is_multiple_of(60))
        .collect();
    let messages: Vec<_> = backlog
        .iter()
        .map(|point| point.queue.visible + point.queue.leased)
        .collect();
    // 15 per minute, and the next burst of 10 at the minute itself.
    assert_eq!(messages, [10, 25, 40, 55, 70, 85]);
}

#[test]
fn replica_time_is_the_area_under_the_replicas() {
    let series = run(&sample(), &workload(Arrivals::burst(1_000), 0), 300);
    let area: Duration = series
        .replicas
        .spans(seconds(300))
        .map(|(from, until, replicas)| until.saturating_sub(from) * replicas)
        .sum();
    assert_eq!(series.replica_time, area);
    assert!(area > seconds(900), "{area:?}");
}
