//! Tests of service as a flow.

use super::*;

fn near(value: f64, expected: f64) -> bool {
    (value - expected).abs() < 1e-9
}

/// Replicas with two slots each.
fn flow(work: Work, replicas: u32) -> Flow {
    let mut flow = Flow::new(work, 2.0);
    flow.start(replicas);
    flow
}

/// Six slots, all busy, of which two end; half of the messages are finished within the grace, later ones ever later.
#[test]
fn a_part_of_exponential_work_is_finished_within_the_grace() {
    let grace = 4.0 * 2.0_f64.ln();
    let cut = flow(Work::Exponential(seconds(4)), 3).end(1, 10.0, grace, 30.0);
    assert!(
        near(cut.replicas, 1.0) && near(cut.messages, 2.0),
        "{cut:?}"
    );
    assert!(near(cut.lost, 1.0), "{cut:?}");
    // In the middle of each of four parts of the half.
    let expected = [1.0, 3.0, 5.0, 7.0].map(|part| 10.0 - 4.0 * (1.0 - part / 16.0_f64).ln());
    assert_eq!(cut.finishing.len(), 4);
    for ((at, messages), expected) in cut.finishing.iter().zip(expected) {
        assert!(near(*at, expected) && near(*messages, 0.25), "{cut:?}");
    }
    // Two messages on three replicas.
    let few = flow(Work::Exponential(seconds(4)), 3).end(1, 10.0, grace, 2.0);
    assert!(near(few.replicas, 2.0 / 3.0) && near(few.messages, 2.0 / 3.0));
}

#[test]
fn work_that_takes_no_time_is_never_cut_off() {
    let cut = flow(Work::Fixed(seconds(0)), 1).end(1, 10.0, 0.0, 2.0);
    assert!(near(cut.messages, 2.0) && near(cut.lost, 0.0), "{cut:?}");
}

#[test]
fn waiting_messages_are_taken_at_the_rate_that_arrivals_leave() {
    // One message per second is finished.
    let flow = flow(Work::Exponential(seconds(4)), 2);
    assert!(near(flow.none_waits(10.0, 0.5), 20.0));
    assert!(flow.none_waits(10.0, 2.0).is_infinite());
    assert!(near(flow.none_waits(0.0, 2.0), 0.0));
}

/// Four slots of 0.5 s each: eight messages per second.
#[test]
fn short_work_is_finished_evenly() {
    let flow = flow(Work::Fixed(Duration::from_millis(500)), 2);
    for (lasts, per_second, before, expected, empty) in [
        // More arrive than are finished.
        (3.0, 10.0, 5.0, 11.0, None),
        // Fewer messages than are in work in the long run, which is a half of those of a second.
        (0.25, 4.0, 0.5, 1.5, None),
        (3.0, 4.0, 0.5, 2.0, None),
        // More than that.
        (3.0, 2.0, 30.0, 12.0, None),
        (3.0, 2.0, 10.0, 1.0, None),
        // Less than half a message is none.
        (3.0, 0.0, 10.0, 0.0, Some(11.1875)),
        (3.0, 0.0, 0.5, 0.0, Some(10.0)),
        (3.0, 0.0, 0.25, 0.0, None),
        (1.1875, 0.0, 10.0, 0.5, None),
    ] {
        let mut backlog = before;
        let told = flow.serve(10.0, 10.0 + lasts, per_second, &mut backlog);
        assert!(near(backlog, expected), "{before}: {backlog}");
        assert_eq!(told, empty, "{before}, {per_second} per second, {lasts} s");
    }
}

/// Four slots of 4 s each: one message per second, and `arrivals * 4 s` messages in the long run.
#[test]
fn exponential_work_nears_what_arrives_in_its_mean_time() {
    let flow = flow(Work::Exponential(seconds(4)), 2);
    let ln = f64::ln;
    let left = 4.0 * ln(6.0);
    for (from, lasts, per_second, before, expected, empty) in [
        // All slots are busy after 4 s times ln(6 / 4), and then the queue grows by one per second.
        (10.0, 10.0, 2.0, 2.0, 4.0 + 10.0 - 4.0 * ln(1.5), None),
        // 0.2 messages in the long run: half a message after 4 s times ln(2.8 / 0.3).
        (
            10.0,
            30.0,
            0.05,
            3.0,
            0.2 + 2.8 * (-7.5_f64).exp(),
            Some(10.0 + 4.0 * ln(2.8 / 0.3)),
        ),
        // It has not become empty, or was so before.
        (10.0, 4.0, 0.0, 0.25, 0.25 * (-1.0_f64).exp(), None),
        (10.0, 4.0, 0.5, 1.0, 2.0 - (-1.0_f64).exp(), None),
        // Exactly half a message is one.
        (0.0, left, 0.0, 3.0, 0.5, None),
    ] {
        let mut backlog = before;
        let told = flow.serve(from, from + lasts, per_second, &mut backlog);
        assert!(near(backlog, expected), "{before}: {backlog}");
        assert_eq!(told.is_some(), empty.is_some(), "{before}: {told:?}");
        assert!(near(told.unwrap_or(0.0), empty.unwrap_or(0.0)), "{told:?}");
    }
}
