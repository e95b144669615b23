//! The flags that choose a cluster, and what is put into it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use cluster::NodeLabel;
use workflow::duration;

use super::images::Images;

/// The overlay of the program.
const OVERLAY: &str = "builtin:k8s/overlays/local";

/// Time after which the namespace of a run that still exists may be removed: longer than any suite.
const LIFE: Duration = Duration::from_secs(4 * 60 * 60);

/// Whether the wire is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    /// With the wire.
    On,
    /// Without the wire: promises that only the wire can check are not judged.
    Off,
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
        })
    }
}

/// Which environment of `harness aks up`; for `--env aks` alone.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "With --env aks")]
pub struct AksArgs {
    /// Name of an environment that `aks up` has created; it sets cluster, storage and overlay
    #[arg(id = "aks_run", long = "aks-run", env = "EDW_AKS_RUN")]
    pub run: Option<String>,
    /// Directory that was given to `aks up` as --out
    #[arg(
        id = "aks_out",
        long = "aks-out",
        env = "EDW_AKS_OUT",
        default_value = "target/aks"
    )]
    pub out: PathBuf,
}

impl AksArgs {
    /// The flags that repeat this choice, each with its value.
    pub fn repeat(&self) -> Vec<(&'static str, String)> {
        let run = self.run.clone().map(|run| ("--aks-run", run));
        let out = self.out.display().to_string();
        let out = (out != "target/aks").then_some(("--aks-out", out));
        run.into_iter().chain(out).collect()
    }
}

/// Which cluster, and what runs in it; all of it for `--env cluster`, and for `--env aks` all but context and overlay.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "With --env cluster")]
pub struct ClusterArgs {
    /// Context of the kubeconfig that leads to the cluster; required, because the current context is never used
    #[arg(long, env = "EDW_CONTEXT")]
    pub context: Option<String>,
    /// Directory of the kustomization that is applied for each run [default: builtin:k8s/overlays/local]
    #[arg(long, env = "EDW_OVERLAY", default_value = OVERLAY, hide_default_value = true)]
    pub overlay: PathBuf,
    /// Image of the consumer [default: that of the overlay]
    #[arg(long, env = "EDW_CONSUMER_IMAGE")]
    pub consumer_image: Option<String>,
    /// Image of the producer [default: `producer` in the consumer's registry and with its tag]
    #[arg(long, env = "EDW_PRODUCER_IMAGE")]
    pub producer_image: Option<String>,
    /// Image of the wire [default: `wire` in the consumer's registry and with its tag]
    #[arg(long, env = "EDW_WIRE_IMAGE")]
    pub wire_image: Option<String>,
    /// Whether the wire, a proxy between workload and storage, records every request and injects the faults of scenarios
    /// [default: on if the overlay has its own storage, or storage uses HTTPS]
    #[arg(long, env = "EDW_WIRE")]
    pub wire: Option<Switch>,
    /// Label of the nodes that scenarios may cordon and drain while they run. No other node is touched, and without this flag
    /// scenarios about nodes do not run. A node that also has the label edw/may-be-deleted=true is deleted if a scenario removes
    /// it for good
    #[arg(long, env = "EDW_DRAIN_NODES", value_name = "KEY=VALUE")]
    pub drain_nodes: Option<NodeLabel>,
    /// Time from the start of a run until `harness sweep` may remove its namespace
    #[arg(long, env = "EDW_NAMESPACE_LIFE", value_parser = duration::parse_positive, default_value = "4h")]
    pub namespace_life: Duration,
    /// Keep the namespace of a run when the run has ended, for inspection
    #[arg(long)]
    pub keep_namespace: bool,
}

impl Default for ClusterArgs {
    fn default() -> Self {
        Self {
            context: None,
            overlay: OVERLAY.into(),
            consumer_image: None,
            producer_image: None,
            wire_image: None,
            wire: None,
            drain_nodes: None,
            namespace_life: LIFE,
            keep_namespace: false,
        }
    }
}

impl ClusterArgs {
    pub(super) fn images(&self) -> Images {
        Images {
            consumer: self.consumer_image.clone(),
            producer: self.producer_image.clone(),
            wire: self.wire_image.clone(),
        }
    }

    /// The name of the overlay in reports.
    pub(super) fn overlay_name(&self) -> String {
        self.overlay.display().to_string()
    }

    /// The flags that repeat this choice, each with its value.
    pub fn repeat(&self) -> Vec<(&'static str, String)> {
        let default = Self::default();
        let overlay = self.overlay.display().to_string();
        let life = duration::text(self.namespace_life);
        let flags = [
            ("--context", self.context.clone()),
            (
                "--overlay",
                (self.overlay != default.overlay).then_some(overlay),
            ),
            ("--consumer-image", self.consumer_image.clone()),
            ("--producer-image", self.producer_image.clone()),
            ("--wire-image", self.wire_image.clone()),
            ("--wire", self.wire.map(|wire| wire.to_string())),
            (
                "--drain-nodes",
                self.drain_nodes.as_ref().map(ToString::to_string),
            ),
            (
                "--namespace-life",
                (self.namespace_life != default.namespace_life).then_some(life),
            ),
        ];
        let given = flags.into_iter();
        let given = given.filter_map(|(flag, value)| Some((flag, value?)));
        // A flag without a value.
        let keeps = self
            .keep_namespace
            .then(|| ("--keep-namespace", String::new()));
        given.chain(keeps).collect()
    }
}
