//! The environments that `--env` names. All that depends on the name is here: what comes from a platform itself is in its
//! [`Profile`].

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum as _;
use project::shell::word;
use workflow::exit::WrongInput;

use crate::cluster::Cluster;
use crate::local::{Local, StorageChoice, Workload, WorkloadArgs};
use crate::{Platform, Profile};

/// Where the workload can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum EnvironmentName {
    /// Processes on this machine; the storage is what --storage says, the autoscaler is a model, nodes are simulated
    #[default]
    Local,
    /// Pods in a Kubernetes cluster that has KEDA; --context names the cluster
    Cluster,
    /// Pods in Azure Kubernetes Service, with Azure Storage and Spot nodes; `aks up` creates the environment
    Aks,
}

impl EnvironmentName {
    /// What its platform offers; known before the platform starts.
    pub fn profile(self, args: &WorkloadArgs) -> Profile {
        match self {
            Self::Local => Local::profile(),
            Self::Cluster => Cluster::profile(&args.cluster),
            Self::Aks => Cluster::profile_on_aks(&args.cluster),
        }
    }

    /// Starts its platform.
    async fn start(
        self,
        args: &WorkloadArgs,
        workload: Workload,
        storage: StorageChoice,
        scratch: &Path,
    ) -> anyhow::Result<Arc<dyn Platform>> {
        Ok(match self {
            Self::Local => Arc::new(Local::start(workload, storage, scratch).await?),
            Self::Cluster => Arc::new(Cluster::connect(&args.cluster, &workload).await?),
            Self::Aks => Arc::new(Cluster::connect_aks(&args.aks, &args.cluster, &workload).await?),
        })
    }

    /// The flags of this environment that the user has given in `args`, each with its value; a switch has an empty one.
    fn flags(self, args: &WorkloadArgs) -> Vec<(&'static str, String)> {
        match self {
            Self::Local => Vec::new(),
            Self::Cluster => args.cluster.repeat(),
            Self::Aks => [args.aks.repeat(), args.cluster.repeat()].concat(),
        }
    }

    /// The flags that repeat this choice, quoted for a shell; `None` for the default.
    pub(crate) fn repeat(self, args: &WorkloadArgs) -> Option<String> {
        let name = self.to_possible_value();
        let name = name.expect("every environment must have a name");
        let flags = self.flags(args).into_iter();
        let flags = flags.map(|(flag, value)| match value.as_str() {
            "" => format!(" {flag}"),
            value => format!(" {flag} {}", word(value)),
        });
        let repeated = format!("--env {}{}", name.get_name(), flags.collect::<String>());
        (self != Self::default()).then_some(repeated)
    }
}

/// A flag of `args` that the chosen environment does not heed, and what to do. Variables do not count, since they may be set for other
/// commands, except for the consumer's command: another consumer would be judged than is meant. `variable` reads one.
fn unheeded(args: &WorkloadArgs, variable: impl Fn(&str) -> Option<OsString>) -> Option<String> {
    let is_flag = |flag: &str, value: &str| {
        let name = flag.trim_start_matches("--").replace('-', "_");
        let set = variable(&format!("EDW_{}", name.to_uppercase()));
        set.is_none_or(|set| set != value)
    };
    if args.environment == EnvironmentName::Local {
        let flags = [args.cluster.repeat(), args.aks.repeat()].concat();
        let (flag, _) = flags.iter().find(|(flag, value)| is_flag(flag, value))?;
        return Some(format!(
            "{flag} is for pods; say --env cluster (or aks), or leave it out"
        ));
    }
    if args.consumer_command.is_some() {
        return Some(
            "pods are made from images, and --consumer-command (EDW_CONSUMER_COMMAND) starts no pod; name the consumer's image with \
             --consumer-image, and describe a worker of your own with --workload"
                .to_owned(),
        );
    }
    let storage = args.storage?.to_possible_value()?;
    is_flag("--storage", storage.get_name()).then(|| {
        "--storage is for runs on this machine; pods use the storage that the overlay names"
            .to_owned()
    })
}

/// Starts the platform that `--env` names. Files that are no evidence go below `scratch`.
pub async fn start(
    args: &WorkloadArgs,
    workload: Workload,
    storage: StorageChoice,
    scratch: &Path,
) -> anyhow::Result<Arc<dyn Platform>> {
    const MISPLACED: WrongInput = WrongInput("choose where the workload runs");
    if let Some(why) = unheeded(args, |name| std::env::var_os(name)) {
        return Err(anyhow::anyhow!(why).context(MISPLACED));
    }
    args.environment
        .start(args, workload, storage, scratch)
        .await
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn a_flag_that_the_environment_does_not_heed_is_refused_and_a_variable_is_not() {
        let of = |words: &[&str]| unheeded(&args(words), |_| None);
        for (words, told) in [
            (&["--context=kind"][..], "--context is for pods"),
            (&["--overlay=k8s/overlays/local"], "--overlay is for pods"),
            (&["--keep-namespace"], "--keep-namespace is for pods"),
            (&["--aks-run=n1"], "--aks-run is for pods"),
            (
                &["--env=cluster", "--consumer-command=python3 worker.py"],
                "pods are made from images",
            ),
            (
                &["--env=aks", "--storage=engine"],
                "--storage is for runs on this machine",
            ),
        ] {
            let found = of(words).unwrap();
            assert!(found.starts_with(told), "{found}");
        }
        for words in [
            &[][..],
            &["--consumer-command=worker", "--storage=engine"],
            &["--env=cluster", "--context=kind", "--wire=off"],
        ] {
            assert_eq!(of(words), None, "{words:?}");
        }
        let kind = |name: &str| (name == "EDW_CONTEXT").then(|| "kind".into());
        assert_eq!(unheeded(&args(&["--context=kind"]), kind), None);
        assert!(unheeded(&args(&["--context=other"]), kind).is_some());
    }

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: WorkloadArgs,
    }

    fn args(words: &[&str]) -> WorkloadArgs {
        Cli::try_parse_from(["harness"].iter().chain(words))
            .unwrap()
            .args
    }

    #[test]
    fn an_environment_is_repeated_with_its_own_flags_and_the_default_is_not() {
        assert_eq!(args(&["--context", "kind"]).repeat(), None);
        let cluster = args(&["--env=cluster", "--context", "a b"]).repeat();
        assert_eq!(cluster.as_deref(), Some("--env cluster --context 'a b'"));
        let aks = args(&["--env=aks", "--aks-run=n1", "--wire=off"]).repeat();
        let told = "--env aks --aks-run n1 --wire off";
        assert_eq!(aks.as_deref(), Some(told));
        let kept = args(&["--env=cluster", "--context=a", "--keep-namespace"]).repeat();
        let told = "--env cluster --context a --keep-namespace";
        assert_eq!(kept.as_deref(), Some(told));
    }

    /// A pod is made from an image: its description needs no command, on Azure as on any cluster.
    #[test]
    fn workers_are_pods_wherever_a_cluster_runs_them() {
        for environment in EnvironmentName::value_variants() {
            let name = environment.to_possible_value().unwrap();
            let args = args(&["--env", name.get_name()]);
            let profile = environment.profile(&args);
            let is_local = *environment == EnvironmentName::Local;
            assert_eq!(profile.has_pods, !is_local, "{environment:?}");
            assert_eq!(profile.has_own_scaling, !is_local, "{environment:?}");
            let workload = Workload::chosen(Path::new("harness"), &args).unwrap();
            assert_eq!(workload.in_pods, !is_local, "{environment:?}");
        }
    }
}
