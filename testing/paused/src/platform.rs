//! The platform and the stage of one run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::bail;
use async_trait::async_trait;
use harness::audit::StorageNames;
use harness::events::Fact;
use harness::pace::Paces;
use harness::wire::Wire;
use platform::autoscale::{Driven, Scaler, ScalingRecord};
use platform::storage::{Beside, Store};
use platform::{
    Clock, Identities, Need, Nodes, Offers, Platform, Profile, Sender, Stage, StagePlan,
    StorageNeed, Workers,
};
use workflow::memory::{MemoryQueue, MemoryTable};

use crate::memory::Memory;
use crate::sabotage::{Sabotage, Sound};
use crate::sender::Task;
use crate::workers::Crew;

const EVIDENCE: &str = "tasks of one process, storage in memory, a paused clock";

/// This process as a platform.
#[derive(Debug, Clone)]
pub struct Paused {
    sabotage: Arc<dyn Sabotage>,
}

impl Paused {
    /// A platform without faults.
    pub fn sound() -> Self {
        Self::broken(Sound)
    }

    /// A platform with the faults of `sabotage`.
    pub fn broken(sabotage: impl Sabotage + 'static) -> Self {
        Self {
            sabotage: Arc::new(sabotage),
        }
    }
}

#[async_trait]
impl Platform for Paused {
    fn name(&self) -> &'static str {
        "paused"
    }

    fn profile(&self) -> Profile {
        let lacking = [
            Need::Wire,
            Need::Freeze,
            Need::Outage,
            Need::Authority,
            Need::Kubelet,
            Need::Nodes,
            Need::Cluster,
            Need::Aks,
        ];
        Profile {
            offers: Offers::all().without(&lacking),
            paces: Paces::PRODUCTION,
            nodes: "none",
            has_own_scaling: false,
            has_pods: false,
            node_comes: Duration::ZERO,
        }
    }

    fn evidence(&self) -> String {
        EVIDENCE.to_owned()
    }

    fn clock(&self) -> Clock {
        Clock::Paused
    }

    fn versions(&self) -> Vec<Fact> {
        vec![Fact::new("harness", env!("CARGO_PKG_VERSION"))]
    }

    async fn open(&self, plan: StagePlan) -> anyhow::Result<Box<dyn Stage>> {
        if plan.queues != 1 {
            bail!("open a stage with {} queues: here is one", plan.queues);
        }
        if plan.nodes.is_some() || matches!(plan.storage, StorageNeed::SignedIn(_)) {
            bail!("offer nodes or a sign-in: this platform has neither");
        }
        let memory = Memory {
            queue: MemoryQueue::new("work"),
            poison: MemoryQueue::new("work-poison"),
            table: MemoryTable::new("results"),
        };
        let store = Store {
            run: plan.identity.run.clone(),
            queue: Arc::new(memory.queue.clone()),
            queues: vec![Arc::new(memory.queue.clone())],
            poison: Some(Arc::new(memory.poison.clone())),
            table: Arc::new(memory.table.clone()),
            beside: Beside::default(),
            names: StorageNames::default(),
            lens: workflow::contract::workload::Lens::own(plan.identity.run.clone()),
        };
        store.create().await?;
        Ok(Box::new(Rehearsal {
            crew: Crew::new(memory.clone(), &plan, self.sabotage.clone()),
            sabotage: self.sabotage.clone(),
            scaler: Mutex::default(),
            memory,
            store,
            plan,
        }))
    }

    async fn storage_lost(&self) -> Option<String> {
        None
    }
}

/// The stage of one run.
pub(crate) struct Rehearsal {
    pub(crate) plan: StagePlan,
    memory: Memory,
    store: Store,
    crew: Arc<Crew>,
    sabotage: Arc<dyn Sabotage>,
    scaler: Mutex<Option<Scaler>>,
}

impl Rehearsal {
    fn scaler(&self) -> MutexGuard<'_, Option<Scaler>> {
        self.scaler.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Stage for Rehearsal {
    fn evidence(&self) -> String {
        EVIDENCE.to_owned()
    }

    fn storage(&self) -> &Store {
        &self.store
    }

    fn workers(&self) -> &dyn Workers {
        self
    }

    fn wire(&self) -> Option<Arc<dyn Wire>> {
        None
    }

    fn scaling(&self) -> Vec<ScalingRecord> {
        self.scaler().iter().map(Scaler::recording).collect()
    }

    fn nodes(&self) -> Option<&dyn Nodes> {
        None
    }

    async fn send(
        &self,
        arguments: &[String],
        generators: u32,
    ) -> anyhow::Result<Vec<Box<dyn Sender>>> {
        anyhow::ensure!(
            generators == 1,
            "send: here is one generator, not {generators}"
        );
        let task = Task::start(arguments, self.memory.queue.clone())?;
        Ok(vec![Box::new(task)])
    }

    async fn outage(&self, _: Duration) -> anyhow::Result<()> {
        bail!("take storage away: it is the memory of this process");
    }

    async fn storage_lost(&self) -> Option<String> {
        None
    }

    fn identities(&self) -> Option<&dyn Identities> {
        None
    }

    async fn secrets(&self) -> anyhow::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn check(&self) -> anyhow::Result<()> {
        Ok(())
    }

    async fn settle_workers(&self) -> anyhow::Result<()> {
        let scaler = self.scaler().take();
        match scaler {
            Some(scaler) => scaler.stop().await.map(drop),
            None => Ok(()),
        }
    }

    async fn remove(&self) -> anyhow::Result<()> {
        Ok(self.store.remove().await?)
    }

    async fn close(self: Box<Self>) -> anyhow::Result<()> {
        self.settle_workers().await?;
        self.crew.abandon();
        Ok(())
    }
}

mod as_workers {
    //! The crew, as the workers of the stage.

    use platform::{Act, Departure, Replicas, Roster, WorkerSpec};
    use tokio::sync::watch;

    use super::{Arc, Driven, Duration, Rehearsal, Scaler, Workers, async_trait, bail};

    #[async_trait]
    impl Workers for Rehearsal {
        async fn apply(&self, spec: WorkerSpec) -> anyhow::Result<()> {
            let scaling = match &spec.replicas {
                Replicas::Fixed(_) => None,
                Replicas::Scaled(scaling) => Some(scaling.clone()),
            };
            let group = spec.group;
            self.crew.want(spec)?;
            if let Some(scaling) = scaling {
                let driven = Driven {
                    queue: self.store.queue.clone(),
                    target: Arc::new(self.crew.target(group)),
                    log: self.plan.log.clone(),
                    name: None,
                };
                let scaling = self.sabotage.scaling((*scaling).clone());
                *self.scaler() = Some(Scaler::start(&scaling, driven));
            }
            Ok(())
        }

        fn roster(&self) -> watch::Receiver<Roster> {
            self.crew.roster()
        }

        async fn act(&self, worker: &str, act: Act) -> anyhow::Result<()> {
            self.crew.act(worker, act)
        }

        async fn drain(&self, grace: Duration) -> anyhow::Result<Vec<Departure>> {
            self.crew.drain(grace).await
        }

        async fn abandon(&self) -> anyhow::Result<()> {
            self.crew.abandon();
            Ok(())
        }

        fn said(&self, name: &str) -> anyhow::Result<String> {
            bail!("read what {name} said: a task has no log of its own");
        }

        async fn exposed(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
            Ok(Vec::new())
        }
    }
}
