//! Finds pods that wait for something that will not come.

use std::time::Duration;

use tokio::time::Instant;

use super::Crew;

/// Time limit for a condition that does not mend by itself, such as an image that cannot be pulled.
pub(super) const START: Duration = Duration::from_secs(60);

/// Waiting reasons of a container that do not mend by themselves.
const HOPELESS: [&str; 6] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
];

impl Crew {
    /// Why a pod will not start, if there is such a pod.
    pub(in super::super) fn trouble(&self, now: Instant) -> Option<String> {
        self.pods.values().find_map(|member| {
            let why = member.view.waits_for.as_ref()?;
            let since = member.waits?;
            let is_hopeless = HOPELESS.iter().any(|reason| why.starts_with(reason));
            (is_hopeless && now - since >= START)
                .then(|| format!("start {}: {why}", member.view.name))
        })
    }

    /// Why a pod has had no node for `patience`, if there is such a pod.
    pub(in super::super) fn unplaced(&self, now: Instant, patience: Duration) -> Option<String> {
        self.pods.values().find_map(|member| {
            let why = member.view.unplaced()?;
            let (since, name) = (member.waits?, &member.view.name);
            (now - since >= patience)
                .then(|| format!("{name} has had no node for {patience:?}: {why}"))
        })
    }
}
