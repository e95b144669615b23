//! Spot notices: polls the endpoint of the node's scheduled events every second, with the mutants' reactions to an event.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use workflow::exit::Exit;
use workflow::shutdown::Signals;

use crate::mutation::Mutation;

const EVERY: Duration = Duration::from_secs(1);

/// An interval that is too long: a notice of 3 s is then seen too late, if at all.
const TOO_SELDOM: Duration = Duration::from_millis(2_600);

/// How long a mutant goes on after a notice: longer than the 15 s that the scenario allows, which are 2 s at its pace here.
const AFTER_NOTICE: Duration = Duration::from_secs(3);

/// How long a mutant goes on after SIGTERM: longer than the 3 s that the scenario allows, and shorter than the 10 s that it has to end.
const AFTER_SIGTERM: Duration = Duration::from_secs(5);

/// Cancels `stop` at the first signal, and `hurry` as well if it comes during the drain of a notice; exits at the second.
pub(crate) async fn heed(
    mutation: Mutation,
    mut signals: Signals,
    stop: CancellationToken,
    told: CancellationToken,
    hurry: CancellationToken,
) {
    signals.next().await;
    if told.is_cancelled() {
        hurry.cancel();
    }
    if mutation == Mutation::ReceivesAfterSigterm {
        sleep(AFTER_SIGTERM).await;
    }
    stop.cancel();
    signals.next().await;
    std::process::exit(i32::from(Exit::Forced.code()));
}

/// Polls `endpoint`, if there is one, and cancels `told` once an event evicts `node`.
pub(crate) async fn watch(
    mutation: Mutation,
    endpoint: Option<String>,
    node: String,
    told: CancellationToken,
) {
    let Some(endpoint) = endpoint else { return };
    let every = match mutation {
        Mutation::LooksTooSeldom => TOO_SELDOM,
        _ => EVERY,
    };
    let looks = match mutation {
        Mutation::StopsLooking => 2,
        _ => usize::MAX,
    };
    let client = reqwest::Client::builder().no_proxy().build();
    let client = client.expect("a plain client must build");
    for _ in 0..looks {
        let request = client.get(&endpoint).header("Metadata", "true").send();
        if let Ok(answer) = request.await
            && let Ok(text) = answer.text().await
            && evicts(&text, &node)
        {
            told.cancel();
            return;
        }
        sleep(every).await;
    }
}

fn evicts(document: &str, node: &str) -> bool {
    let document: serde_json::Value = serde_json::from_str(document).unwrap_or_default();
    let events = document["Events"].as_array().map_or(&[][..], Vec::as_slice);
    events.iter().any(|event| {
        let resources = event["Resources"].as_array();
        event["EventType"] == "Preempt"
            && resources.is_some_and(|names| names.iter().any(|name| name == node))
    })
}

/// Delays the end of a mutant after the drain that a notice began.
pub(crate) async fn stay(mutation: Mutation, told: &CancellationToken) {
    if mutation == Mutation::StaysAfterNotice && told.is_cancelled() {
        std::future::pending::<()>().await;
    }
}

/// Waits until the consumer is told to stop; each mutant then reacts in its own way. Never returns.
pub(crate) async fn obey(
    mutation: Mutation,
    told: &CancellationToken,
    stop: &CancellationToken,
) -> Infallible {
    told.cancelled().await;
    match mutation {
        // This one ends by itself.
        Mutation::DropsLeasesAtNotice | Mutation::IgnoresNotice => {}
        Mutation::ReceivesAfterNotice => {
            sleep(AFTER_NOTICE).await;
            stop.cancel();
        }
        _ => stop.cancel(),
    }
    std::future::pending().await
}
