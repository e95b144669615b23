//! Watching objects: every change in order, resynchronised after a break, until the watch is stopped.
//!
//! The API server ends every watch now and then, and forgets old versions (410 Gone). [`watcher`](fn@kube::runtime::watcher) lists anew then, with
//! bookmarks where it can. An object that is missing from such a list is told as gone, so that the listener misses no end.

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

/// How many changes of a watch may wait for the listener. While so many wait, the watch waits too, and reads no more of the API server's
/// answer.
pub const WAITING: usize = 64;

/// What a watch tells.
#[derive(Debug)]
pub enum Change<K> {
    /// It is so now.
    Now(Box<K>),
    /// It is gone; as it was last seen.
    Gone(Box<K>),
    /// All objects that there are have been told, after the first list or one that followed a break.
    Complete,
    /// The API server could not be watched for so long, for this reason: what happened meanwhile may never be known.
    Broken(Duration, String),
}

/// Follows the objects of `api` that `config` selects, and tells `teller` of every change, until `stop`, or until nobody listens.
/// Give `teller` room for [`WAITING`] changes.
pub async fn follow<K>(
    api: Api<K>,
    config: watcher::Config,
    teller: mpsc::Sender<Change<K>>,
    stop: CancellationToken,
) where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    K::DynamicType: Default + Eq + std::hash::Hash + Clone,
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
                // That a list is about to be asked for is no answer yet.
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
                // The watcher itself does not wait between two tries. A list a second is little for an API server that comes back.
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

/// What follows from one event of the watcher.
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

/// A name can be given again; a UID never is.
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
            // A watch that broke, and a list without `a`.
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
