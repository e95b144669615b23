//! Jobs and single messages together, with no randomness.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::Unfinished;
use crate::{JobSettings, Queue};

/// Messages and what one job does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobWorkload {
    /// So many messages at a time, in the order of time.
    pub arrivals: Vec<(Duration, u32)>,
    /// From the making of a job to its first message: scheduling, a node, image, start. It is pending until then.
    pub start_delay: Duration,
    /// How long a job works on a message. It takes one at a time.
    pub work: Duration,
    /// Messages after which a job ends; it ends sooner when there is none.
    pub messages_per_job: u32,
}

/// What a poll saw and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobPoll {
    /// When.
    pub at: Duration,
    /// Messages.
    pub queue: Queue,
    /// Jobs that were not finished before it.
    pub unfinished: Unfinished,
    /// Jobs that it made.
    pub made: u32,
}

/// A simulation of a ScaledJob.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobSeries {
    /// Each poll.
    pub polls: Vec<JobPoll>,
    /// Most jobs at a time.
    pub most_jobs: u32,
    /// Jobs that were made.
    pub made: u32,
    /// Jobs that found no message: made for work that others had.
    pub in_vain: u32,
    /// When the last message was done; `None`: some are left at the horizon, or none came.
    pub done: Option<Duration>,
    /// Messages that are left at the horizon.
    pub left: u64,
}

/// What happens, at one moment in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives(u32),
    /// A job looks for its next message; so many it has done.
    Takes(u32),
    Polls,
}

/// Runs a ScaledJob with one trigger from time zero, when the operator polls first, to `horizon`.
pub fn simulate_jobs(
    settings: &JobSettings,
    workload: &JobWorkload,
    horizon: Duration,
) -> JobSeries {
    let mut series = JobSeries::default();
    let mut queue = Queue::default();
    let mut unfinished = Unfinished::default();
    let arrivals = workload.arrivals.iter();
    let mut events: BinaryHeap<_> = arrivals
        .map(|(at, count)| Reverse((*at, Event::Arrives(*count))))
        .collect();
    events.push(Reverse((Duration::ZERO, Event::Polls)));
    while let Some(Reverse((now, event))) = events.pop().filter(|it| it.0.0 <= horizon) {
        match event {
            Event::Arrives(count) => {
                queue.visible += u64::from(count);
                series.done = None;
            }
            Event::Takes(done) => {
                if done > 0 {
                    queue.leased -= 1;
                } else {
                    unfinished.pending -= 1;
                }
                if queue.visible > 0 && done < workload.messages_per_job {
                    queue.visible -= 1;
                    queue.leased += 1;
                    events.push(Reverse((now + workload.work, Event::Takes(done + 1))));
                } else {
                    unfinished.all -= 1;
                    series.in_vain += u32::from(done == 0);
                }
                if done > 0 && queue == Queue::default() {
                    series.done = Some(now);
                }
            }
            Event::Polls => {
                let made = settings.jobs_to_make(&[Ok(queue)], unfinished);
                series.polls.push(JobPoll {
                    at: now,
                    queue,
                    unfinished,
                    made,
                });
                unfinished.all += made;
                unfinished.pending += made;
                series.made += made;
                series.most_jobs = series.most_jobs.max(unfinished.all);
                for _ in 0..made {
                    events.push(Reverse((now + workload.start_delay, Event::Takes(0))));
                }
                events.push(Reverse((now + settings.polling_interval, Event::Polls)));
            }
        }
    }
    series.left = queue.visible + queue.leased;
    series
}
