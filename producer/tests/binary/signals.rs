//! Signals: the first ends the run in order, the second immediately.

use nix::sys::signal::Signal;
use producer::Event;

use super::process::{Running, producer_to};
use super::scripted::{Answer, Scripted};

#[test]
fn either_signal_ends_an_endless_run_with_a_complete_summary() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let storage = Scripted::start(|_, _| Answer::Take);
        let mut running = Running::start(producer_to(&storage.endpoint).args(["--rate=200"]));
        running.wait_for(
            |event| matches!(event, Event::Progress(progress) if progress.acknowledged > 0),
        );
        running.signal(signal);
        let ended = running.wait().assert(0, &["stopping"]);
        let summary = ended.summary();
        assert!(summary.interrupted && summary.begun > 0);
        assert_eq!(summary.acknowledged, summary.begun);
        assert_eq!(storage.bodies().len() as u64, summary.begun);
    }
}

#[test]
fn sends_without_an_answer_end_with_the_grace_period_as_unknown() {
    let storage = Scripted::start(|_, _| Answer::Hang);
    let mut command = producer_to(&storage.endpoint);
    command.args([
        "--shape=burst",
        "--messages=100",
        "--concurrency=3",
        "--grace=200ms",
    ]);
    let mut running = Running::start(&mut command);
    running.wait_for(|event| matches!(event, Event::Progress(progress) if progress.in_flight == 3));
    running.signal(Signal::SIGTERM);
    let summary = running.wait().assert(8, &["grace period over"]).summary();
    assert_eq!((summary.begun, summary.unknown), (3, 3));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let storage = Scripted::start(|_, _| Answer::Hang);
    let mut command = producer_to(&storage.endpoint);
    let mut running = Running::start(command.args(["--shape=burst", "--messages=3", "--grace=1h"]));
    running.wait_for(|event| matches!(event, Event::Progress(_)));
    running.signal(Signal::SIGTERM);
    running.wait_for_log("stopping");
    running.signal(Signal::SIGINT);
    running.wait().assert(143, &["exiting at once"]);
}
