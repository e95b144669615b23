//! Watches of objects: every change in order, resynchronised after a break, until the watch is stopped.
//!
//! The API server ends every watch at times, and forgets old versions (410 Gone). [`watcher`](fn@kube::runtime::watcher) then lists again,
//! with bookmarks if possible. An object that is missing in such a list is reported as gone, so that no end is missed.

use std::collections::HashMap;
use std::fmt::Debug;
use std::time::Duration;

use futures::{StreamExt as _, pin_mut};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::error::said;

/// How long a watch may be broken before the listener is told.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Most changes of a watch that may wait for the listener. When this many wait, the watch waits too, and reads no more of the
/// API server's answer.
pub const WAITING: usize = 64;

/// A change that a watch reports.
#[derive(Debug)]
pub enum Change<K> {
    /// The present state of an object.
    Now(Box<K>),
    /// An object is gone; its last state.
    Gone(Box<K>),
    /// All existing objects have been reported, after the first list or one after a break.
    Complete,
    /// The watch has been broken for this long, for this reason: changes in the meantime may never be known.
    Broken(Duration, String),
}

/// Follows the objects of `api` that `config` selects, and reports every change to `teller`, until `stop`, or until the
/// receiver is dropped. Give `teller` a capacity of [`WAITING`] changes.
pub async fn follow<K>(
    api: Api<K>,
    config: watcher::Config,
    teller: mpsc::Sender<Change<K>>,
    stop: CancellationToken,
) where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let changes = watcher(api, config);
    pin_mut!(changes);
    let mut known: HashMap<String, K> = HashMap::new();
    let mut listed: HashMap<String, K> = HashMap::new();
    let mut broken_since = None;
    loop {
        let Some(Some(change)) = stop.run_until_cancelled(changes.next()).await else {
            return;
        };
        let told = match change {
            Ok(change) => {
                // The start of a new list is no answer yet.
                if !matches!(change, Event::Init) {
                    broken_since = None;
                }
                told(change, &mut known, &mut listed)
            }
            Err(error) => {
                let since = *broken_since.get_or_insert_with(tokio::time::Instant::now);
                tracing::debug!("watch again: {error}");
                let told = (since.elapsed() > PATIENCE)
                    .then(|| Change::Broken(since.elapsed(), reason(&error)));
                // The watcher itself does not pause between two tries. One list per second is little load for an API server
                // that comes back.
                let waited = tokio::time::sleep(Duration::from_secs(1));
                if stop.run_until_cancelled(waited).await.is_none() {
                    return;
                }
                told.into_iter().collect()
            }
        };
        for change in told {
            if teller.send(change).await.is_err() {
                return;
            }
        }
    }
}

fn reason(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => said(error),
        other => other.to_string(),
    }
}

/// The changes for one event of the watcher.
fn told<K: Resource + Clone>(
    event: Event<K>,
    known: &mut HashMap<String, K>,
    listed: &mut HashMap<String, K>,
) -> Vec<Change<K>> {
    match event {
        Event::Init => {
            listed.clear();
            vec![]
        }
        Event::InitApply(object) => {
            listed.insert(identity(&object), object.clone());
            vec![Change::Now(Box::new(object))]
        }
        Event::InitDone => {
            let gone = known.drain().filter(|(uid, _)| !listed.contains_key(uid));
            let mut told: Vec<_> = gone
                .map(|(_, object)| Change::Gone(Box::new(object)))
                .collect();
            *known = std::mem::take(listed);
            told.push(Change::Complete);
            told
        }
        Event::Apply(object) => {
            known.insert(identity(&object), object.clone());
            vec![Change::Now(Box::new(object))]
        }
        Event::Delete(object) => {
            known.remove(&identity(&object));
            vec![Change::Gone(Box::new(object))]
        }
    }
}

/// A name can be reused; a UID never is.
fn identity(object: &impl ResourceExt) -> String {
    object.uid().unwrap_or_else(|| object.name_any())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;

    use super::*;

    fn pod(name: &str) -> Pod {
        let mut pod = Pod::default();
        pod.metadata.name = Some(name.to_owned());
        pod.metadata.uid = Some(format!("uid of {name}"));
        pod
    }

    fn run(events: Vec<Event<Pod>>) -> Vec<String> {
        let (mut known, mut listed) = (HashMap::new(), HashMap::new());
        let told = events
            .into_iter()
            .flat_map(|event| told(event, &mut known, &mut listed));
        let words = told.map(|change| match change {
            Change::Now(pod) => format!("now {}", pod.name_any()),
            Change::Gone(pod) => format!("gone {}", pod.name_any()),
            Change::Complete => "complete".to_owned(),
            Change::Broken(..) => "broken".to_owned(),
        });
        words.collect()
    }

    #[test]
    fn what_is_gone_after_a_break_is_told_as_gone() {
        let told = run(vec![
            Event::Init,
            Event::InitApply(pod("a")),
            Event::InitApply(pod("b")),
            Event::InitDone,
            Event::Apply(pod("c")),
            Event::Delete(pod("b")),
            // A watch that broke, and then a list without `a`.
            Event::Init,
            Event::InitApply(pod("c")),
            Event::InitDone,
        ]);
        let expected = [
            "now a", "now b", "complete", "now c", "gone b", "now c", "gone a", "complete",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn an_object_that_came_back_under_its_name_is_another_one() {
        let mut again = pod("a");
        again.metadata.uid = Some("another".to_owned());
        let told = run(vec![
            Event::Init,
            Event::InitApply(pod("a")),
            Event::InitDone,
            Event::Init,
            Event::InitApply(again),
            Event::InitDone,
        ]);
        assert_eq!(told, ["now a", "complete", "now a", "gone a", "complete"]);
    }
}
