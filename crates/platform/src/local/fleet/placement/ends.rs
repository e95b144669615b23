//! Ends of consumers with their node: after a notice to their machine, killed with the machine, or frozen for ever.

use std::time::Instant;

use anyhow::Context as _;
use evidence::events::NodeChange;
use nix::sys::signal::Signal;

use super::super::{Asked, Cause, Departure, Fleet, GONE, Leaving, Member};
use super::Lost;
use crate::simulated::{EARLY_DRAIN_GRACE, MachineEnd, Notice, Times};

impl Fleet {
    /// Ends the consumers of nodes whose forced drain is due: SIGTERM, and SIGKILL one second later to those that are left.
    pub(super) fn drain_by_force(&mut self) -> anyhow::Result<()> {
        let mut due = Vec::new();
        let evicted = self.placement.iter_mut().flat_map(|it| &mut it.evicted);
        for it in evicted.filter(|it| !it.seen.is_over) {
            let Some(after) = it.seen.eviction.drained_after else {
                continue;
            };
            let node = it.seen.node.clone();
            match it.forced {
                None if it.began.elapsed() >= after => {
                    it.forced = Some(Instant::now());
                    due.push((node, Signal::SIGTERM));
                }
                Some(at) if at.elapsed() >= EARLY_DRAIN_GRACE => due.push((node, Signal::SIGKILL)),
                _ => {}
            }
        }
        for (node, signal) in due {
            let on_it = |member: &&Member| member.node.as_deref() == Some(&node);
            for member in self.running.iter().filter(on_it) {
                // The kubelet sends SIGTERM to a container's first process, and SIGKILL to all of its processes.
                match signal {
                    Signal::SIGTERM => member.process.signal(signal)?,
                    _ => member.process.signal_group(signal)?,
                }
            }
            if signal == Signal::SIGTERM {
                self.mark("drained by force", &node)?;
            }
        }
        Ok(())
    }

    /// Removes consumers that ended by themselves on a node whose machine was notified.
    pub(super) fn take_drained(&mut self) -> anyhow::Result<()> {
        let evicted = self
            .placement
            .iter()
            .flat_map(|placement| &placement.evicted);
        let told = evicted.filter(|it| it.seen.eviction.notice.is_some() && !it.seen.is_over);
        let told: Vec<(String, Instant)> =
            told.map(|it| (it.seen.node.clone(), it.began)).collect();
        for (node, since) in told {
            for mut member in std::mem::take(&mut self.running) {
                let on_it = member.node.as_deref() == Some(&node);
                let end = if on_it {
                    member.process.try_end()?
                } else {
                    None
                };
                let Some(end) = end else {
                    self.running.push(member);
                    continue;
                };
                let asked = Asked { at: since, held: 0 };
                let how = format!("ended on the notice of its node's eviction: {end}");
                let departure = self.depart(&member, end, Cause::Notice, Some(asked), &how)?;
                self.note_drained(&node, departure)?;
            }
        }
        Ok(())
    }

    fn note_drained(&mut self, node: &str, departure: Departure) -> anyhow::Result<()> {
        let placement = self.placement.as_mut().context("there are no nodes")?;
        placement.cluster.ended(&departure.name);
        let Some(evicted) = placement.on(node) else {
            return Ok(());
        };
        evicted.falls_short();
        evicted.seen.ended.push(departure);
        if evicted.seen.ended.len() < evicted.seen.workers.len() {
            return Ok(());
        }
        let after = evicted.began.elapsed();
        evicted.seen.drained = Some(after);
        let after_ms = u64::try_from(after.as_millis())?;
        self.record_node(node, NodeChange::Drained { after_ms })
    }

    /// Ends the machine of `node`, and with it everything on it.
    pub(super) async fn end_machine(&mut self, node: &str, notice: &Notice) -> anyhow::Result<()> {
        let is_stopped = notice.eviction.ends == MachineEnd::Stopped;
        let signal = if is_stopped {
            Signal::SIGSTOP
        } else {
            Signal::SIGKILL
        };
        let on_it = |member: &Member| member.node.as_deref() == Some(node);
        let (mut hit, standing): (Vec<_>, Vec<_>) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(on_it);
        self.running = standing;
        let (going, leaving): (Vec<_>, Vec<_>) = std::mem::take(&mut self.leaving)
            .into_iter()
            .partition(|leaving| leaving.node() == Some(node));
        self.leaving = leaving;
        hit.extend(going.into_iter().map(Leaving::into_member));
        let mut killed = Vec::new();
        for member in &hit {
            killed.push((member.name().to_owned(), member.lane.in_hand()));
            member.process.signal_group(signal)?;
        }
        let now = Instant::now();
        let placement = self.placement.as_mut().context("there are no nodes")?;
        let times = placement.cluster.times();
        let mut pauses = placement.cluster.longest_pauses(node);
        // A consumer that has looked since the notice has heard it, and need not look again. One that has not was silent until its
        // machine ended under it.
        let told = placement.on(node).map_or(now, |evicted| evicted.began);
        let silences = placement.cluster.silences(node, told, now).into_iter();
        let was_hit = |name: &String| killed.iter().any(|(killed, _)| killed == name);
        for (worker, silence) in silences.filter(|(name, _)| was_hit(name)) {
            let longest = pauses.entry(worker).or_default();
            *longest = silence.max(*longest);
        }
        placement.cluster.gone(node, now);
        if let Some(evicted) = placement.on(node) {
            evicted.seen.is_over = true;
            evicted.seen.longest_pauses = pauses;
            evicted.seen.killed.clone_from(&killed);
            if !killed.is_empty() {
                evicted.falls_short();
            }
        }
        let gone = NodeChange::Gone {
            stopped: is_stopped,
            killed: killed.into_iter().map(|(name, _)| name).collect(),
        };
        self.record_node(node, gone)?;
        let how = if is_stopped { "stopped" } else { "evicted" };
        self.mark(how, node)?;
        for member in hit {
            self.lose(member, is_stopped, now, times).await?;
        }
        Ok(())
    }

    async fn lose(
        &mut self,
        mut member: Member,
        is_stopped: bool,
        now: Instant,
        times: Times,
    ) -> anyhow::Result<()> {
        let (group, queue) = (member.group, member.queue);
        let (still, missed) = if is_stopped {
            (Some(member), now + times.stopped_is_missed)
        } else {
            let end = member.process.wait(GONE).await?;
            self.depart(&member, end, Cause::Evicted, None, "ended with its node")?;
            (None, now + times.deleted_is_missed)
        };
        let placement = self.placement.as_mut().context("there are no nodes")?;
        placement.lost.push(Lost {
            group,
            queue,
            still,
            missed,
        });
        Ok(())
    }

    /// Notices the loss of consumers that have been gone long enough; they will be replaced.
    pub(super) async fn miss(&mut self, now: Instant) -> anyhow::Result<()> {
        let Some(placement) = &mut self.placement else {
            return Ok(());
        };
        let lost = std::mem::take(&mut placement.lost);
        let (missed, unmissed): (Vec<_>, Vec<_>) =
            lost.into_iter().partition(|lost| lost.missed <= now);
        placement.lost = unmissed;
        for lost in missed {
            self.bury(lost).await?;
        }
        Ok(())
    }

    /// Kills a consumer that was frozen with its machine.
    async fn bury(&mut self, lost: Lost) -> anyhow::Result<()> {
        if let Some(mut member) = lost.still {
            let end = member.process.kill().await?;
            self.depart(&member, end, Cause::Evicted, None, "ended with its node")?;
        }
        Ok(())
    }

    /// Kills all consumers that are frozen with a stopped machine. Called at the end of a run.
    pub(in crate::local::fleet) async fn bury_all(&mut self) -> anyhow::Result<()> {
        let placement = self.placement.as_mut();
        let lost = placement.map(|placement| std::mem::take(&mut placement.lost));
        for lost in lost.unwrap_or_default() {
            self.bury(lost).await?;
        }
        Ok(())
    }
}
