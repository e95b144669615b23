//! Watches a run: samples queue, workers and sends twice a second, for the report and for steps that wait.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use judge::Census;
use platform::Roster;
use platform::storage::Queue;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;
use workflow::contract::Stamp;
use workflow::task;

use super::sending::Told;
use crate::events::{Event, EventLog, Sample};
use crate::wire::Wire;

/// Time between two samples.
const EVERY: Duration = Duration::from_millis(500);

/// The source of the producer's counts, as soon as there is a producer.
pub(super) type Counts = Arc<Mutex<Option<watch::Receiver<Told>>>>;

/// The parts of a run that are sampled.
pub(super) struct Watched {
    pub(super) queue: Arc<dyn Queue>,
    pub(super) roster: watch::Receiver<Roster>,
    pub(super) wire: Option<Arc<dyn Wire>>,
    pub(super) counts: Counts,
    pub(super) log: EventLog,
}

/// The sampler of one run, active until it is stopped or dropped.
pub(super) struct Watch {
    stop: DropGuard,
    task: AbortOnDropHandle<anyhow::Result<()>>,
    last: watch::Receiver<Sample>,
    began: Instant,
    census: watch::Receiver<Census>,
    _counts: AbortOnDropHandle<()>,
}

impl Watch {
    pub(super) fn start(watched: Watched) -> Self {
        let stop = CancellationToken::new();
        let (taken, last) = watch::channel(Sample::default());
        let (counted, census) = watch::channel(Census::default());
        let began = Instant::now();
        let counts = task::spawn(count(watched.roster.clone(), began, counted));
        let task = task::spawn(watched.follow(stop.clone(), taken));
        Self {
            stop: stop.drop_guard(),
            task,
            last,
            began,
            census,
            _counts: counts,
        }
    }

    /// The last sample.
    pub(super) fn last(&self) -> Sample {
        *self.last.borrow()
    }

    /// How many workers ran over time, until now.
    pub(super) fn census(&self) -> Census {
        let mut census = self.census.borrow().clone();
        census.look(self.began.elapsed());
        census
    }

    /// Takes one more sample, and stops.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.task
            .await
            .context("watch the run")?
            .context("watch the run")
    }
}

/// Follows `roster` until it ends, and adds each change to `census`.
async fn count(mut roster: watch::Receiver<Roster>, began: Instant, census: watch::Sender<Census>) {
    loop {
        let now = began.elapsed();
        let seen = roster.borrow_and_update().clone();
        let running = seen.running().count();
        census.send_modify(|census| {
            census.take(running, seen.wanted, now);
            census.note_room(seen.no_room.as_deref(), now);
        });
        if roster.changed().await.is_err() {
            return;
        }
    }
}

impl Watched {
    async fn follow(
        self,
        stop: CancellationToken,
        taken: watch::Sender<Sample>,
    ) -> anyhow::Result<()> {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let stopped = tokio::select! {
                () = stop.cancelled() => true,
                _ = tick.tick() => false,
            };
            let sample = self.sample().await;
            self.log.append(Stamp::now(), Event::Sample(sample))?;
            taken.send_replace(sample);
            if stopped {
                return Ok(());
            }
        }
    }

    fn counted(&self) -> Option<(u64, Stamp)> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.as_ref()?.borrow().counted
    }

    async fn sample(&self) -> Sample {
        let counted = self.counted();
        let (running, leaving, in_hand) = {
            let roster = self.roster.borrow();
            let wire = self.wire.as_ref();
            (
                roster.running().count() as u64,
                roster.ending().count() as u64,
                wire.map(|wire| roster.in_hand(&**wire)),
            )
        };
        Sample {
            // If the depth cannot be read, the sample has none, rather than 0.
            queue_depth: self.queue.approximate_count().await.ok(),
            consumers: Some(running),
            leaving: Some(leaving),
            in_hand,
            sent: counted.map(|(count, _)| count),
            sent_at: counted.map(|(_, at)| at),
            hit: self.wire.as_ref().map(|wire| wire.struck()),
        }
    }
}
