//! Consumers as tasks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use harness::wire::Endpoints;
use platform::autoscale::Target;
use platform::settings::{consumer_variables, parse, storage_variables};
use platform::until::until_told;
use platform::workers::Seat;
use platform::{
    Act, Cause, ConsumerOptions, Departure, End, Readiness, Replicas, Roster, StagePlan, Worker,
    WorkerSpec, WorkerState,
};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use workflow::contract::RunId;
use workflow::contract::workload::Description;
use workflow::task;

use crate::memory::Memory;
use crate::sabotage::Sabotage;

/// All consumers of a run, and the wanted number.
pub(crate) struct Crew {
    memory: Memory,
    sabotage: Arc<dyn Sabotage>,
    run: RunId,
    state: Mutex<State>,
    roster: watch::Sender<Roster>,
    /// Tasks that wait for the end of a consumer, or for a delayed scaling. All consumers end with these tasks.
    tasks: Mutex<JoinSet<()>>,
    own: Weak<Self>,
}

#[derive(Default)]
struct State {
    groups: Vec<Group>,
    present: Vec<Member>,
    departed: Vec<Departure>,
    started: u32,
}

struct Group {
    name: &'static str,
    /// The wanted number.
    wanted: u32,
    /// The number of consumers to run: the wanted number, unless the fleet is broken.
    replicas: u32,
    options: ConsumerOptions,
    is_scaled: bool,
}

struct Member {
    name: String,
    group: &'static str,
    drain: CancellationToken,
    told: Option<Instant>,
    abort: AbortHandle,
}

impl Crew {
    pub(crate) fn new(memory: Memory, plan: &StagePlan, sabotage: Arc<dyn Sabotage>) -> Arc<Self> {
        Arc::new_cyclic(|own| Self {
            memory,
            sabotage,
            run: plan.identity.run.clone(),
            state: Mutex::default(),
            roster: watch::Sender::new(Roster::default()),
            tasks: Mutex::default(),
            own: own.clone(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(ended) = tasks.try_join_next() {
            ended.expect("a task of the fleet must not panic");
        }
        tasks.spawn(work);
    }

    pub(crate) fn roster(&self) -> watch::Receiver<Roster> {
        self.roster.subscribe()
    }

    pub(crate) fn want(&self, spec: WorkerSpec) -> anyhow::Result<()> {
        let wanted = match spec.replicas {
            Replicas::Fixed(replicas) => replicas,
            Replicas::Scaled(_) => 0,
        };
        let delay = self.sabotage.delay();
        if !delay.is_zero() {
            self.scale_later(spec.group, wanted, delay);
        }
        let group = Group {
            name: spec.group,
            wanted,
            replicas: if delay.is_zero() { wanted } else { 0 },
            is_scaled: matches!(spec.replicas, Replicas::Scaled(_)),
            options: spec.options,
        };
        let mut state = self.state();
        match state.groups.iter_mut().find(|it| it.name == group.name) {
            Some(known) => *known = group,
            None => state.groups.push(group),
        }
        self.reconcile(&mut state)
    }

    pub(crate) fn target(&self, group: &'static str) -> Scaled {
        Scaled {
            crew: self.own.clone(),
            group,
        }
    }

    /// After `delay`, `group` is to have `replicas` replicas.
    fn scale_later(&self, group: &'static str, replicas: u32, delay: Duration) {
        let crew = self.own.clone();
        self.spawn(async move {
            tokio::time::sleep(delay).await;
            if let Some(crew) = crew.upgrade() {
                crew.scale(group, replicas);
            }
        });
    }

    /// From now on, `group` is to have `replicas` replicas.
    fn scale(&self, group: &'static str, replicas: u32) {
        let mut state = self.state();
        for known in state.groups.iter_mut().filter(|it| it.name == group) {
            known.replicas = replicas;
        }
        self.reconcile(&mut state)
            .expect("settings that were read once must be read again");
    }

    /// Starts missing consumers, and tells the newest of those that are too many to end.
    fn reconcile(&self, state: &mut State) -> anyhow::Result<()> {
        for at in 0..state.groups.len() {
            let (name, wanted) = (state.groups[at].name, state.groups[at].replicas);
            let of_group = |it: &&mut Member| it.group == name && it.told.is_none();
            let running = state.present.iter_mut().filter(of_group).count();
            let wanted = usize::try_from(wanted)?;
            for member in (state.present.iter_mut().rev().filter(of_group))
                .take(running.saturating_sub(wanted))
            {
                member.told = Some(Instant::now());
                member.drain.cancel();
            }
            let options = state.groups[at].options.clone();
            for _ in running..wanted {
                let member = self.start(state, name, &options)?;
                state.present.push(member);
            }
        }
        self.publish(state);
        Ok(())
    }

    fn start(
        &self,
        state: &mut State,
        group: &'static str,
        options: &ConsumerOptions,
    ) -> anyhow::Result<Member> {
        state.started += 1;
        let name = format!("consumer-{}", state.started);
        let nowhere = || "http://127.0.0.1:1/devstoreaccount1".to_owned();
        let endpoints = Endpoints {
            queue: nowhere(),
            table: nowhere(),
        };
        let mut variables = options.variables.clone();
        variables.extend(storage_variables(
            &self.run,
            "paused",
            &endpoints,
            "sig=none".to_owned(),
        ));
        variables.extend(consumer_variables(
            &Description::own(),
            &name,
            options,
            &Seat::default(),
        ));
        let args: consumer::Args = parse("consumer", &[], &variables)?;
        let drain = CancellationToken::new();
        let (memory, stop) = (self.memory.clone(), drain.clone());
        let idle = self.sabotage.idle();
        let work = task::spawn(async move {
            tokio::time::sleep(idle).await;
            let Memory {
                queue,
                poison,
                table,
            } = memory;
            consumer::embedded(&args, (queue, poison, table), stop).await
        });
        let abort = work.abort_handle();
        let (crew, gone) = (self.own.clone(), name.clone());
        self.spawn(async move {
            let end = match work.await {
                Ok(exit) => End::Exited(exit.code().into()),
                Err(error) if error.is_cancelled() => End::Signalled(9),
                Err(_) => End::Exited(101),
            };
            if let Some(crew) = crew.upgrade() {
                crew.ended(&gone, end);
            }
        });
        Ok(Member {
            name,
            group,
            drain,
            told: None,
            abort,
        })
    }

    /// Records that a task has ended, by itself or because it was told to, and starts another if one is missing.
    fn ended(&self, name: &str, end: End) {
        let mut state = self.state();
        let Some(at) = state.present.iter().position(|it| it.name == name) else {
            return;
        };
        let member = state.present.remove(at);
        let cause = match member.told {
            Some(_) => Cause::Told,
            None => Cause::Unasked,
        };
        state.departed.push(departure(&member, end, cause));
        // It cannot fail: unreadable settings were refused when the group was applied.
        self.reconcile(&mut state)
            .expect("settings that were read once must be read again");
    }

    pub(crate) fn act(&self, name: &str, act: Act) -> anyhow::Result<()> {
        let mut state = self.state();
        let at = state.present.iter().position(|it| it.name == name);
        let at = at.with_context(|| format!("act on {name}: it does not run"))?;
        match act {
            Act::Kill | Act::KillForGood => {
                let member = state.present.remove(at);
                if act == Act::KillForGood {
                    let own = |group: &&mut Group| group.name == member.group;
                    for group in state.groups.iter_mut().filter(own) {
                        (group.wanted, group.replicas) = (0, 0);
                    }
                }
                member.abort.abort();
                let gone = departure(&member, End::Signalled(9), Cause::Killed);
                state.departed.push(gone);
            }
            Act::Drain => {
                let member = &mut state.present[at];
                member.told = Some(Instant::now());
                member.drain.cancel();
            }
            Act::Freeze | Act::Thaw => bail!("freeze a task: this platform cannot"),
        }
        self.reconcile(&mut state)
    }

    pub(crate) async fn drain(&self, grace: Duration) -> anyhow::Result<Vec<Departure>> {
        self.tell_all();
        let all_gone = |roster: &Roster| roster.workers.is_empty().then_some(());
        if until_told(self.roster(), grace, all_gone).await.is_err() {
            self.abandon();
        }
        let told = |it: &&Departure| it.cause == Cause::Told;
        Ok(self.state().departed.iter().filter(told).cloned().collect())
    }

    fn tell_all(&self) {
        let mut state = self.state();
        state.groups.clear();
        for member in &mut state.present {
            member.told.get_or_insert_with(Instant::now);
            member.drain.cancel();
        }
        self.publish(&state);
    }

    pub(crate) fn abandon(&self) {
        let mut state = self.state();
        state.groups.clear();
        for member in std::mem::take(&mut state.present) {
            member.abort.abort();
        }
        self.publish(&state);
    }

    fn publish(&self, state: &State) {
        let seen = |it: &Member| Worker {
            name: it.name.clone(),
            group: it.group,
            node: None,
            state: match it.told {
                None => WorkerState::Running,
                Some(_) => WorkerState::Ending,
            },
            readiness: Readiness::Silent,
            has_received: None,
        };
        self.roster.send_replace(Roster {
            restarts: false,
            workers: state.present.iter().map(seen).collect(),
            departed: state.departed.clone(),
            wanted: state.groups.iter().map(|group| group.wanted).sum(),
            is_scaled: state.groups.iter().any(|group| group.is_scaled),
            held_back: 0,
            no_room: None,
        });
    }
}

fn departure(member: &Member, end: End, cause: Cause) -> Departure {
    Departure {
        name: member.name.clone(),
        end,
        cause,
        is_orderly: cause == Cause::Killed || end.code() == Some(0),
        is_restart: false,
        is_early: false,
        after: member.told.map_or(Duration::ZERO, |at| at.elapsed()),
        held: 0,
        sentence: format!("{} ended: {end}", member.name),
        tail: "a task has no log".to_owned(),
    }
}

/// A group of the crew, for the autoscaler.
pub(crate) struct Scaled {
    crew: Weak<Crew>,
    group: &'static str,
}

#[async_trait]
impl Target for Scaled {
    async fn scale(&self, wanted: u32) {
        let Some(crew) = self.crew.upgrade() else {
            return;
        };
        for group in &mut crew.state().groups {
            if group.name == self.group {
                group.wanted = wanted;
            }
        }
        let (replicas, delay) = (crew.sabotage.replicas(wanted), crew.sabotage.delay());
        if delay.is_zero() {
            crew.scale(self.group, replicas);
            return;
        }
        crew.scale_later(self.group, replicas, delay);
    }
}
