//! One load, from its start to its summary.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use workflow::contract::Stamp;

use crate::closed_loop;
use crate::pacer::{Due, Pacer, Pacing};
use crate::plan::{Pace, Plan};
use crate::send::{Fatal, Sender, chain};
use crate::sink::Sink;
use crate::summary::Summary;
use crate::tally::Board;

/// A load that has ended.
#[derive(Debug)]
pub struct LoadEnd {
    /// What was sent.
    pub summary: Summary,
    /// Why it could not go on, if it could not.
    pub fatal: Option<Fatal>,
}

/// A broken invariant; a bug.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The operating system cannot start a thread.
    #[error("start the pacing thread")]
    Thread(#[source] std::io::Error),
    /// The pacing thread panicked.
    #[error("pace the load: the thread panicked")]
    Pacer,
    /// A sender panicked.
    #[error("send messages: a task panicked")]
    Sender(#[source] tokio::task::JoinError),
}

/// Sends the load of `plan` at `pace` into `sink` until it has ended or `stop` is cancelled; then waits for the sends in
/// flight, at most the plan's grace period.
pub(crate) async fn run<S: Sink>(
    plan: Arc<Plan>,
    pace: Pace,
    sink: S,
    board: Arc<Board>,
    pacing: Pacing,
    stop: CancellationToken,
) -> Result<LoadEnd, LoadError> {
    let planned = pace.planned();
    let queue = sink.queue().map(str::to_owned);
    let sender = Arc::new(Sender::new(plan.clone(), sink, board.clone(), stop));
    let (started, start) = (Stamp::now(), Instant::now().into_std());
    let completed = match pace {
        Pace::Scheduled(schedule, slice) => {
            let workers = most_in_flight(&plan, planned);
            let (pacer, feed) = match pacing {
                Pacing::Thread => {
                    Pacer::start(schedule, slice, start).map_err(LoadError::Thread)?
                }
                Pacing::Timer => Pacer::on_timer(schedule, slice, start),
            };
            open_loop(&sender, workers, pacer, feed, &plan).await?
        }
        Pace::Sample { messages, duration } => {
            let mut tasks = JoinSet::new();
            let looping = sender.clone();
            tasks.spawn(async move { closed_loop::run(&looping, start, messages, duration).await });
            finish(&sender, &plan, tasks).await?
        }
    };
    let mut summary = Summary::new(&plan, queue, planned, &board.lock());
    summary.time(started, Instant::now().into_std() - start);
    summary.interrupted = !completed;
    let fatal = sender.take_fatal();
    summary.fatal = fatal.as_ref().map(|fatal| chain(fatal));
    Ok(LoadEnd { summary, fatal })
}

fn most_in_flight(plan: &Plan, planned: Option<u64>) -> usize {
    let planned = planned.and_then(|n| usize::try_from(n).ok());
    plan.concurrency.min(planned.unwrap_or(usize::MAX))
}

/// Returns whether every message of the schedule was begun.
async fn open_loop<S: Sink>(
    sender: &Arc<Sender<S>>,
    workers: usize,
    pacer: Pacer,
    feed: mpsc::Receiver<Due>,
    plan: &Plan,
) -> Result<bool, LoadError> {
    // Long-lived workers take turns at the feed: that costs less than a task for each message, and keeps the order.
    let feed = Arc::new(Mutex::new(feed));
    let mut tasks = JoinSet::new();
    for _ in 0..workers {
        let (sender, feed) = (sender.clone(), feed.clone());
        tasks.spawn(async move { work(&sender, &feed).await });
    }
    drop(feed);
    let mut finished = std::pin::pin!(finish(sender, plan, tasks));
    let all_begun = tokio::select! {
        ended = &mut finished => ended,
        () = sender.stopping() => {
            pacer.stop();
            finished.await
        }
    };
    pacer.stop();
    let complete = pacer.join().await.map_err(|_| LoadError::Pacer)?;
    Ok(all_begun? && complete.is_some())
}

/// Takes messages from the feed until the feed or the run ends. Returns `false` if it left a message that was due.
async fn work<S: Sink>(sender: &Sender<S>, feed: &Mutex<mpsc::Receiver<Due>>) -> bool {
    loop {
        let due = feed.lock().await.recv().await;
        let Some(due) = due else { return true };
        if sender.is_stopping() {
            return false;
        }
        sender.deliver(due).await;
    }
}

/// Waits for all tasks. After a stop it waits at most for the grace period, and then drops unfinished sends, which count as unknown
/// or failed.
async fn finish<S: Sink>(
    sender: &Arc<Sender<S>>,
    plan: &Plan,
    mut tasks: JoinSet<bool>,
) -> Result<bool, LoadError> {
    let mut completed = true;
    let over_grace = async {
        sender.stopping().await;
        tokio::time::sleep(plan.grace).await;
    };
    tokio::pin!(over_grace);
    loop {
        tokio::select! {
            ended = tasks.join_next() => match ended {
                None => return Ok(completed),
                Some(ended) => completed &= ended.map_err(LoadError::Sender)?,
            },
            () = &mut over_grace => {
                tracing::warn!(sends = sender.in_flight(), "grace period over: sends in flight are given up");
                tasks.shutdown().await;
                return Ok(false);
            }
        }
    }
}

#[cfg(test)]
mod tests;
