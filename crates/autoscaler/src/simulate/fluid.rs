//! Messages and consumers, as continuous amounts.
//!
//! Messages arrive at a rate, and each of the replicas works on several at the same time. The service depends on the work:
//! [`cohorts`] for work that takes a known time, [`flow`] for the rest. A replica that ends continues for its grace period;
//! unfinished messages then go back into the queue, and begin anew on another replica.

mod cohorts;
mod flow;
mod waits;

use std::collections::VecDeque;
use std::time::Duration;

use super::{Work, Workload, arrivals};
use crate::Queue;
use cohorts::Cohorts;
use flow::Flow;
use waits::Waits;

/// Amounts below this count as no messages. As a continuous amount, the last message would never be quite finished; with a
/// half, *n* messages take about as long as *n* independent ones do on average.
const NONE: f64 = 0.5;
/// Work shorter than this is served as a flow: the loops poll every few seconds.
const SHORT: Duration = Duration::from_secs(1);

/// The queue, and the replicas that serve it.
#[derive(Debug)]
pub(super) struct Fluid<'a> {
    workload: &'a Workload,
    arrivals: arrivals::Cursor<'a>,
    now: Duration,
    /// Waiting messages; with a [`Flow`], also those in work.
    backlog: f64,
    server: Server,
    working: u32,
    /// Replicas that will start, by the time of their start.
    starting: VecDeque<(Duration, u32)>,
    leaving: Vec<Leaving>,
    empty_since: Option<Duration>,
    peak: Option<(Duration, f64)>,
    waits: Waits,
}

#[derive(Debug)]
enum Server {
    Cohorts(Cohorts),
    Flow(Flow),
}

/// Messages of ended replicas that are in their grace period.
#[derive(Debug, Clone, Copy)]
struct Leaving {
    at: Duration,
    messages: f64,
    /// Whether they go back to the queue; otherwise they are finished.
    back: bool,
}

/// Losses by ending replicas: amounts, since messages are spread evenly over replicas of the same age.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Ended {
    /// Replicas that ended while they worked on messages.
    pub(super) replicas: f64,
    /// Messages in work on them.
    pub(super) messages: f64,
    /// Messages of these that are not finished within the grace period, and begin anew.
    pub(super) cut_off: f64,
}

/// The server's messages on replicas that end.
#[derive(Debug, Default)]
struct Cut {
    replicas: f64,
    messages: f64,
    lost: f64,
    /// The messages that finish within the grace period, with their times in seconds.
    finishing: Vec<(f64, f64)>,
}

impl<'a> Fluid<'a> {
    pub(super) fn new(workload: &'a Workload, working: u32) -> Self {
        let work = workload.service.work;
        let in_flight = f64::from(workload.service.in_flight.max(1));
        let server = match work {
            Work::Fixed(time) if time >= SHORT => {
                Server::Cohorts(Cohorts::fixed(time.as_secs_f64(), in_flight))
            }
            Work::Uniform(least, most) if work.mean() >= SHORT => Server::Cohorts(
                Cohorts::uniform(least.as_secs_f64(), most.as_secs_f64(), in_flight),
            ),
            work => Server::Flow(Flow::new(work, in_flight)),
        };
        let mut new = Self {
            workload,
            arrivals: workload.arrivals.cursor(),
            now: Duration::ZERO,
            backlog: 0.0,
            server,
            working: 0,
            starting: VecDeque::new(),
            leaving: Vec::new(),
            empty_since: Some(Duration::ZERO),
            peak: None,
            waits: Waits::default(),
        };
        new.start(working);
        new
    }

    pub(super) fn now(&self) -> Duration {
        self.now
    }

    pub(super) fn working(&self) -> u32 {
        self.working
    }

    pub(super) fn empty_since(&self) -> Option<Duration> {
        self.empty_since
    }

    /// The time and number of most messages since the last call.
    pub(super) fn take_peak(&mut self) -> (Duration, u64) {
        let (at, most) = self.peak.take().unwrap_or((self.now, self.messages()));
        (at, whole(most))
    }

    /// The longest wait since the last call, of messages that were taken, or that still wait.
    pub(super) fn take_longest_wait(&mut self) -> Duration {
        let waiting = self.waiting();
        self.waits.take_longest(self.now, waiting)
    }

    pub(super) fn run_to(&mut self, until: Duration) {
        loop {
            self.change();
            if self.now >= until {
                return;
            }
            let started = self.starting.front().map(|(at, _)| *at);
            let left = self.leaving.iter().map(|it| it.at).min();
            let changes = [self.arrivals.next_change(), started, left];
            let change = changes.into_iter().flatten().min().unwrap_or(until);
            self.serve(change.min(until));
        }
    }

    /// Applies the changes at this time: bursts arrive, replicas start, ended replicas return or finish messages.
    fn change(&mut self) {
        let seconds = self.now.as_secs_f64();
        let burst = self.arrivals.bursts(self.now);
        if burst > 0.0 {
            self.waits.settle(self.waiting());
            self.backlog += burst;
            self.waits.come(seconds, seconds, burst);
        }
        while let Some((at, count)) = self.starting.front().copied()
            && at <= self.now
        {
            self.starting.pop_front();
            self.start(count);
        }
        let now = self.now;
        let (backlog, waits) = (&mut self.backlog, &mut self.waits);
        self.leaving.retain(|it| {
            let goes = it.at <= now;
            if goes && it.back {
                *backlog += it.messages;
                // They wait anew.
                waits.come(seconds, seconds, it.messages);
            }
            !goes
        });
        self.note_empty(now);
        self.note_peak(now, self.messages());
    }

    fn start(&mut self, replicas: u32) {
        if replicas == 0 {
            return;
        }
        self.working += replicas;
        match &mut self.server {
            Server::Cohorts(cohorts) => cohorts.start(replicas),
            Server::Flow(flow) => flow.start(replicas),
        }
    }

    /// Serves until `until`; before that, neither the arrival rate nor the replicas change.
    fn serve(&mut self, until: Duration) {
        let per_second = self.arrivals.per_second();
        let (from, to) = (self.now.as_secs_f64(), until.as_secs_f64());
        let before = self.waiting();
        let mut begun = self.waits.begun(before);
        self.waits.come(from, to, per_second * (to - from));
        let leaving: f64 = self.leaving.iter().map(|it| it.messages).sum();
        let empty = match &mut self.server {
            Server::Flow(flow) => {
                let empty = flow.serve(from, to, per_second, &mut self.backlog);
                let after = self.backlog - flow.busy(self.backlog);
                let last = flow.none_waits(before, per_second) + from;
                let last = if after > 0.0 { to } else { last.min(to) };
                let taken = per_second.mul_add(last - from, before) - after;
                self.waits.taken(from, last, begun, taken);
                empty
            }
            Server::Cohorts(cohorts) => {
                let served = cohorts.serve(from, to, per_second, &mut self.backlog);
                for (first, last, messages) in cohorts.taken.drain(..) {
                    self.waits.taken(first, last, begun, messages);
                    begun += messages;
                }
                let (at, most) = served.peak;
                self.note_peak(moment(at, until), most + leaving);
                served.empty_since
            }
        };
        if let Some(at) = empty.map(|at| moment(at, until)) {
            if at > self.now {
                self.empty_since = None;
            }
            self.empty_since.get_or_insert(at);
        }
        self.now = until;
        self.note_empty(until);
        self.note_peak(until, self.messages());
    }

    fn note_empty(&mut self, now: Duration) {
        if self.messages() < NONE {
            self.empty_since.get_or_insert(now);
        } else {
            self.empty_since = None;
        }
    }

    fn note_peak(&mut self, at: Duration, messages: f64) {
        if self.peak.is_none_or(|(_, most)| messages > most) {
            self.peak = Some((at, messages));
        }
    }

    /// All messages, including those of ended replicas.
    fn messages(&self) -> f64 {
        let leaving: f64 = self.leaving.iter().map(|it| it.messages).sum();
        let busy = match &self.server {
            Server::Cohorts(cohorts) => cohorts.busy,
            Server::Flow(_) => 0.0,
        };
        self.backlog + busy + leaving
    }

    fn waiting(&self) -> f64 {
        match &self.server {
            Server::Cohorts(_) => self.backlog,
            Server::Flow(flow) => self.backlog - flow.busy(self.backlog),
        }
    }

    pub(super) fn queue(&self) -> Queue {
        let all = whole(self.messages());
        let visible = whole(self.waiting()).min(all);
        Queue {
            visible,
            leased: all - visible,
        }
    }

    /// Starts replicas, or ends them: first those that have not started, then those that have, the newest first in both cases
    /// (Kubernetes `pkg/controller/controller_utils.go`, `ActivePodsWithRanks.Less`).
    pub(super) fn scale(&mut self, from: u32, to: u32) -> Ended {
        let Some(mut ending) = from.checked_sub(to) else {
            let at = self.now + self.workload.service.start_delay;
            self.starting.push_back((at, to - from));
            return Ended::default();
        };
        while ending > 0
            && let Some((_, count)) = self.starting.back_mut()
        {
            let fewer = ending.min(*count);
            *count -= fewer;
            ending -= fewer;
            if *count == 0 {
                self.starting.pop_back();
            }
        }
        let ending = ending.min(self.working);
        self.working -= ending;
        self.end(ending)
    }

    fn end(&mut self, replicas: u32) -> Ended {
        let grace = self.workload.service.grace;
        let (now, seconds) = (self.now.as_secs_f64(), grace.as_secs_f64());
        let cut = match &mut self.server {
            Server::Cohorts(cohorts) => cohorts.end(replicas, now, seconds),
            Server::Flow(flow) => {
                let cut = flow.end(replicas, now, seconds, self.backlog);
                self.backlog -= cut.messages;
                cut
            }
        };
        let latest = self.now + grace;
        let done = cut.finishing.iter().map(|(at, messages)| Leaving {
            at: moment(*at, latest),
            messages: *messages,
            back: false,
        });
        let lost = Leaving {
            at: latest,
            messages: cut.lost,
            back: true,
        };
        let leaving = done.chain([lost]).filter(|it| it.messages > 0.0);
        self.leaving.extend(leaving);
        Ended {
            replicas: cut.replicas,
            messages: cut.messages,
            cut_off: cut.lost,
        }
    }
}

fn moment(seconds: f64, latest: Duration) -> Duration {
    Duration::try_from_secs_f64(seconds).map_or(latest, |at| at.min(latest))
}

/// Converts to an integer number of messages.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an amount is not negative, and `as` saturates"
)]
fn whole(messages: f64) -> u64 {
    messages.round() as u64
}

#[cfg(test)]
mod tests;
