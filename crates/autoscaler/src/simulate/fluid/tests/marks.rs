//! Tests of what a simulation notes between two looks: since when the queue is empty, its peak, and the longest wait.

use super::*;

fn rates(rates: &[(u64, u32, f64)]) -> Arrivals {
    Arrivals::new(rates.iter().map(|(ms, burst, per_second)| Rates {
        at: Duration::from_millis(*ms),
        burst: *burst,
        per_second: *per_second,
    }))
}

#[test]
fn of_equal_peaks_the_first_counts() {
    let workload = workload(100, 0.0);
    let mut fluid = Fluid::new(&workload, 0);
    fluid.run_to(seconds(15));
    assert_eq!(fluid.take_peak(), (seconds(0), 100));
}

/// 100 messages at once and one each second, all of 100 s: the first of them end at 100 s, also those of the replica that ends.
#[test]
fn a_peak_includes_messages_of_ended_replicas() {
    let mut workload = fixed(100, 200, 0);
    workload.arrivals = rates(&[(0, 100, 1.0)]);
    workload.service.in_flight = 100;
    let mut fluid = Fluid::new(&workload, 4);
    fluid.run_to(seconds(10));
    let ended = fluid.scale(4, 3);
    assert!((ended.messages - 27.5).abs() < 1e-6, "{ended:?}");
    fluid.run_to(seconds(110));
    assert_eq!(fluid.take_peak(), (seconds(100), 200));
}

#[test]
fn half_a_message_counts_as_one() {
    let half = workload(0, 0.5);
    let mut fluid = Fluid::new(&half, 0);
    fluid.run_to(seconds(1));
    assert_eq!(fluid.empty_since(), None);
}

#[test]
fn a_queue_is_empty_since_the_same_time_however_often_it_is_read() {
    for work in [Work::Fixed(seconds(10)), Work::Exponential(seconds(10))] {
        let mut workload = workload(4, 0.0);
        workload.service.work = work;
        let mut once = Fluid::new(&workload, 1);
        once.run_to(seconds(200));
        let since = once.empty_since().unwrap();
        let mut often = Fluid::new(&workload, 1);
        for at in 0..=200 {
            often.run_to(seconds(at));
            let expected = Some(since).filter(|since| *since <= seconds(at));
            assert_eq!(often.empty_since(), expected, "{work:?}, {at} s");
        }
    }
}

/// 0.45 messages within 10 ms, and then one every 25 s, each of 10 s: together more than half a message from 1.25 s to 10 s.
#[test]
fn a_queue_that_fills_and_empties_between_two_looks_is_empty_anew() {
    let mut little = fixed(10, 0, 0);
    little.arrivals = rates(&[(0, 0, 45.0), (10, 0, 0.04)]);
    let mut fluid = Fluid::new(&little, 1);
    fluid.run_to(seconds(1));
    assert_eq!(fluid.empty_since(), Some(seconds(0)));
    fluid.run_to(seconds(20));
    let since = fluid.empty_since().unwrap().as_secs_f64();
    // A step of 2 s.
    assert!((10.0..12.0).contains(&since), "{since}");
}

/// Five messages each second, of which one replica finishes one each second: of those taken at 100 s, the first waited from 20 s on.
#[test]
fn messages_that_come_at_a_rate_wait_for_a_flow() {
    let steady = workload(0, 5.0);
    for every in [1, 7, 100] {
        let mut fluid = Fluid::new(&steady, 1);
        let mut longest = Duration::ZERO;
        for at in (0..=100).step_by(every).chain([100]) {
            fluid.run_to(seconds(at));
            longest = longest.max(fluid.take_longest_wait());
        }
        assert!(longest.abs_diff(seconds(80)) < seconds(2), "{longest:?}");
    }
}
