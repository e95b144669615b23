//! Configuration of each consumer, as the Deployment of the manifests has it, at a pace.

use std::path::Path;
use std::time::Duration;

use evidence::pace::Pace;
use manifest::{Document, Manifests, read_plain};
use workflow::duration;

use super::scaling::{ScalingError, count};

/// The grace period of a pod whose spec sets none (Kubernetes, `terminationGracePeriodSeconds`).
const DEFAULT_GRACE: Duration = Duration::from_secs(30);

/// The setting whose value must be whole seconds.
const VISIBILITY: &str = "EDW_VISIBILITY";

/// The setting for the time that a consumer may take to drain.
const GRACE: &str = "EDW_GRACE";

/// Shortest grace period at any pace. A grace period is a limit, so a longer one changes nothing if the work takes less; and on
/// a busy machine the answer to a pending request, for which a drain waits, takes as long at any pace.
const LEAST_GRACE: Duration = Duration::from_secs(3);

/// The consumer's longest pause between two polls of an empty queue, with its default.
const IDLE_POLL_MAX: (&str, Duration) = ("EDW_IDLE_POLL_MAX", Duration::from_secs(5));

/// Configuration of each consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    grace: Duration,
    variables: Vec<(String, String)>,
}

impl Pod {
    /// Reads the Deployment from the kustomization in `dir`.
    pub fn read(dir: &Path) -> Result<Self, ScalingError> {
        Self::of(&read_plain(dir)?, dir)
    }

    pub(super) fn of(documents: &[Document], dir: &Path) -> Result<Self, ScalingError> {
        let manifests = Manifests::from_documents(documents)?;
        let [deployment] = &manifests.deployments[..] else {
            return Err(count(documents, "Deployment", dir));
        };
        let pod = &deployment.spec.template.spec;
        let grace = pod.termination_grace_period_seconds;
        let variables = manifests.config_maps.iter().flat_map(|map| &map.spec);
        // The environment sets the addresses of storage and probes.
        let own = |(name, _): &(&String, &String)| {
            name.starts_with("EDW_") && !["EDW_LISTEN", "EDW_LOG_FORMAT"].contains(&name.as_str())
        };
        Ok(Self {
            grace: grace.map_or(DEFAULT_GRACE, Duration::from_secs),
            variables: variables
                .filter(own)
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        })
    }

    /// Time from SIGTERM to SIGKILL: the drain at this pace, and the rest, in which a consumer hands messages back and which is
    /// the same at any pace.
    pub fn grace(&self, pace: Pace) -> Duration {
        match self.duration(GRACE) {
            Some(drain) => here(GRACE, drain, pace) + self.grace.saturating_sub(drain),
            None => pace.time(self.grace).max(LEAST_GRACE),
        }
    }

    fn duration(&self, variable: &str) -> Option<Duration> {
        let mut variables = self.variables.iter();
        let (_, value) = variables.find(|(name, _)| name == variable)?;
        duration::parse(value).ok()
    }

    /// The visibility timeout at this pace, if the Deployment sets one.
    pub fn lease(&self, pace: Pace) -> Option<Duration> {
        Some(pace.lease(self.duration(VISIBILITY)?))
    }

    /// The consumer's own settings (`EDW_*`), each duration divided by the pace; includes the idle pause, which has a default.
    pub fn variables(&self, pace: Pace) -> Vec<(String, String)> {
        let mut variables = self.variables.clone();
        let (name, default) = IDLE_POLL_MAX;
        if !pace.is_production() && !variables.iter().any(|(each, _)| each == name) {
            variables.push((name.to_owned(), duration::text(default)));
        }
        for (name, value) in &mut variables {
            if let Ok(time) = duration::parse(value) {
                *value = duration::text(here(name, time, pace));
            }
        }
        variables
    }
}

/// Converts a duration of production to this pace.
fn here(variable: &str, production: Duration, pace: Pace) -> Duration {
    match variable {
        VISIBILITY => pace.lease(production),
        GRACE => pace.time(production).max(LEAST_GRACE.min(production)),
        _ => pace.time(production),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn variables(pace: u32) -> Vec<(String, String)> {
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/base");
        let pod = Pod::read(&base).unwrap();
        assert_eq!(pod.grace(Pace::PRODUCTION), Duration::from_secs(35));
        let pace = Pace::new(pace).unwrap();
        let lease = pace.lease(Duration::from_secs(60));
        assert_eq!(pod.lease(pace), Some(lease));
        pod.variables(pace)
    }

    fn pairs<'a>(expected: &[(&'a str, &'a str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        expected.iter().map(owned).collect()
    }

    #[test]
    fn a_consumer_is_told_what_the_base_says() {
        let told = [
            ("EDW_CONCURRENCY", "5"),
            ("EDW_GRACE", "20s"),
            ("EDW_MAX_ATTEMPTS", "10"),
            ("EDW_VISIBILITY", "60s"),
        ];
        assert_eq!(variables(1), pairs(&told));
    }

    #[test]
    fn at_a_pace_its_durations_are_divided_and_its_lease_stays_whole_seconds() {
        let told = [
            ("EDW_CONCURRENCY", "5"),
            ("EDW_GRACE", "3s"),
            ("EDW_MAX_ATTEMPTS", "10"),
            ("EDW_VISIBILITY", "3s"),
            ("EDW_IDLE_POLL_MAX", "200ms"),
        ];
        assert_eq!(variables(25), pairs(&told));
    }

    #[test]
    fn a_drain_is_shorter_at_a_pace_but_never_too_short_for_a_request() {
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s/base");
        let pod = Pod::read(&base).unwrap();
        for (pace, grace_ms) in [(1, 35_000), (4, 20_000), (8, 18_000), (30, 18_000)] {
            let grace = pod.grace(Pace::new(pace).unwrap());
            assert_eq!(grace, Duration::from_millis(grace_ms), "pace {pace}");
        }
    }

    #[test]
    fn the_pause_between_polls_is_the_consumers_own_default() {
        #[derive(Debug, Parser)]
        struct Cli {
            #[command(flatten)]
            args: consumer::Args,
        }
        let flags = [
            "consumer",
            "--account=devstoreaccount1",
            "--queue=queue",
            "--table=table",
        ];
        let args = Cli::try_parse_from(flags).unwrap().args;
        assert_eq!(args.idle_poll_max, IDLE_POLL_MAX.1);
    }
}
