//! The stage of a run on this machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use evidence::events::Event;
use tokio::sync::{Mutex, watch};
use wire::{Endpoints, Faults, History, PRODUCER, Proxy, Tls, Wire};
use workflow::contract::Stamp;
use workflow::contract::workload::Lens;

use super::fleet::{Fleet, Group, Means};
use super::keeper::{Keeper, Scaled};
use super::proc;
use super::process;
use super::producer::Producer;
use super::{Host, Place};
use crate::autoscale::{Driven, Scaler, ScalingRecord};
use crate::identities::Identities;
use crate::lock::lock;
use crate::logs;
use crate::loss::Lookout;
use crate::nodes::{NodePlan, Nodes, NodesView};
use crate::sender::{Sender, arguments_of, generator_name};
use crate::simulated::{Cluster, Eviction, Figures, Machines, Needs, Times};
use crate::spread::spread;
use crate::storage::Store;
use crate::workers::{Act, Departure, Replicas, Roster, WorkerSpec, Workers};
use crate::{PARTS, Stage, StagePlan, Taken};

/// One run's processes, its storage, and the proxy between them.
pub(super) struct LocalStage {
    host: Arc<dyn Host>,
    plan: StagePlan,
    store: Store,
    proxy: Arc<Proxy>,
    fleet: Arc<Mutex<Fleet>>,
    roster: watch::Receiver<Roster>,
    nodes: watch::Receiver<NodesView>,
    keeper: StdMutex<Option<Keeper>>,
    /// The scalers, one for each queue, if consumers are scaled.
    scalers: StdMutex<Vec<Scaler>>,
    /// The producers' process ids, by name.
    producers: StdMutex<Vec<(String, u32)>>,
    /// The producers' command lines, as other users of the machine could read them.
    command_lines: StdMutex<Vec<(String, Vec<u8>)>>,
    _lookout: Lookout,
}

impl LocalStage {
    pub(super) async fn open(host: Arc<dyn Host>, plan: StagePlan) -> anyhow::Result<Self> {
        let run = plan.identity.run.clone();
        plan.announce(host.lasting(&run, plan.queues))?;
        let provisioned = host.provision(&run, plan.queues)?;
        let created = provisioned.store.create().await;
        created.with_context(|| format!("provision the storage of run {run}"))?;
        let proxy = proxy(
            &plan,
            provisioned.store.lens.clone(),
            &provisioned.endpoints,
            provisioned.tls,
        )
        .await?;
        let means = Means {
            host: host.clone(),
            run,
            logs: plan.directory.join("logs"),
            log: plan.log.clone(),
            proxy: proxy.clone(),
            queues: provisioned.store.names.queues.clone(),
            lens: provisioned.store.lens.clone(),
        };
        let mut fleet = Fleet::new(means);
        if let Some(nodes) = &plan.nodes {
            fleet.settle_on(cluster(nodes, plan.identity.seed)?);
        }
        let (roster, nodes) = (fleet.roster(), fleet.nodes());
        let fleet = Arc::new(Mutex::new(fleet));
        let keeper = Keeper::start(fleet.clone());
        let looked_after = host.clone();
        let lookout = Lookout::start(plan.loss.clone(), move || {
            let host = looked_after.clone();
            async move {
                if let Err(error) = host.check_guard() {
                    // The next start of a child returns the error.
                    tracing::warn!("failed to {error:#}");
                }
                host.storage_lost().await
            }
        });
        Ok(Self {
            host,
            plan,
            store: provisioned.store,
            proxy,
            fleet,
            roster,
            nodes,
            keeper: StdMutex::new(Some(keeper)),
            scalers: StdMutex::default(),
            producers: StdMutex::default(),
            command_lines: StdMutex::default(),
            _lookout: lookout,
        })
    }

    /// Starts the producer `name`, which is generator `index`.
    async fn start_producer(
        &self,
        name: &str,
        index: u32,
        arguments: &[String],
    ) -> anyhow::Result<Producer> {
        // All generators share one client name, so that a wire rule for the producer applies to each.
        let lane = self.proxy.lane(PRODUCER).await?;
        let queues = &self.store.names.queues;
        let place = Place {
            run: &self.plan.identity.run,
            queue: &queues[usize::try_from(index)? % queues.len()],
            endpoints: lane.endpoints(),
            logs: &self.plan.directory.join("logs"),
        };
        let process = self.host.start_producer(name, &place, arguments)?;
        let command_line = process::command_line(process.pid());
        lock(&self.command_lines).push((name.to_owned(), command_line));
        lock(&self.producers).push((name.to_owned(), process.pid()));
        let started = Event::ProcessStarted {
            name: name.to_owned(),
            role: PRODUCER.to_owned(),
            pid: Some(process.pid()),
        };
        self.plan.log.append(Stamp::now(), started)?;
        Ok(Producer::new(process, lane, self.plan.log.clone()))
    }
}

async fn proxy(
    plan: &StagePlan,
    lens: Lens,
    storage: &Endpoints,
    tls: Option<Tls>,
) -> anyhow::Result<Arc<Proxy>> {
    let history = History::open(&plan.directory)?;
    let faults = Faults::new(plan.identity.seed);
    Ok(Arc::new(
        Proxy::start(storage, history, faults, tls, lens).await?,
    ))
}

/// The nodes that the manifests allow.
fn cluster(plan: &NodePlan, seed: u64) -> anyhow::Result<Cluster> {
    let (needs, pools) = Needs::read(&plan.manifests)?;
    let machines = Machines {
        needs,
        pools,
        times: Times::default().faster(plan.pace.times()),
        seed,
    };
    let cluster = Cluster::new(machines.of_size(plan.workers_each));
    Ok(if plan.is_standing {
        cluster.standing()
    } else {
        cluster
    })
}

#[async_trait]
impl Stage for LocalStage {
    fn evidence(&self) -> String {
        self.host.evidence()
    }

    fn storage(&self) -> &Store {
        &self.store
    }

    fn workers(&self) -> &dyn Workers {
        self
    }

    fn wire(&self) -> Option<Arc<dyn Wire>> {
        Some(self.proxy.clone())
    }

    fn scaling(&self) -> Vec<ScalingRecord> {
        lock(&self.scalers).iter().map(Scaler::recording).collect()
    }

    fn nodes(&self) -> Option<&dyn Nodes> {
        self.plan.nodes.as_ref().map(|_| self as &dyn Nodes)
    }

    async fn send(
        &self,
        arguments: &[String],
        generators: u32,
    ) -> anyhow::Result<Vec<Box<dyn Sender>>> {
        let mut senders: Vec<Box<dyn Sender>> = Vec::new();
        for index in 0..generators.max(1) {
            let arguments = arguments_of(arguments, index, generators);
            let name = generator_name(index, generators);
            senders.push(Box::new(
                self.start_producer(&name, index, &arguments).await?,
            ));
        }
        Ok(senders)
    }

    async fn outage(&self, time: Duration) -> anyhow::Result<()> {
        self.host.outage(time).await
    }

    async fn storage_lost(&self) -> Option<String> {
        self.host.storage_lost().await
    }

    fn identities(&self) -> Option<&dyn Identities> {
        let services = self.host.identities()?;
        Some(services as &dyn Identities)
    }

    async fn secrets(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.host.secrets())
    }

    async fn taken(&self) -> Vec<Taken> {
        let [generators, harness, storage, consumers] = PARTS;
        let producers = lock(&self.producers).clone();
        let producers = producers.into_iter().map(|it| (generators, it));
        let own = [(harness, ("harness".to_owned(), std::process::id()))];
        let of_storage = self
            .host
            .storage_pid()
            .map(|pid| (storage, ("storage".to_owned(), pid)));
        let fleet = self.fleet.lock().await.pids();
        let fleet = fleet.into_iter().map(|it| (consumers, it));
        let all = producers.chain(own).chain(of_storage).chain(fleet);
        all.filter_map(|(part, (name, pid))| proc::taken(part, &name, pid))
            .collect()
    }

    fn check(&self) -> anyhow::Result<()> {
        let ended = lock(&self.keeper).as_ref().is_some_and(Keeper::has_ended);
        anyhow::ensure!(
            !ended,
            "keep the consumers running: what keeps them has ended"
        );
        if let Some(identities) = self.host.identities() {
            identities.check()?;
        }
        self.proxy.check()
    }

    async fn settle_workers(&self) -> anyhow::Result<()> {
        let scalers = std::mem::take(&mut *lock(&self.scalers));
        let keeper = lock(&self.keeper).take();
        let mut ended = Vec::new();
        for scaler in scalers {
            ended.push(scaler.stop().await.map(drop));
        }
        if let Some(keeper) = keeper {
            ended.push(keeper.stop().await);
        }
        ended.into_iter().collect()
    }

    async fn remove(&self) -> anyhow::Result<()> {
        let run = &self.plan.identity.run;
        let removed = self.store.remove().await;
        removed.with_context(|| format!("remove the storage of run {run}"))?;
        for resource in self.host.lasting(run, self.plan.queues) {
            let event = Event::ResourceRemoved(resource);
            self.plan.log.append(Stamp::now(), event)?;
        }
        Ok(())
    }

    async fn close(self: Box<Self>) -> anyhow::Result<()> {
        let settled = self.settle_workers().await;
        let ended = self.fleet.lock().await.abandon().await;
        settled.and(ended)
    }
}

#[async_trait]
impl Workers for LocalStage {
    async fn apply(&self, spec: WorkerSpec) -> anyhow::Result<()> {
        let WorkerSpec {
            group,
            replicas,
            options,
            grace,
        } = spec;
        let queues = self.store.queues.len();
        let (counts, scaling) = match replicas {
            Replicas::Fixed(replicas) => (spread(replicas, queues), None),
            Replicas::Scaled(scaling) => (vec![0; queues], Some(scaling)),
        };
        let mut fleet = self.fleet.lock().await;
        for (queue, replicas) in counts.into_iter().enumerate() {
            fleet.want(Group {
                name: group,
                queue,
                replicas,
                options: options.clone(),
                is_scaled: scaling.is_some(),
                grace,
            });
        }
        // At once instead of at the next look: the caller then finds the consumers in the roster.
        fleet.reconcile().await?;
        drop(fleet);
        let Some(scaling) = scaling else {
            return Ok(());
        };
        let scalers = self.store.queues.iter().zip(&self.store.names.queues);
        let scalers = scalers.enumerate().map(|(at, (queue, name))| {
            let driven = Driven {
                queue: queue.clone(),
                target: Arc::new(Scaled {
                    fleet: self.fleet.clone(),
                    group,
                    queue: at,
                }),
                log: self.plan.log.clone(),
                name: (queues > 1).then(|| name.clone()),
            };
            Scaler::start(&scaling, driven)
        });
        *lock(&self.scalers) = scalers.collect();
        Ok(())
    }

    fn roster(&self) -> watch::Receiver<Roster> {
        self.roster.clone()
    }

    async fn act(&self, worker: &str, act: Act) -> anyhow::Result<()> {
        self.fleet.lock().await.act(worker, act).await
    }

    async fn drain(&self, grace: Duration) -> anyhow::Result<Vec<Departure>> {
        self.fleet.lock().await.drain(grace).await
    }

    async fn abandon(&self) -> anyhow::Result<()> {
        self.fleet.lock().await.abandon().await
    }

    fn said(&self, name: &str) -> anyhow::Result<String> {
        logs::said(&self.plan.directory, name)
    }

    async fn exposed(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let mut lines = self.fleet.lock().await.command_lines().to_vec();
        lines.extend(lock(&self.command_lines).iter().cloned());
        Ok(lines)
    }

    async fn nodes(&self) -> BTreeMap<String, String> {
        self.fleet.lock().await.told_nodes().clone()
    }
}

#[async_trait]
impl Nodes for LocalStage {
    fn watch(&self) -> watch::Receiver<NodesView> {
        self.nodes.clone()
    }

    async fn evict(&self, node: &str, eviction: Eviction) -> anyhow::Result<()> {
        self.fleet.lock().await.evict(node, eviction)
    }

    async fn offer_spot(&self, available: bool) -> anyhow::Result<()> {
        self.fleet.lock().await.set_spot(available);
        Ok(())
    }

    async fn figures(&self) -> Figures {
        self.fleet.lock().await.figures()
    }
}
