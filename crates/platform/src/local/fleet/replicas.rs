//! Keeps the wanted number of consumers, as a Deployment, its `ReplicaSet` and the kubelet do in a cluster.
//!
//! Left out: rollouts, readiness gates and surge, which no scenario needs.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::signal::Signal;

use super::{Asked, Cause, ConsumerOptions, Departure, Fleet, GONE, Member, Worker, WorkerState};

/// Restart delay from the second restart on (kubelet, `CrashLoopBackOff`: 10 s, doubled each time, at most 5 min; the first
/// restart comes at once).
const BACK_OFF: Duration = Duration::from_secs(10);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);

/// The grace period of consumers whose group has no spec any more (Kubernetes, `terminationGracePeriodSeconds`).
const GRACE: Duration = Duration::from_secs(30);

/// The wanted consumers of one group that serve one queue.
pub(in crate::local) struct Group {
    pub(in crate::local) name: &'static str,
    /// The index of their queue among the run's.
    pub(in crate::local) queue: usize,
    pub(in crate::local) replicas: u32,
    pub(in crate::local) options: ConsumerOptions,
    /// Whether an autoscaler changes the number.
    pub(in crate::local) is_scaled: bool,
    /// Time from SIGTERM to SIGKILL (`terminationGracePeriodSeconds`).
    pub(in crate::local) grace: Duration,
}

/// The place of a consumer that ended by itself, until the next consumer starts in it.
pub(super) struct Vacancy {
    group: &'static str,
    queue: usize,
    restarts: u32,
    not_before: Option<Instant>,
}

impl Vacancy {
    fn is_of(&self, name: &str, queue: usize) -> bool {
        (self.group, self.queue) == (name, queue)
    }

    fn is_open(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|at| at <= now)
    }
}

/// How long to wait before a consumer is started again after its `nth` end by itself; `None`: it is started at once.
fn back_off(nth: u32) -> Option<Duration> {
    let doublings = nth.checked_sub(2)?;
    let pause = BACK_OFF.saturating_mul(2_u32.saturating_pow(doublings));
    Some(pause.min(LONGEST_BACK_OFF))
}

/// A consumer that was told to end.
pub(super) struct Leaving {
    member: Member,
    asked: Asked,
    grace: Duration,
}

impl Leaving {
    /// Sends SIGTERM to `member`, unless it has ended already.
    pub(super) fn ask(mut member: Member, grace: Duration) -> anyhow::Result<Self> {
        let held = member.lane.in_hand();
        if member.process.try_end()?.is_none() {
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
        self.member.name()
    }

    pub(super) fn node(&self) -> Option<&str> {
        self.member.node.as_deref()
    }

    pub(super) fn seen(&self, state: WorkerState) -> Worker {
        self.member.seen(state)
    }

    pub(super) fn into_member(self) -> Member {
        self.member
    }

    fn is_over(&mut self) -> anyhow::Result<bool> {
        let ended = self.member.process.try_end()?.is_some();
        Ok(ended || self.asked.at.elapsed() >= self.grace)
    }
}

impl Fleet {
    /// Sets the wanted consumers of `group`. [`Fleet::reconcile`] starts and ends them.
    pub(in crate::local) fn want(&mut self, group: Group) {
        let same = |each: &&mut Group| (each.name, each.queue) == (group.name, group.queue);
        match self.groups.iter_mut().find(same) {
            Some(known) => *known = group,
            None => self.groups.push(group),
        }
    }

    /// Sets how many consumers of the group `name` are wanted for `queue`. Does nothing if the group is gone, because the run
    /// ends.
    pub(in crate::local) fn scale(&mut self, name: &str, queue: usize, replicas: u32) {
        let same = |group: &&mut Group| (group.name, group.queue) == (name, queue);
        for group in self.groups.iter_mut().filter(same) {
            group.replicas = replicas;
        }
    }

    /// How many consumers are wanted, all groups together.
    pub(super) fn wanted(&self) -> u32 {
        self.groups.iter().map(|group| group.replicas).sum()
    }

    /// How many consumers are delayed because the ones in their places ended by themselves.
    pub(super) fn held_back(&self, now: Instant) -> u32 {
        let closed = self
            .vacancies
            .iter()
            .filter(|vacancy| !vacancy.is_open(now));
        u32::try_from(closed.count()).unwrap_or(u32::MAX)
    }

    pub(super) fn grace(&self, group: &str) -> Duration {
        let group = self.groups.iter().find(|each| each.name == group);
        group.map_or(GRACE, |group| group.grace)
    }

    /// One reconciliation: records which consumers have ended, ends the surplus, starts the missing ones.
    pub(in crate::local) async fn reconcile(&mut self) -> anyhow::Result<()> {
        for mut leaving in std::mem::take(&mut self.leaving) {
            if leaving.is_over()? {
                self.await_exit(leaving).await?;
            } else {
                self.leaving.push(leaving);
            }
        }
        self.see_to_nodes().await?;
        self.take_fallen().await?;
        self.take_dead()?;
        for at in 0..self.groups.len() {
            self.end_surplus(at)?;
            self.start_missing(at).await?;
        }
        self.publish();
        Ok(())
    }

    /// Removes consumers that ended without being told to.
    pub(super) fn take_dead(&mut self) -> anyhow::Result<()> {
        for mut member in std::mem::take(&mut self.running) {
            match member.process.try_end()? {
                None => self.running.push(member),
                // Its machine has told it to end, which `placement` handles.
                Some(_) if self.was_told(&member) => self.running.push(member),
                // A wire fault has killed it after `take_fallen` looked: the next look finds it.
                Some(_) if member.lane.was_killed() => self.running.push(member),
                Some(end) => {
                    let how = format!("ended unasked: {end}");
                    self.depart(&member, end, Cause::Unasked, None, &how)?;
                    let restarts = member.restarts + 1;
                    self.vacancies.push(Vacancy {
                        group: member.group,
                        queue: member.queue,
                        restarts,
                        not_before: back_off(restarts).map(|pause| Instant::now() + pause),
                    });
                }
            }
        }
        Ok(())
    }

    /// Removes consumers that a wire fault has killed. They are replaced at once, like a pod that was deleted.
    pub(super) async fn take_fallen(&mut self) -> anyhow::Result<()> {
        let (fallen, standing): (Vec<_>, Vec<_>) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(|member| member.lane.was_killed());
        self.running = standing;
        for mut member in fallen {
            let end = member.process.wait(GONE).await?;
            self.record_fault("SIGKILL by the proxy", member.name())?;
            self.depart(&member, end, Cause::Fault, None, "was killed by a fault")?;
        }
        Ok(())
    }

    /// Ends the newest consumers first: a `ReplicaSet` prefers to keep pods that have been ready for longer (Kubernetes
    /// `pkg/controller/controller_utils.go`, `ActivePodsWithRanks`).
    fn end_surplus(&mut self, at: usize) -> anyhow::Result<()> {
        let Group {
            name,
            queue,
            replicas,
            grace,
            ..
        } = self.groups[at];
        let of_group = |member: &Member| (member.group, member.queue) == (name, queue);
        let running = self.running.iter().filter(|it| of_group(it)).count();
        let surplus = running.saturating_sub(usize::try_from(replicas)?);
        for _ in 0..surplus {
            let newest = self.running.iter().rposition(of_group);
            let newest = newest.context("a consumer of the group must run")?;
            let member = self.running.remove(newest);
            self.leaving.push(Leaving::ask(member, grace)?);
        }
        Ok(())
    }

    async fn start_missing(&mut self, at: usize) -> anyhow::Result<()> {
        let Group {
            name,
            queue,
            replicas,
            ..
        } = self.groups[at];
        let options = self.groups[at].options.clone();
        let of_group = |member: &&Member| (member.group, member.queue) == (name, queue);
        let running = self.running.iter().filter(of_group).count();
        let present = u32::try_from(running + self.unmissed(name, queue))?;
        let missing = replicas.saturating_sub(present);
        // Drops the vacancies that exceed the number of missing consumers.
        let mut places = missing;
        self.vacancies.retain(|vacancy| {
            let is_ours = vacancy.is_of(name, queue);
            let stays = !is_ours || places > 0;
            places = places.saturating_sub(u32::from(is_ours));
            stays
        });
        let now = Instant::now();
        let (open, closed): (Vec<_>, Vec<_>) = std::mem::take(&mut self.vacancies)
            .into_iter()
            .partition(|it| it.is_of(name, queue) && it.is_open(now));
        let held_back = closed.iter().filter(|it| it.is_of(name, queue)).count();
        self.vacancies = closed;
        let mut open = open.into_iter();
        for _ in u32::try_from(held_back)?..missing {
            let vacancy = open.next();
            let restarts = vacancy.as_ref().map_or(0, |vacancy| vacancy.restarts);
            if !self.start((name, queue), &options, restarts).await? {
                self.vacancies.extend(vacancy);
            }
        }
        self.vacancies.extend(open);
        Ok(())
    }

    /// Waits until the consumer has ended, for the rest of its grace period, and kills it after that.
    pub(super) async fn await_exit(&mut self, mut leaving: Leaving) -> anyhow::Result<Departure> {
        let Leaving { asked, grace, .. } = leaving;
        let left = grace.saturating_sub(asked.at.elapsed());
        let process = &mut leaving.member.process;
        let (end, how) = match process.wait(left).await {
            Ok(end) => (end, format!("ended on SIGTERM: {end}")),
            Err(_) => (
                process
                    .kill()
                    .await
                    .context("end a consumer that ignores SIGTERM")?,
                format!("did not end within {grace:?} of its SIGTERM, and was killed"),
            ),
        };
        self.depart(&leaving.member, end, Cause::Told, Some(asked), &how)
    }
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
    }

    #[test]
    fn a_place_opens_again_when_its_pause_is_over() {
        let now = Instant::now();
        let vacancy = |not_before| Vacancy {
            group: "consumers",
            queue: 0,
            restarts: 2,
            not_before,
        };
        assert!(vacancy(None).is_open(now));
        assert!(!vacancy(Some(now + BACK_OFF)).is_open(now));
        assert!(vacancy(Some(now + BACK_OFF)).is_open(now + BACK_OFF));
    }
}
