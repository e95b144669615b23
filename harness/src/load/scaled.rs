//! Loads with scaled consumers: the settings of the autoscaler, and the judgement of whether the model allows the wanted numbers.

use anyhow::Context as _;
use judge::scaling;
use platform::autoscale::Scaling;
use platform::workers::CONSUMERS;
use platform::{Platform, Replicas, WorkerSpec};
use workflow::exit::WrongInput;

use super::LoadArgs;
use crate::conclusion::Part;
use crate::events::Event;
use crate::pace::Pace;
use crate::run::Run;

/// The settings that scale the consumers: those of the environment's own `ScaledObject` if it has one, else those of `--manifests`.
/// `None` if `--consumers` gives a fixed number.
pub(super) fn scaling(args: &LoadArgs, platform: &dyn Platform) -> anyhow::Result<Option<Scaling>> {
    if !args.scaled {
        return Ok(None);
    }
    match platform.scaling()? {
        Some(scaling) => Ok(Some(scaling)),
        None => Ok(Some(of_manifests(args)?)),
    }
}

/// Checks the settings, as far as they are known before anything starts.
pub(super) fn check(args: &LoadArgs) -> anyhow::Result<()> {
    let workload = &args.workload;
    if args.scaled && !workload.environment.profile(workload).has_own_scaling {
        of_manifests(args)?;
    }
    Ok(())
}

fn of_manifests(args: &LoadArgs) -> anyhow::Result<Scaling> {
    let scaling = Scaling::read(&args.manifests, &[], Pace::PRODUCTION);
    scaling.context(WrongInput("scale the consumers"))
}

/// The consumers of the load.
pub(super) fn workers(args: &LoadArgs, scaling: Option<&Scaling>) -> WorkerSpec {
    let mut options = args.consumer();
    let Some(scaling) = scaling else {
        return WorkerSpec {
            group: CONSUMERS,
            replicas: Replicas::Fixed(args.consumers),
            options,
            grace: args.patience().drain,
        };
    };
    options.variables = scaling.pod.variables(Pace::PRODUCTION);
    WorkerSpec {
        group: CONSUMERS,
        replicas: Replicas::Scaled(Box::new(scaling.clone())),
        options,
        grace: scaling.pod.grace(Pace::PRODUCTION),
    }
}

/// Compares the numbers of consumers that were wanted so far, for each queue separately, with what the model of KEDA and the HPA allows.
pub(super) fn judged(run: &Run, scaled: &Scaling) -> anyhow::Result<Vec<Part>> {
    let settings = scaled.effective();
    let names = &run.store().names.queues;
    let mut parts = Vec::new();
    for (recording, name) in run.scaling().iter().zip(names) {
        let (mut allowed, _) = recording.allowed(&settings, recording.age());
        allowed.queue = (names.len() > 1).then(|| name.clone());
        let untold = crate::run::loops(recording, &settings).untold();
        let queue = allowed.queue.as_deref();
        parts.extend(scaling::part_of(&allowed.excursions, untold, queue));
        run.record(Event::Allowed(Box::new(allowed)))?;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &[&str]) -> anyhow::Result<LoadArgs> {
        LoadArgs::from_words(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn a_load_is_scaled_or_has_its_number_of_consumers() {
        let scaled = args(&["--scaled", "--queues=20"]).unwrap();
        assert_eq!(
            scaled.misspread(),
            None,
            "each queue has as many as it needs"
        );
        let repeated = scaled.repeat(7);
        assert!(repeated.contains(" --scaled "), "{repeated}");
        assert!(!repeated.contains("--consumers"), "{repeated}");
        for other in ["--consumers=3", "--find-rate"] {
            let refused = args(&["--scaled", other]).unwrap_err();
            let told = format!("{refused:#}");
            assert!(told.contains("cannot be used with"), "{told}");
        }
    }

    #[test]
    fn consumers_that_are_scaled_are_told_what_the_deployment_says_unless_a_flag_does() {
        let args = args(&["--scaled", "--concurrency=9"]).unwrap();
        let scaling = of_manifests(&args).unwrap();
        let workers = workers(&args, Some(&scaling));
        assert_eq!(workers.grace.as_secs(), 35);
        let says = |name: &str, value: &str| {
            let pair = (name.to_owned(), value.to_owned());
            workers.options.variables.contains(&pair)
        };
        assert!(says("EDW_VISIBILITY", "60s"));
        assert_eq!(workers.options.concurrency, Some(9));
        assert!(matches!(workers.replicas, Replicas::Scaled(_)));
    }

    #[test]
    fn manifests_that_scale_nothing_are_refused_before_anything_starts() {
        let empty = tempfile::tempdir().unwrap();
        let manifests = format!("--manifests={}", empty.path().display());
        let refused = check(&args(&["--scaled", &manifests]).unwrap()).unwrap_err();
        assert_eq!(crate::exit::exit_of(&refused), workflow::exit::Exit::Usage);
        check(&args(&[&manifests]).unwrap()).unwrap();
    }
}
