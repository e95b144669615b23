//! What the wire of a run plays, because nobody can do it to a pod from outside: an outage of storage, and a frozen worker.

use std::time::Duration;

use anyhow::{Context as _, bail};
use wire::{FaultKind, Moment, Operation, Rule, Whom, Wire as _};

use super::ClusterStage;
use crate::lock::lock;

impl ClusterStage {
    /// Takes storage away for `time`: the wire resets every request of the run. The storage itself keeps running, with its data,
    /// so this shows what the workload does, and not that the storage of the overlay finds its data again. A Deployment that is
    /// scaled to zero would lose the data of its `emptyDir`, and a Service without endpoints would leave open connections alone.
    pub(super) async fn play_outage(&self, time: Duration) -> anyhow::Result<()> {
        let wire = self.wire.as_ref();
        let wire = wire.context("take storage away: it needs a wire")?;
        let rule = Rule {
            operations: Vec::new(),
            whom: Whom::All,
            ..Rule::on(Operation::Other, FaultKind::Reset(Moment::Before))
        };
        let away = wire.remote.install(rule).await?;
        // The time is that of the outage, so there is no condition to wait for.
        tokio::time::sleep(time).await;
        drop(away);
        Ok(())
    }

    /// Freezes a worker to all others, or thaws it: nobody can stop the process of a pod, so the wire holds all of its requests
    /// back. They go to storage when the worker is thawed, however old they are by then.
    pub(super) async fn freeze(&self, worker: &str, is_frozen: bool) -> anyhow::Result<()> {
        let wire = self
            .wire
            .as_ref()
            .context("freeze a worker: it needs a wire")?;
        if !lock(&self.seen.crew).is_there(worker) {
            bail!("act on {worker}: it does not run");
        }
        let fault = if is_frozen {
            "all requests held back"
        } else {
            "requests let go"
        };
        self.fault(fault, worker)?;
        wire.remote.hold(worker, is_frozen).await
    }
}
