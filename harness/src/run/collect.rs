//! Collects the evidence from storage: every row, every message left in the queue, every poison message.

use anyhow::Context as _;
use evidence::poison::PoisonFound;
use futures::TryStreamExt as _;
use platform::storage::Queue;
use producer::Summary;
use workflow::contract::Payloads;
use workflow::contract::workload::Lens;
use workflow::ports::EntityStream;

use super::settle::depth;
use super::{QueueLook, Run, Sent};
use crate::audit::{AtWork, Audit, Auditor, Expectation, ExpectedPoison, Sends};
use crate::measure::{Hops, Measure as _};

/// What a run left behind, judged and measured.
#[derive(Debug)]
pub struct Collected {
    /// The judgement.
    pub audit: Audit,
    /// Latency by hop.
    pub hops: Hops,
    /// The poison queue.
    pub poison: Vec<PoisonFound>,
}

impl Run {
    /// Reads everything that the run left in storage and judges it against `sent`. `expected_poison`: the messages that a scenario
    /// sent and that must end in the poison queue.
    pub async fn collect(
        &self,
        sent: &Sent,
        expected_poison: ExpectedPoison,
    ) -> anyhow::Result<Collected> {
        if let Some(wire) = self.stage.wire() {
            wire.finish().await?;
        }
        let store = self.store();
        let leftovers = Leftovers {
            queue: &*store.queue,
            poison: store.poison.as_deref(),
            lens: &store.lens,
            own_storage: true,
            at_work: None,
        };
        let rows = store.table.all_entities();
        let wired = self.stage.wire().is_some();
        let nodes = self.stage.workers().nodes().await;
        let hear = |auditor: &mut Auditor| {
            if wired {
                let mut protocol = auditor.protocol().of(store.names.clone());
                protocol = protocol.on_nodes(nodes);
                if !self.stage.has_one_clock() {
                    protocol = protocol.with_clocks_apart();
                }
                let mut protocol = self.judge_history(protocol)?;
                if let Some((pauses, now)) = self.stage.wire().and_then(|wire| wire.paused()) {
                    protocol.paused(&pauses, now);
                }
                auditor.hear(protocol.finish());
            }
            anyhow::Ok(())
        };
        let audited = leftovers.audit(rows, &sent.summary, expected_poison, hear);
        let (auditor, hops, poison) = audited.await?;
        let mut audit = auditor.finish();
        if wired {
            self.add_timelines(&mut audit)?;
        }
        Ok(Collected {
            audit,
            hops,
            poison,
        })
    }
}

/// What a load with this summary must have left in storage; `poison` are its messages that must be in the poison queue.
pub fn expectation(summary: &Summary, poison: ExpectedPoison) -> Expectation {
    let ranges = |ranges: &producer::SeqRanges| ranges.iter().map(|(from, to)| from..=to).collect();
    let planned = summary.planned.unwrap_or(summary.begun);
    let payloads = Payloads {
        seed: summary.seed,
        size: summary.payload,
    };
    Expectation {
        begun: summary.begun,
        sends: Sends {
            unknown: ranges(&summary.exceptions.unknown),
            failed: ranges(&summary.exceptions.failed),
            stopped: summary.stopped,
        },
        stamp_sums: summary.stamp_sums.clone(),
        begun_at: Some(summary.started),
        poison,
        complete: !summary.interrupted,
        ..Expectation::new(summary.run.clone(), payloads, planned)
    }
}

/// What a run has left in storage.
#[derive(Clone, Copy)]
pub struct Leftovers<'a> {
    /// Its queue.
    pub queue: &'a dyn Queue,
    /// Its poison queue; `None` where there is none.
    pub poison: Option<&'a dyn Queue>,
    /// How its messages and rows look.
    pub lens: &'a Lens,
    /// Whether no other run uses its table and its queues.
    pub own_storage: bool,
    /// Why the queue may still change, if it may.
    pub at_work: Option<AtWork>,
}

impl Leftovers<'_> {
    /// Reads both queues and `rows`, and judges them against `summary`. Latencies are measured from the rows of the run's own
    /// messages only.
    ///
    /// The queues are read first: a message that a consumer finishes meanwhile is then found in the queue and in the table. In the
    /// opposite order it would be found in neither, and count as lost.
    ///
    /// `hear` gives the auditor other evidence, such as the history, before the queues and the rows.
    pub async fn audit(
        &self,
        rows: EntityStream,
        summary: &Summary,
        expected_poison: ExpectedPoison,
        hear: impl FnOnce(&mut Auditor) -> anyhow::Result<()>,
    ) -> anyhow::Result<(Auditor, Hops, Vec<PoisonFound>)> {
        let mut auditor = Auditor::new(Expectation {
            description: self.lens.description().clone(),
            own_table: self.own_storage,
            shared_storage: !self.own_storage,
            ..expectation(summary, expected_poison)
        })?;
        hear(&mut auditor)?;
        let mut hops = Hops::under(auditor.circumstances());
        let sends = summary
            .send_us
            .histogram()
            .context("read the producer's send times")?;
        hops.add_send(&sends)
            .context("add the producer's send times")?;
        let look = self.look_into_queue(&mut auditor).await?;
        let poison = match self.poison {
            Some(poison) => super::poison::read(poison, self.lens).await?,
            None => Vec::new(),
        };
        for found in &poison {
            match found {
                PoisonFound::SetAside(found) => auditor.poisoned(found.as_ref().clone()),
                PoisonFound::Foreign(text) => auditor.poisoned_in_another_form(text),
            }
        }
        let mut rows = rows;
        while let Some(row) = rows
            .try_next()
            .await
            .context("read the table for the audit")?
        {
            let mut row = self.lens.row(&row);
            if let Some(seq) = auditor.row(&row) {
                auditor.fill_stamps(seq, &mut row);
                hops.record_ended(&row, auditor.ending(&row));
            }
        }
        if let Some(work) = self.still_at_work(&look).await? {
            auditor.at_work(work);
        }
        Ok((auditor, hops, poison))
    }

    /// Tells the auditor which messages are left in the queue. Only visible messages can be peeked at, and only the first 32; the
    /// rest is counted.
    async fn look_into_queue(&self, auditor: &mut Auditor) -> anyhow::Result<QueueLook> {
        let look = QueueLook::take(self.queue).await;
        let look = look.context("look into the queue")?;
        for message in &look.visible {
            auditor.left_in_queue(&message.body);
        }
        auditor.left_unseen(look.unseen());
        Ok(look)
    }

    /// Why the queue may still change after everything was read, if `look` found messages there that may belong to the run. `None`
    /// for a run with a queue of its own: its time to settle is over, and its consumers have ended.
    async fn still_at_work(&self, look: &QueueLook) -> anyhow::Result<Option<AtWork>> {
        if self.own_storage || !look.may_hold(self.lens) {
            return Ok(None);
        }
        let leased = look.leased().filter(|leased| *leased > 0);
        let known = self.at_work.or(leased.map(AtWork::Leased));
        if known.is_some() {
            return Ok(known);
        }
        let now = depth(self.queue).await;
        let now = now.context("count what is left in the queue")?;
        Ok((now != look.depth).then_some(AtWork::Changing))
    }
}
