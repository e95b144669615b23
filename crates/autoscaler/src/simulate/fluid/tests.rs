//! Queues whose course is known.

use super::*;
use crate::{Arrivals, Rates, Service};

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
            per_second: 1.0,
            in_flight: 4,
            start_delay: Duration::ZERO,
        },
    }
}

/// The backlog at a time, with so many replicas from the begin.
fn backlog(workload: &Workload, working: u32, at: u64) -> f64 {
    let mut fluid = Fluid::new(workload, working);
    fluid.run_to(seconds(at));
    fluid.backlog
}

#[test]
fn a_queue_that_is_kept_up_with_holds_what_is_worked_on() {
    // Little's law: 5 a second, each for 4 s.
    let steady = workload(0, 5.0);
    assert!((backlog(&steady, 10, 60) - 20.0).abs() < 1e-3);
    // From above too, and whether or not it is looked at meanwhile.
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
    // 40 messages on 10 replicas with 4 slots each: all at once, each done after 4 s on average.
    let burst = workload(40, 0.0);
    assert!((backlog(&burst, 10, 4) - 40.0 * (-1.0_f64).exp()).abs() < 1e-6);
    let mut fluid = Fluid::new(&burst, 10);
    fluid.run_to(seconds(60));
    // Fewer than half a message after 4 s times ln(80).
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
    fluid.scale(0, 1, fluid.queue());
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
    assert_eq!(fluid.scale(10, 5, queue), Ended::default());
    assert_eq!((fluid.working, fluid.starting.len()), (4, 1));
    let ended = fluid.scale(5, 2, queue);
    // One has not begun; of four with four messages each, two end.
    assert_eq!((ended.replicas, ended.messages), (2, 8));
    let nearly_idle = Queue {
        visible: 0,
        leased: 1,
    };
    let ended = fluid.scale(2, 0, nearly_idle);
    assert_eq!((ended.replicas, ended.messages), (1, 1));
}

/// Source: Kubernetes `pkg/controller/controller_utils.go`, `ActivePodsWithRanks.Less`: of pods that are not ready, the newest
/// are deleted first.
#[test]
fn of_replicas_that_are_starting_the_newest_end_first() {
    let mut workload = workload(100, 0.0);
    workload.service.start_delay = seconds(30);
    let mut fluid = Fluid::new(&workload, 1);
    fluid.scale(1, 2, Queue::default());
    fluid.run_to(seconds(20));
    fluid.scale(2, 4, Queue::default());
    fluid.scale(4, 2, Queue::default());
    fluid.run_to(seconds(29));
    assert_eq!(fluid.working(), 1);
    fluid.run_to(seconds(30));
    assert_eq!(fluid.working(), 2, "the one that began to start at 0 s");
    fluid.run_to(seconds(60));
    assert_eq!(fluid.working(), 2);
}
