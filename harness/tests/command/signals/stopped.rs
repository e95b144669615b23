//! A load that is asked to stop reports that it was cut off.

use harness::events::Event;
use harness::outcome::Outcome;
use nix::sys::signal::{Signal, kill};
use tokio::time::timeout;

use super::DEADLINE;
use super::load::Running;

/// Sends `signal` to a load once messages are sent.
async fn a_load_is_cut_off_by(signal: Signal) {
    let mut load = Running::start(&[]).await;
    load.flows().await;
    load.signal(signal);
    let (status, said) = load.end().await;
    assert_eq!(status.code(), Some(12), "{said}");

    let (mut started, mut reasons) = (0, Vec::new());
    for event in load.events() {
        match event {
            Event::ProcessStarted { pid: Some(_), .. } => started += 1,
            Event::Audited(audit) => assert_eq!(audit.fates.lost, 0),
            Event::Finished {
                outcome,
                reasons: why,
                ..
            } => {
                assert_eq!(outcome, Outcome::Incomplete);
                reasons = why;
            }
            _ => {}
        }
    }
    assert_eq!(started, 3, "a producer and two consumers");
    assert_eq!(load.left(), [""; 0]);
    assert!(
        reasons.iter().any(|why| why == "stopped by a signal"),
        "{reasons:?}"
    );
}

/// Whether this process, and so every process that it starts, ignores SIGHUP: under `nohup`, a load is meant to go on.
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}

#[tokio::test]
async fn ctrl_c_sigterm_and_a_closed_terminal_end_a_load_in_order_and_leave_no_process() {
    let mut signals = vec![Signal::SIGINT, Signal::SIGTERM];
    if ignores_hangups() {
        eprintln!("signals: a closed terminal NOT RUN: SIGHUP is ignored here");
    } else {
        signals.push(Signal::SIGHUP);
    }
    let all = signals.into_iter().map(a_load_is_cut_off_by);
    timeout(DEADLINE, futures::future::join_all(all))
        .await
        .expect("all must end");
}

/// A load that is draining: its consumers are in the middle of work that takes longer than this test may.
async fn drains() -> Running {
    let arguments = ["--work=fixed:10m", "--settle=1s", "--concurrency=2"];
    let load = Running::start_with(&arguments, &[]).await;
    // More than one of them can have: a consumer that has nothing in hand ends at once.
    load.until(|event| matches!(event, Event::Sample(now) if now.in_hand > Some(2)))
        .await;
    load.signal(Signal::SIGINT);
    load.until(|event| matches!(event, Event::Phase { name } if name == "drain"))
        .await;
    load
}

async fn a_second_signal_ends_a_load_that_drains_at_once() {
    let mut load = drains().await;
    assert!(load.left().len() >= 2, "both consumers are at work");
    load.signal(Signal::SIGINT);
    let (status, said) = load.end().await;
    assert_eq!(status.code(), Some(12), "{said}");
    let events = load.events();
    let audited = events
        .iter()
        .any(|event| matches!(event, Event::Audited(_)));
    assert!(!audited, "nothing was waited for, and nothing judged");
    let Some(Event::Finished {
        outcome, reasons, ..
    }) = events.last()
    else {
        unreachable!("the last event must be the end: {:?}", events.last());
    };
    assert_eq!(*outcome, Outcome::Incomplete);
    assert_eq!(*reasons, ["stopped by a signal"]);
    assert_eq!(load.left(), [""; 0]);
}

#[tokio::test]
async fn a_second_signal_is_heard_while_a_load_drains() {
    let ended = a_second_signal_ends_a_load_that_drains_at_once();
    timeout(DEADLINE, ended).await.expect("it must end");
}

/// How long the harness is stopped, as when the lid of a laptop is closed.
const STOPPED: std::time::Duration = std::time::Duration::from_secs(2);

#[tokio::test]
async fn a_harness_that_was_stopped_for_a_while_says_so_and_blames_no_consumer() {
    let mut load = Running::start(&[]).await;
    load.flows().await;
    kill(load.pid(), Signal::SIGSTOP).expect("it must run");
    // This test is about the time that passes here.
    tokio::time::sleep(STOPPED).await;
    kill(load.pid(), Signal::SIGCONT).expect("it must still be there");
    // The harness records requests that come afterwards.
    let requests = load.events().len();
    let mut look = tokio::time::interval(super::LOOK);
    while load.events().len() < requests + 4 {
        look.tick().await;
    }
    load.signal(Signal::SIGTERM);
    let (_, said) = load.end().await;
    let audit = load.events().into_iter().find_map(|event| match event {
        Event::Audited(audit) => Some(audit),
        _ => None,
    });
    let audit = audit.unwrap_or_else(|| panic!("no audit: {said}"));
    assert_eq!(audit.findings, [], "{said}");
    let storage = audit.traffic.expect("a history").storage;
    assert!(storage.paused_ms >= 1_000, "{storage}");
    assert!(
        storage
            .to_string()
            .contains("the harness itself stood still for"),
        "{storage}"
    );
}
