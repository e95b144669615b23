//! As many consumers as are wanted: what a Deployment, its `ReplicaSet` and the kubelet see to in a cluster.
//!
//! Left out: rollouts, readiness gates and surge, which no scenario needs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::signal::Signal;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Asked, Departure, Fleet, Member};
use crate::environment::ConsumerOptions;

/// How often it is seen to. A cluster takes longer from a change of `spec.replicas` to the start of a container.
const EVERY: Duration = Duration::from_millis(100);

/// From the second restart on, a container that ends is left alone for so long (kubelet, `CrashLoopBackOff`: 10 s, doubled each
/// time, at most 5 min; the first restart comes at once).
const BACK_OFF: Duration = Duration::from_secs(10);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);

/// How many consumers there should be.
pub(super) struct Wanted {
    replicas: u32,
    options: ConsumerOptions,
    /// From SIGTERM to SIGKILL (`terminationGracePeriodSeconds`).
    grace: Duration,
}

/// A consumer that was told to end.
pub(super) struct Leaving {
    member: Member,
    asked: Asked,
    grace: Duration,
}

impl Leaving {
    /// SIGTERM to `member`, unless it has ended already.
    pub(super) fn ask(mut member: Member, grace: Duration) -> anyhow::Result<Self> {
        let held = member.lane.in_hand();
        if member.process.try_status()?.is_none() {
            member.process.signal(Signal::SIGTERM)?;
        }
        Ok(Self {
            member,
            asked: Asked {
                at: Instant::now(),
                held,
            },
            grace,
        })
    }

    pub(super) fn name(&self) -> &str {
        self.member.process.name()
    }

    pub(super) fn node(&self) -> Option<&str> {
        self.member.node.as_deref()
    }

    pub(super) fn into_member(self) -> Member {
        self.member
    }

    fn is_over(&mut self) -> anyhow::Result<bool> {
        let ended = self.member.process.try_status()?.is_some();
        Ok(ended || self.asked.at.elapsed() >= self.grace)
    }
}

/// When those that end unasked may start again.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    count: u32,
    not_before: Option<Instant>,
}

impl Restarts {
    fn ended(&mut self, now: Instant) {
        self.count += 1;
        self.not_before = back_off(self.count).map(|pause| now + pause);
    }

    fn allowed(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|at| at <= now)
    }
}

/// How long after the `nth` unasked end.
fn back_off(nth: u32) -> Option<Duration> {
    let doublings = nth.checked_sub(2)?;
    let pause = BACK_OFF.saturating_mul(2_u32.saturating_pow(doublings));
    Some(pause.min(LONGEST_BACK_OFF))
}

impl Fleet {
    /// From now on `replicas` consumers with `options` are wanted. One too many gets SIGTERM, and `grace` later SIGKILL. That it
    /// comes so is for [`Fleet::reconcile`].
    pub fn want(&mut self, replicas: u32, options: &ConsumerOptions, grace: Duration) {
        self.wanted = Some(Wanted {
            replicas,
            options: options.clone(),
            grace,
        });
    }

    /// As [`Fleet::want`], with what was wanted before.
    pub fn scale_to(&mut self, replicas: u32) -> anyhow::Result<()> {
        let wanted = self.wanted.as_mut();
        wanted
            .context("scale consumers that nobody has described")?
            .replicas = replicas;
        Ok(())
    }

    /// How many are wanted, if somebody has said so.
    pub fn wanted(&self) -> Option<u32> {
        self.wanted.as_ref().map(|wanted| wanted.replicas)
    }

    /// How many were told to end because there were too many, and have not ended yet.
    pub fn leaving(&self) -> usize {
        self.leaving.len()
    }

    /// How those ended so far that there were too many of.
    pub fn left(&self) -> &[Departure] {
        &self.left
    }

    /// One look at how things stand: notes who has ended, ends the surplus, starts what is missing.
    pub async fn reconcile(&mut self) -> anyhow::Result<()> {
        for mut leaving in std::mem::take(&mut self.leaving) {
            if leaving.is_over()? {
                let departure = self.see_off(&mut leaving).await?;
                self.left.push(departure);
            } else {
                self.leaving.push(leaving);
            }
        }
        self.count();
        if self.wanted.is_none() {
            return Ok(());
        }
        self.see_to_nodes().await?;
        self.take_fallen().await?;
        let dead = self.take_dead()?;
        for _ in &dead {
            self.restarts.ended(Instant::now());
        }
        self.unasked = dead;
        self.end_surplus()?;
        self.start_missing().await
    }

    /// The newest go first: a `ReplicaSet` spares those that have been ready for longer (Kubernetes
    /// `pkg/controller/controller_utils.go`, `ActivePodsWithRanks`).
    fn end_surplus(&mut self) -> anyhow::Result<()> {
        let Some(Wanted {
            replicas, grace, ..
        }) = self.wanted
        else {
            return Ok(());
        };
        let keep = usize::try_from(replicas).unwrap_or(usize::MAX);
        while self.running.len() > keep {
            let Some(newest) = self.running.pop() else {
                break;
            };
            self.leaving.push(Leaving::ask(newest, grace)?);
        }
        self.count();
        Ok(())
    }

    async fn start_missing(&mut self) -> anyhow::Result<()> {
        let Some(Wanted {
            replicas, options, ..
        }) = &self.wanted
        else {
            return Ok(());
        };
        let present = self.running.len() + self.unmissed();
        let missing = replicas.saturating_sub(u32::try_from(present)?);
        if missing == 0 || !self.restarts.allowed(Instant::now()) {
            return Ok(());
        }
        let options = options.clone();
        self.start(missing, &options).await
    }

    /// Waits until it has ended, for what is left of its grace period, and kills it after that.
    pub(super) async fn see_off(&self, leaving: &mut Leaving) -> anyhow::Result<Departure> {
        let Leaving {
            member,
            asked,
            grace,
        } = leaving;
        let process = &mut member.process;
        let (status, how) = match process.wait(grace.saturating_sub(asked.at.elapsed())).await {
            Ok(status) => (status, format!("ended on SIGTERM: {status}")),
            Err(_) => (
                process
                    .kill()
                    .await
                    .context("end a consumer that ignores SIGTERM")?,
                format!("did not end within {grace:?} of its SIGTERM, and was killed"),
            ),
        };
        self.departure(member, status, Some(*asked), &how)
    }
}

/// Sees to it that there are as many consumers as are wanted, until it is stopped or dropped.
pub(crate) struct Keeper {
    stop: DropGuard,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Keeper {
    pub(crate) fn start(fleet: Arc<Mutex<Fleet>>) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(keep(fleet, stop.clone()));
        Self {
            stop: stop.drop_guard(),
            task,
        }
    }

    /// Ends the watch, and tells whether it went well.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.task
            .await
            .context("keep the consumers running")?
            .context("keep the consumers running")
    }
}

async fn keep(fleet: Arc<Mutex<Fleet>>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        fleet.lock().await.reconcile().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_are_held_back_as_the_kubelet_does() {
        let seconds = |nth| back_off(nth).map(|pause| pause.as_secs());
        assert_eq!(
            [1, 2, 3, 4, 9, u32::MAX].map(seconds),
            [None, Some(10), Some(20), Some(40), Some(300), Some(300)]
        );
        let (mut restarts, now) = (Restarts::default(), Instant::now());
        assert!(restarts.allowed(now));
        restarts.ended(now);
        assert!(restarts.allowed(now));
        restarts.ended(now);
        assert!(!restarts.allowed(now));
        assert!(restarts.allowed(now + BACK_OFF));
    }
}
