//! Tests of queues with a known course.

mod cohorts;
mod flow;
mod marks;

use super::*;
use crate::simulate::{Arrivals, Rates, Service, Work};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn workload(burst: u32, per_second: f64) -> Workload {
    Workload {
        arrivals: Arrivals::new([Rates {
            at: Duration::ZERO,
            burst,
            per_second,
        }]),
        service: Service {
            work: Work::Exponential(seconds(4)),
            in_flight: 4,
            start_delay: Duration::ZERO,
            grace: Duration::ZERO,
        },
    }
}

/// The backlog at a time, with `working` replicas from the begin.
fn backlog(workload: &Workload, working: u32, at: u64) -> f64 {
    let mut fluid = Fluid::new(workload, working);
    fluid.run_to(seconds(at));
    fluid.backlog
}

#[test]
fn a_queue_that_is_kept_up_with_holds_what_is_worked_on() {
    // Little's law: 5 per second, each for 4 s.
    let steady = workload(0, 5.0);
    assert!((backlog(&steady, 10, 60) - 20.0).abs() < 1e-3);
    // From above too, and independent of intermediate reads.
    let burst = workload(500, 5.0);
    assert!((backlog(&burst, 10, 300) - 20.0).abs() < 1e-3);
    let mut fluid = Fluid::new(&burst, 10);
    for at in 0..300 {
        fluid.run_to(seconds(at));
    }
    assert!((fluid.backlog - backlog(&burst, 10, 299)).abs() < 1e-6);
}

#[test]
fn a_queue_that_is_not_kept_up_with_grows_by_the_difference() {
    let too_much = workload(0, 5.0);
    let grown = backlog(&too_much, 3, 200) - backlog(&too_much, 3, 100);
    assert!((grown - 200.0).abs() < 1e-6, "{grown}");
}

#[test]
fn the_last_messages_take_their_own_time() {
    // 40 messages on 10 replicas with 4 slots each: all are in work at once, each for 4 s on average.
    let burst = workload(40, 0.0);
    assert!((backlog(&burst, 10, 4) - 40.0 * (-1.0_f64).exp()).abs() < 1e-6);
    let mut fluid = Fluid::new(&burst, 10);
    fluid.run_to(seconds(60));
    // Less than half a message is left after 4 s times ln(80).
    let empty = fluid.empty_since().unwrap().as_secs_f64();
    assert!((empty - 4.0 * 80.0_f64.ln()).abs() < 1e-6, "{empty}");
    assert_eq!(fluid.queue(), Queue::default());
}

#[test]
fn a_queue_is_not_empty_while_nobody_works() {
    let workload = workload(3, 0.0);
    let mut fluid = Fluid::new(&workload, 0);
    fluid.run_to(seconds(60));
    assert_eq!(fluid.empty_since(), None);
    assert_eq!((fluid.queue().visible, fluid.queue().leased), (3, 0));
    fluid.scale(0, 1);
    fluid.run_to(seconds(61));
    assert_eq!(fluid.queue().leased, 2);
}

#[test]
fn replicas_that_have_not_begun_end_first() {
    let workload = workload(40, 0.0);
    let mut fluid = Fluid::new(&workload, 4);
    fluid.starting.push_back((seconds(60), 6));
    fluid.run_to(seconds(1));
    let queue = fluid.queue();
    assert_eq!((queue.visible, queue.leased), (20, 16));
    assert_eq!(fluid.scale(10, 5), Ended::default());
    assert_eq!((fluid.working, fluid.starting.len()), (4, 1));
    let before = fluid.backlog;
    let ended = fluid.scale(5, 2);
    assert!((before - ended.messages - fluid.backlog).abs() < 1e-9);
    // One replica has not started; of four with four messages each, two end.
    assert_eq!((fluid.working, fluid.starting.len()), (2, 0));
    assert!((ended.replicas - 2.0).abs() < 1e-6, "{ended:?}");
    assert!((ended.messages - 8.0).abs() < 1e-6, "{ended:?}");
}

/// Source: Kubernetes `pkg/controller/controller_utils.go`, `ActivePodsWithRanks.Less`: a pod that has been ready for a shorter
/// time is deleted before one that has been for longer, and of pods that are not ready the newer one.
#[test]
fn of_those_that_are_starting_the_newest_end_first() {
    let mut workload = workload(40, 0.0);
    workload.service.start_delay = seconds(60);
    let mut fluid = Fluid::new(&workload, 1);
    fluid.scale(1, 3);
    fluid.run_to(seconds(50));
    fluid.scale(3, 6);
    fluid.scale(6, 3);
    fluid.run_to(seconds(60));
    assert_eq!(fluid.working(), 3, "those that were asked for first work");
    fluid.run_to(seconds(120));
    assert_eq!(fluid.working(), 3);
}

fn fixed(time: u64, grace: u64, burst: u32) -> Workload {
    let mut workload = workload(burst, 0.0);
    workload.service.work = Work::Fixed(seconds(time));
    workload.service.grace = seconds(grace);
    workload
}

#[test]
fn work_that_is_cut_off_begins_anew_and_work_within_the_grace_does_not() {
    for (grace, lost, emptied) in [(20, 8.0, 60 + 20 + 100), (40, 0.0, 100)] {
        let workload = fixed(100, grace, 16);
        let mut fluid = Fluid::new(&workload, 4);
        fluid.run_to(seconds(60));
        let ended = fluid.scale(4, 2);
        assert!((ended.messages - 8.0).abs() < 1e-9, "{ended:?}");
        assert!((ended.cut_off - lost).abs() < 1e-9, "{ended:?}");
        assert_eq!(fluid.queue().leased, 16, "hidden for the grace");
        fluid.run_to(seconds(60 + grace));
        let visible = if lost > 0.0 { 8 } else { 0 };
        assert_eq!(fluid.queue().visible, visible, "{grace}");
        fluid.run_to(seconds(1_000));
        // With 20 s: eight messages are taken again when the other replicas are done, at 100 s, and need 100 s more.
        let emptied = if lost > 0.0 { 200 } else { emptied };
        assert_eq!(fluid.empty_since(), Some(seconds(emptied)));
    }
}

#[test]
fn the_newest_of_those_that_work_end_first() {
    let workload = fixed(100, 0, 12);
    let mut fluid = Fluid::new(&workload, 1);
    fluid.run_to(seconds(0));
    fluid.scale(1, 3);
    fluid.run_to(seconds(99));
    // One replica has worked for 99 s; the two that came after it end.
    let ended = fluid.scale(3, 1);
    assert!((ended.cut_off - 8.0).abs() < 1e-9, "{ended:?}");
    fluid.run_to(seconds(100));
    assert_eq!(fluid.queue().visible + fluid.queue().leased, 8);
}

#[test]
fn work_of_a_range_of_times_is_done_evenly_over_it() {
    let mut workload = workload(400, 0.0);
    workload.service.work = Work::Uniform(seconds(60), seconds(140));
    let mut fluid = Fluid::new(&workload, 100);
    for (at, left) in [
        (50, 400.0),
        (80, 300.0),
        (100, 200.0),
        (120, 100.0),
        (141, 0.0),
    ] {
        fluid.run_to(seconds(at));
        let messages = fluid.messages();
        assert!((messages - left).abs() <= 26.0, "{at} s: {messages}");
    }
}

#[test]
fn the_peak_between_two_looks_is_not_lost() {
    let mut workload = fixed(5, 0, 100);
    workload.arrivals = Arrivals::new([Rates {
        at: seconds(3),
        burst: 100,
        per_second: 0.0,
    }]);
    let mut fluid = Fluid::new(&workload, 25);
    fluid.run_to(seconds(15));
    assert_eq!(fluid.queue(), Queue::default());
    assert_eq!(fluid.take_peak(), (seconds(3), 100));
    assert_eq!(fluid.take_peak(), (seconds(15), 0));
}

#[test]
fn the_head_of_the_queue_has_waited_since_it_came() {
    let mut workload = fixed(10, 0, 40);
    workload.service.in_flight = 1;
    let mut fluid = Fluid::new(&workload, 1);
    fluid.run_to(seconds(99));
    assert_eq!(fluid.take_longest_wait(), seconds(99));
    // Five per second: the message taken at 1,000 s arrived when 100 had arrived.
    let mut steady = workload;
    steady.arrivals = Arrivals::new([Rates {
        at: seconds(0),
        burst: 0,
        per_second: 5.0,
    }]);
    let mut fluid = Fluid::new(&steady, 1);
    fluid.run_to(seconds(1_000));
    let waited = fluid.take_longest_wait().as_secs_f64();
    assert!((waited - (1_000.0 - 100.0 / 5.0)).abs() < 0.5, "{waited}");
}

/// The longest wait with `working` replicas of 5 messages from the begin, read every `every` seconds.
fn longest_wait(work: Work, burst: u32, working: u32, every: usize) -> Duration {
    let mut workload = workload(burst, 0.0);
    workload.service.work = work;
    workload.service.in_flight = 5;
    let mut fluid = Fluid::new(&workload, working);
    let reads = (0..=900).step_by(every).map(|at| {
        fluid.run_to(seconds(at));
        fluid.take_longest_wait()
    });
    reads.max().unwrap()
}

/// 500 messages of 5 s on 4 replicas of 5 are done at 2 min 5 s, so that the last ones are taken at 2 min; 60 of 7 s on one
/// replica of 5 at 1 min 24 s, the last ones at 1 min 17 s.
#[test]
fn the_longest_wait_does_not_depend_on_when_it_is_read() {
    for every in [1, 7, 15, 900] {
        for work in [Work::Fixed(seconds(5)), Work::Exponential(seconds(5))] {
            assert_eq!(longest_wait(work, 500, 4, every), seconds(120), "{work:?}");
        }
        assert_eq!(
            longest_wait(Work::Fixed(seconds(7)), 60, 1, every),
            seconds(77)
        );
    }
}

/// A message that goes back into the queue waits anew, as in `tests/discrete.rs`.
#[test]
fn work_that_is_cut_off_waits_from_then_on() {
    let mut fluid_of = fixed(40, 0, 20);
    fluid_of.service.in_flight = 5;
    let mut fluid = Fluid::new(&fluid_of, 4);
    fluid.run_to(seconds(10));
    fluid.scale(4, 0);
    fluid.run_to(seconds(100));
    assert_eq!(fluid.take_longest_wait(), seconds(90));
}

/// As many messages arrive as are finished: there is never room for more than a few, and the simulation must still end.
#[test]
fn a_load_that_keeps_all_replicas_busy_neither_grows_nor_stops_the_clock() {
    for work in [
        Work::Fixed(seconds(5)),
        Work::Uniform(seconds(2), seconds(8)),
    ] {
        let mut full = workload(0, 4.0);
        full.service.in_flight = 5;
        full.service.work = work;
        let mut fluid = Fluid::new(&full, 4);
        for at in [7, 100, 1_000, 3_601] {
            fluid.run_to(seconds(at));
            let messages = fluid.messages();
            let expected = 20.0_f64.min(at as f64 * 4.0);
            assert!(
                (messages - expected).abs() < 4.0,
                "{work:?}, {at} s: {messages}"
            );
        }
        // A few more messages wait, and no others.
        let mut more = full;
        more.arrivals = Arrivals::new([Rates {
            at: seconds(0),
            burst: 0,
            per_second: 5.0,
        }]);
        let mut fluid = Fluid::new(&more, 4);
        fluid.run_to(seconds(1_000));
        let messages = fluid.messages();
        assert!((messages - 1_020.0).abs() < 40.0, "{work:?}: {messages}");
    }
}

/// Source: Kubernetes `pkg/controller/controller_utils.go`, `ActivePodsWithRanks.Less`: of pods that are not ready, the newest
/// are deleted first.
#[test]
fn of_replicas_that_are_starting_the_newest_end_first() {
    let mut workload = workload(100, 0.0);
    workload.service.start_delay = seconds(30);
    let mut fluid = Fluid::new(&workload, 1);
    fluid.scale(1, 2);
    fluid.run_to(seconds(20));
    fluid.scale(2, 4);
    fluid.scale(4, 2);
    fluid.run_to(seconds(29));
    assert_eq!(fluid.working(), 1);
    fluid.run_to(seconds(30));
    assert_eq!(fluid.working(), 2, "the one that began to start at 0 s");
    fluid.run_to(seconds(60));
    assert_eq!(fluid.working(), 2);
}
