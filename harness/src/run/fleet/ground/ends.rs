//! How consumers end with their node, or because of it: told by their machine, killed with it, or standing still for ever.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::signal::Signal;

use super::super::{Asked, Departure, Fleet, Leaving, Member};
use super::Lost;
use crate::events::NodeChange;
use crate::nodes::{Ended, Notice, Times};

/// How long a process may take to be gone after SIGKILL.
const GONE: Duration = Duration::from_secs(10);

impl Fleet {
    /// Takes away those that have ended by themselves on a node whose machine was told.
    pub(super) fn take_drained(&mut self) -> anyhow::Result<()> {
        let told: Vec<(String, Instant)> = self
            .evictions()
            .iter()
            .filter(|it| it.eviction.notice.is_some() && !it.is_over)
            .map(|it| (it.node.clone(), it.began))
            .collect();
        for (node, since) in told {
            let mut staying = Vec::new();
            for mut member in std::mem::take(&mut self.running) {
                let on_it = member.node.as_deref() == Some(&node);
                match if on_it {
                    member.process.try_status()?
                } else {
                    None
                } {
                    None => staying.push(member),
                    Some(status) => {
                        let asked = Asked { at: since, held: 0 };
                        let how = format!("ended on the notice of its node's eviction: {status}");
                        let departure = self.departure(&member, status, Some(asked), &how)?;
                        self.left.push(departure.clone());
                        self.note_drained(&node, departure)?;
                    }
                }
            }
            self.running = staying;
        }
        self.count();
        Ok(())
    }

    fn note_drained(&mut self, node: &str, departure: Departure) -> anyhow::Result<()> {
        let ground = self.ground.as_mut().context("there are no nodes")?;
        ground.cluster.ended(&departure.name);
        let Some(evicted) = ground.on(node) else {
            return Ok(());
        };
        evicted.short.get_or_insert_with(Instant::now);
        evicted.ended.push(departure);
        if evicted.ended.len() < evicted.consumers.len() {
            return Ok(());
        }
        let after = evicted.began.elapsed();
        evicted.drained = Some(after);
        let after_ms = u64::try_from(after.as_millis())?;
        self.record_node(node, NodeChange::Drained { after_ms })
    }

    /// The machine of `node` ends, and at once with it everything on it.
    pub(super) async fn end_machine(&mut self, node: &str, notice: &Notice) -> anyhow::Result<()> {
        let signal = match notice.eviction.ends {
            Ended::Deleted => Signal::SIGKILL,
            Ended::Stopped => Signal::SIGSTOP,
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
        self.count();
        let mut killed = Vec::new();
        for member in &hit {
            killed.push((member.process.name().to_owned(), member.lane.in_hand()));
            member.process.signal_group(signal)?;
        }
        let now = Instant::now();
        let ground = self.ground.as_mut().context("there are no nodes")?;
        let times = ground.cluster.times();
        ground.cluster.gone(node, now);
        if let Some(evicted) = ground.on(node) {
            evicted.is_over = true;
            evicted.killed.clone_from(&killed);
            if !killed.is_empty() {
                evicted.short.get_or_insert(now);
            }
        }
        let gone = NodeChange::Gone {
            stopped: notice.eviction.ends == Ended::Stopped,
            killed: killed.into_iter().map(|(name, _)| name).collect(),
        };
        self.record_node(node, gone)?;
        let how = match notice.eviction.ends {
            Ended::Deleted => "evicted",
            Ended::Stopped => "stopped",
        };
        self.mark(how, node)?;
        for member in hit {
            self.lose(member, notice.eviction.ends, now, times).await?;
        }
        Ok(())
    }

    async fn lose(
        &mut self,
        mut member: Member,
        ends: Ended,
        now: Instant,
        times: Times,
    ) -> anyhow::Result<()> {
        let lost = match ends {
            Ended::Stopped => Lost {
                still: Some(member),
                missed: now + times.stopped_is_missed,
            },
            Ended::Deleted => {
                let status = member.process.wait(GONE).await?;
                self.record_exit(&member.process, status, true)?;
                Lost {
                    still: None,
                    missed: now + times.deleted_is_missed,
                }
            }
        };
        let ground = self.ground.as_mut().context("there are no nodes")?;
        ground.lost.push(lost);
        Ok(())
    }

    /// Those that have been gone for long enough are missed, and will be replaced.
    pub(super) async fn miss(&mut self, now: Instant) -> anyhow::Result<()> {
        let Some(ground) = &mut self.ground else {
            return Ok(());
        };
        let lost = std::mem::take(&mut ground.lost);
        let (missed, unmissed): (Vec<_>, Vec<_>) =
            lost.into_iter().partition(|lost| lost.missed <= now);
        ground.lost = unmissed;
        for lost in missed {
            self.bury(lost).await?;
        }
        Ok(())
    }

    /// What stood still never goes on.
    async fn bury(&self, lost: Lost) -> anyhow::Result<()> {
        if let Some(mut member) = lost.still {
            let status = member.process.kill().await?;
            self.record_exit(&member.process, status, true)?;
        }
        Ok(())
    }

    /// Ends what machines that were stopped have left standing still. At the end of a run.
    pub(in crate::run::fleet) async fn bury_all(&mut self) -> anyhow::Result<()> {
        let lost = self
            .ground
            .as_mut()
            .map(|ground| std::mem::take(&mut ground.lost));
        for lost in lost.unwrap_or_default() {
            self.bury(lost).await?;
        }
        Ok(())
    }
}
