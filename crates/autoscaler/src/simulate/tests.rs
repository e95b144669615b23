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

#[test]
fn a_replica_does_as_many_messages_as_it_works_on_at_once() {
    let service = workload(Arrivals::burst(1), 0).service;
    assert!((service.per_second() - 1.0).abs() < 1e-9);
    let service = Service {
        in_flight: 6,
        ..service
    };
    assert!((service.per_second() - 1.5).abs() < 1e-9);
}

#[test]
fn a_tick_tells_the_replicas_and_the_messages_that_it_ends_at_work() {
    let series = run(&sample(), &workload(Arrivals::burst(1_000), 0), 600);
    let sum = |of: fn(&Point) -> f64| series.points.iter().map(of).sum::<f64>();
    let (replicas, messages) = (sum(|it| it.ended_at_work), sum(|it| it.interrupted));
    let cut_off = sum(|it| it.cut_off);
    assert!(replicas > 0.1, "{replicas}");
    assert!(
        (messages - cut_off).abs() < 1e-9,
        "without any grace all of it is lost"
    );
}

mod at_rest {
    //! How long the model runs before time zero.

    use super::*;
    use crate::{Annotations, Cron, Paused, Reads, Trigger};

    const LONG: Duration = Duration::from_secs(864_000);

    fn start(replicas: u32) -> Start {
        Start {
            replicas,
            age: LONG,
            ..Start::default()
        }
    }

    fn before(settings: &Settings, start: &Start) -> Duration {
        rested(settings, start).1
    }

    #[test]
    fn as_long_as_anything_is_remembered_if_it_had_replicas() {
        let settings = sample();
        let whole = memory(&settings, Duration::ZERO).as_secs() * 2;
        assert_eq!(before(&settings, &start(3)), seconds(whole));
        assert_eq!(before(&settings, &start(0)), Duration::ZERO);
        let young = Start {
            age: seconds(7),
            ..start(3)
        };
        assert_eq!(before(&settings, &young), seconds(7));
        let known = Start {
            active_ago: Some(seconds(5)),
            ..start(3)
        };
        assert_eq!(before(&settings, &known), Duration::ZERO);
        let paused = Settings {
            annotations: Annotations {
                paused: Some(Paused::Here),
                ..Annotations::default()
            },
            ..sample()
        };
        assert_eq!(before(&paused, &start(3)), Duration::ZERO);
    }

    #[test]
    fn what_is_always_active_has_been_so_before() {
        let forced = Settings {
            annotations: Annotations {
                force_activation: true,
                ..Annotations::default()
            },
            ..sample()
        };
        let negative = Settings {
            activation_queue_length: -1,
            ..sample()
        };
        let zero = Settings {
            activation_queue_length: 0,
            ..sample()
        };
        for (settings, replicas) in [(forced, 1), (negative, 1), (zero, 0)] {
            let (model, _) = rested(&settings, &start(0));
            assert_eq!(model.replicas(), replicas);
        }
    }

    /// Half past eight, of a trigger that asks for 4 replicas from eight to nine.
    #[test]
    fn triggers_by_the_clock_have_their_time_before() {
        let cron = Cron::new("0 8 * * *", "0 9 * * *", "UTC", 4).unwrap();
        let settings = Settings {
            others: vec![Trigger {
                reads: Reads::Cron(cron),
                name: None,
                use_cached_metrics: false,
            }],
            ..sample()
        };
        let clock = Start {
            wall: seconds(8 * 3_600 + 1_800),
            ..start(0)
        };
        let (model, before) = rested(&settings, &clock);
        assert_eq!(before, TO_REST);
        assert_eq!(model.replicas(), 4);
    }

    /// The loops have the phases that were asked for at time zero, not at the begin of that time.
    #[test]
    fn the_loops_keep_their_phases() {
        let settings = Settings {
            polling_interval: seconds(7),
            min_replica_count: 3,
            ..sample()
        };
        for poll in [1, 4, 6] {
            let phased = Start {
                phases: Phases {
                    poll: seconds(poll),
                    ..Phases::default()
                },
                ..start(3)
            };
            let series = simulate(
                &settings,
                &phased,
                &workload(Arrivals::burst(1), 0),
                seconds(60),
            );
            let polls = series.points.iter().map(|point| point.at.as_secs());
            assert!(polls.clone().any(|at| at == poll), "{poll}");
            assert!(polls.clone().any(|at| at == poll + 7), "{poll}");
        }
    }

    /// A ScaledObject that was never active keeps its replicas for an initial cooldown from its creation on.
    #[test]
    fn its_age_is_that_of_the_end() {
        let settings = Settings {
            initial_cooldown_period: seconds(150),
            ..sample()
        };
        let replicas = |age: u64| {
            let aged = Start {
                age: seconds(age),
                ..start(3)
            };
            rested(&settings, &aged).0.replicas()
        };
        assert_eq!((replicas(100), replicas(300)), (3, 0));
    }
}
