//! Simulation of Jobs and single messages, without randomness.
//!
//! A Job takes one message at a time, the oldest first. It ends after its number of messages, or if it finds none. Jobs do not
//! fail. The working time of each message is drawn from [`Work`] by a fixed sequence that fills the distribution evenly.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::Unfinished;
use crate::simulate::{Fleet, Nodes};
use crate::{Arrivals, Figures, JobSettings, Queue, Work};

/// The messages, and the work of one Job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobWorkload {
    /// The messages that are sent.
    pub arrivals: Arrivals,
    /// Time from the creation of a Job to its first message: scheduling, a node, image, start. The Job is pending until then.
    pub start_delay: Duration,
    /// The working time of a message.
    pub work: Work,
    /// Messages after which a Job ends; it ends earlier if there is none. At least 1.
    pub messages_per_job: u32,
}

/// The times of polls, and of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobStart {
    /// The first poll.
    pub poll: Duration,
    /// The wall clock's time at time zero, since 1970 in UTC, for cron triggers.
    pub wall: Duration,
}

/// The observation and the result of one poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobPoll {
    /// The time of the poll.
    pub at: Duration,
    /// The messages in the queue.
    pub queue: Queue,
    /// The time and number of most messages since the poll before.
    pub peak: (Duration, u64),
    /// Unfinished Jobs before the poll.
    pub unfinished: Unfinished,
    /// Jobs that the poll created.
    pub made: u32,
}

/// Results of a simulation of a ScaledJob.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFigures {
    /// The figures with Jobs as replicas; those of scale-in are zero, since no Job is removed.
    pub figures: Figures,
    /// Number of Jobs created.
    pub made: u64,
    /// Number of Jobs that found no message: they were created for work that other Jobs had.
    pub in_vain: u64,
    /// Finished Jobs that remain at the end (`successfulJobsHistoryLimit`).
    pub kept: u32,
}

/// Events, in their order at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives(u32),
    /// A Job, which has done this many messages, looks for its next one.
    Takes(u32),
    Polls,
}

/// Simulates a ScaledJob from time zero to `horizon`; `each` gets every poll.
pub fn simulate_jobs(
    settings: &JobSettings,
    start: &JobStart,
    workload: &JobWorkload,
    horizon: Duration,
    nodes: Nodes,
    mut each: impl FnMut(&JobPoll),
) -> JobFigures {
    let mut run = Run {
        settings,
        workload,
        horizon,
        queue: Queue::default(),
        waiting: VecDeque::new(),
        unfinished: Unfinished::default(),
        figures: JobFigures::default(),
        fleet: Fleet::new(nodes),
        changed: Duration::ZERO,
        never_below: None,
        stranded_since: None,
        stranded_until: Duration::ZERO,
        emptied: Some(Duration::ZERO),
        peak: (Duration::ZERO, 0),
        taken: 0,
        events: BinaryHeap::new(),
    };
    let arrivals = workload.arrivals.messages(horizon);
    let mut arrivals = arrivals.into_iter().peekable();
    run.events.push(Reverse((start.poll, Event::Polls)));
    loop {
        // At the same time, messages come first.
        let next = run.events.peek().map(|it| it.0.0);
        let arrives = arrivals.next_if(|(at, _)| next.is_none_or(|next| *at <= next));
        let due = match arrives {
            Some((at, count)) => Some((at, Event::Arrives(count))),
            None => run.events.pop().map(|it| it.0),
        };
        let Some((now, event)) = due.filter(|due| due.0 <= horizon) else {
            break;
        };
        match event {
            Event::Arrives(count) => run.arrives(now, count),
            Event::Takes(done) => run.takes(now, done),
            Event::Polls => each(&run.polls(now, start.wall)),
        }
    }
    run.end(start.wall)
}

struct Run<'a> {
    settings: &'a JobSettings,
    workload: &'a JobWorkload,
    horizon: Duration,
    queue: Queue,
    /// The arrival times of waiting messages, oldest first.
    waiting: VecDeque<(Duration, u32)>,
    unfinished: Unfinished,
    figures: JobFigures,
    fleet: Fleet,
    /// When the number of Jobs last changed.
    changed: Duration,
    never_below: Option<u64>,
    stranded_since: Option<Duration>,
    /// The last poll at which messages were stranded; zero: none yet.
    stranded_until: Duration,
    emptied: Option<Duration>,
    peak: (Duration, u64),
    /// Messages that Jobs have taken.
    taken: u32,
    events: BinaryHeap<Reverse<(Duration, Event)>>,
}

impl Run<'_> {
    fn messages(&self) -> u64 {
        self.queue.visible + self.queue.leased
    }

    fn arrives(&mut self, now: Duration, count: u32) {
        self.queue.visible += u64::from(count);
        self.waiting.push_back((now, count));
        self.emptied = None;
        if self.messages() > self.peak.1 {
            self.peak = (now, self.messages());
        }
        let most = &mut self.figures.figures.most_messages;
        *most = (*most).max(self.queue.visible + self.queue.leased);
    }

    fn takes(&mut self, now: Duration, done: u32) {
        if done > 0 {
            self.queue.leased -= 1;
        } else {
            self.unfinished.pending -= 1;
            self.note_full(now);
        }
        if done < self.workload.messages_per_job.max(1) && self.take_oldest(now) {
            let work = self.workload.work.nth(self.taken);
            self.taken = self.taken.wrapping_add(1);
            self.events
                .push(Reverse((now + work, Event::Takes(done + 1))));
        } else {
            self.count_jobs(now, self.unfinished.all - 1);
            self.figures.in_vain += u64::from(done == 0);
        }
        if self.messages() == 0 {
            self.emptied.get_or_insert(now);
        }
    }

    fn take_oldest(&mut self, now: Duration) -> bool {
        self.note_wait(now);
        let Some((_, count)) = self.waiting.front_mut() else {
            return false;
        };
        *count -= 1;
        if *count == 0 {
            self.waiting.pop_front();
        }
        self.queue.visible -= 1;
        self.queue.leased += 1;
        true
    }

    /// Records the wait of the oldest waiting message, and the part of the wait since messages were last stranded.
    fn note_wait(&mut self, now: Duration) {
        let Some((came, _)) = self.waiting.front() else {
            return;
        };
        let (since, unstranded) = (*came, (*came).max(self.stranded_until));
        let figures = &mut self.figures.figures;
        figures.longest_wait = figures.longest_wait.max(now.saturating_sub(since));
        let longest = &mut figures.longest_unstranded_wait;
        *longest = (*longest).max(now.saturating_sub(unstranded));
    }

    fn polls(&mut self, now: Duration, wall: Duration) -> JobPoll {
        let (settings, unfinished) = (self.settings, self.unfinished);
        let made = settings.jobs_to_make(Ok(self.queue), wall + now, unfinished);
        let peak = (now, self.messages());
        let poll = JobPoll {
            at: now,
            queue: self.queue,
            peak: if peak.1 >= self.peak.1 {
                peak
            } else {
                self.peak
            },
            unfinished,
            made,
        };
        self.peak = peak;
        self.count_jobs(now, unfinished.all.saturating_add(made));
        self.unfinished.pending += made;
        self.figures.made += u64::from(made);
        for _ in 0..made {
            let at = now + self.workload.start_delay;
            self.events.push(Reverse((at, Event::Takes(0))));
        }
        let next = now + settings.polling_interval;
        self.events.push(Reverse((next, Event::Polls)));
        if now >= self.horizon / 2 {
            let messages = self.messages();
            let below = self.never_below.get_or_insert(messages);
            *below = messages.min(*below);
        }
        self.note_stranded(now, wall);
        poll
    }

    fn count_jobs(&mut self, now: Duration, jobs: u32) {
        let figures = &mut self.figures.figures;
        figures.replica_time += now.saturating_sub(self.changed) * self.unfinished.all;
        figures.most_replicas = figures.most_replicas.max(jobs);
        self.changed = now;
        self.unfinished.all = jobs;
        self.fleet.set(now, jobs);
    }

    /// Records when the maximum number of Jobs has started.
    fn note_full(&mut self, now: Duration) {
        let started = self.unfinished.all - self.unfinished.pending;
        let most = self
            .settings
            .least()
            .saturating_add(self.settings.most_besides());
        if started >= most {
            let first = self.workload.arrivals.first().unwrap_or_default();
            let full = &mut self.figures.figures.full_scale;
            full.get_or_insert(now.saturating_sub(first));
        }
    }

    /// Records messages without a Job that are too few for a poll to create one.
    fn note_stranded(&mut self, now: Duration, wall: Duration) {
        let never = self.unfinished.all == 0
            && self.queue.visible > 0
            && !self.settings.paused
            && !self.settings.is_active(self.queue, wall + now);
        if never {
            if self.stranded_since.is_none() {
                self.note_wait(now);
            }
            self.stranded_until = now;
            let since = *self.stranded_since.get_or_insert(now);
            let longest = &mut self.figures.figures.stranded_longest;
            *longest = (*longest).max(now.saturating_sub(since));
        } else {
            self.stranded_since = None;
        }
    }

    fn end(mut self, wall: Duration) -> JobFigures {
        let horizon = self.horizon;
        self.count_jobs(horizon, self.unfinished.all);
        self.note_stranded(horizon, wall);
        self.note_wait(horizon);
        let left = self.messages();
        let unfinished = u64::from(self.unfinished.all);
        let finished = self.figures.made.saturating_sub(unfinished);
        let finished = u32::try_from(finished).unwrap_or(u32::MAX);
        self.figures.kept = self.settings.kept(finished, 0).0;
        let figures = &mut self.figures.figures;
        figures.left = left;
        figures.never_below = self.never_below.unwrap_or(left);
        if self.stranded_since.is_some() {
            figures.stranded = left;
        }
        let last = self
            .workload
            .arrivals
            .last()
            .filter(|last| *last <= horizon);
        let emptied = last.zip(self.emptied);
        figures.drain = emptied.map(|(last, empty)| empty.saturating_sub(last));
        (figures.most_nodes, figures.node_time) = self.fleet.end(horizon);
        self.figures
    }
}
