//! A load whose storage ends or becomes unreachable during the run reports that soon, and ends in order.

use std::time::{Duration, Instant};

use azurite::Azurite;
use harness::events::Event;
use harness::outcome::Outcome;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::timeout;

use super::DEADLINE;
use super::load::Running;

/// An emulator that the load uses by its address, and that the test can kill.
async fn given() -> (Azurite, Vec<(&'static str, String)>) {
    let azurite = Azurite::builder()
        .source(azurite::Source::Npm)
        .start()
        .await;
    let azurite = azurite.expect("Azurite must start");
    let variables = vec![
        ("EDW_AZURITE_SOURCE", "address".to_owned()),
        ("EDW_AZURITE_QUEUE_URL", azurite.queue_url()),
        ("EDW_AZURITE_TABLE_URL", azurite.table_url()),
        ("EDW_STORAGE_PATIENCE", "3s".to_owned()),
    ];
    (azurite, variables)
}

/// The outcome and reasons in the log of `load`. Checks that none of its processes is left.
fn end(load: &Running) -> (Outcome, Vec<String>) {
    let (left, mut lost, mut end) = (load.left(), None, None);
    for event in load.events() {
        match event {
            Event::StorageLost { how } => lost = Some(how),
            Event::Finished {
                outcome, reasons, ..
            } => end = Some((outcome, reasons)),
            _ => {}
        }
    }
    let (outcome, reasons): (_, Vec<String>) = end.expect("an end");
    assert!(left.is_empty(), "{left:?} are left after {reasons:?}");
    assert!(
        lost.iter().all(|how| reasons.contains(how)),
        "{lost:?} in {reasons:?}"
    );
    (outcome, reasons)
}

/// The emulator that `load` has started from npm.
#[cfg(target_os = "linux")]
fn own_storage(load: &Running) -> Pid {
    let children = super::killed::children(load.pid());
    let azurite = children
        .iter()
        .find(|(_, command)| command.contains("azurite.js"));
    azurite.expect("an emulator").0
}

#[cfg(target_os = "linux")]
async fn a_load_whose_own_storage_is_killed_is_inconclusive_and_says_so() {
    let mut load = Running::start(&[("EDW_AZURITE_SOURCE", "npm".to_owned())]).await;
    load.flows().await;
    let killed = Instant::now();
    kill(own_storage(&load), Signal::SIGKILL).expect("it must run");
    let (status, said) = load.end().await;
    assert_eq!(status.code(), Some(11), "{said}");
    assert!(
        killed.elapsed() < Duration::from_secs(40),
        "{:?}",
        killed.elapsed()
    );
    let (outcome, reasons) = end(&load);
    assert_eq!(
        (outcome, reasons.len()),
        (Outcome::Inconclusive, 1),
        "{reasons:?}"
    );
    assert!(
        reasons[0].starts_with("storage ended by itself: Azurite, process "),
        "{reasons:?}"
    );
    assert!(reasons[0].contains("signal: 9 (SIGKILL)"), "{reasons:?}");
    let sampled = |event: &Event| matches!(event, Event::Sample(now) if now.sent > Some(0));
    assert!(load.events().iter().any(sampled));
}

async fn a_load_whose_given_storage_goes_away_is_inconclusive_after_a_while() {
    let (azurite, variables) = given().await;
    let mut load = Running::start(&variables).await;
    load.flows().await;
    azurite.stop().await;
    let (status, said) = load.end().await;
    assert_eq!(status.code(), Some(11), "{said}");
    let (outcome, reasons) = end(&load);
    assert_eq!(outcome, Outcome::Inconclusive);
    assert!(
        reasons[0].starts_with("storage was out of reach for 3s: "),
        "{reasons:?}"
    );
}

async fn a_signal_is_incomplete_also_when_storage_is_gone() {
    let (azurite, variables) = given().await;
    let mut load = Running::start(&variables).await;
    load.flows().await;
    azurite.stop().await;
    // Before the load's patience is over: it depends on timing whether the load still notices the loss, or only sees the next request fail.
    load.signal(Signal::SIGTERM);
    let (status, said) = load.end().await;
    assert_eq!(status.code(), Some(12), "{said}");
    let (outcome, reasons) = end(&load);
    assert_eq!(outcome, Outcome::Incomplete);
    assert_eq!(reasons[0], "stopped by a signal", "{reasons:?}");
    let gone = ["storage was out of reach", "storage is unreachable"];
    assert!(
        gone.iter().any(|words| reasons[1].contains(words)),
        "{reasons:?}"
    );
}

#[tokio::test]
async fn a_load_that_loses_its_storage_ends_and_says_how_it_was_lost() {
    let all = async {
        tokio::join!(
            async {
                #[cfg(target_os = "linux")]
                a_load_whose_own_storage_is_killed_is_inconclusive_and_says_so().await;
            },
            a_load_whose_given_storage_goes_away_is_inconclusive_after_a_while(),
            a_signal_is_incomplete_also_when_storage_is_gone()
        )
    };
    timeout(2 * DEADLINE, all).await.expect("all must end");
}
