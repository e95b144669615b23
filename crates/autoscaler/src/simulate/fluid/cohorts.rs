//! Service with known working times: messages that begin together end together, and messages that are cut off begin anew.
//!
//! Replicas that started at the same time are a group. For each possible working time, a group has the batches that it works
//! on, in the order of their ends. Batches are amounts, not single messages: messages that begin within [`Cohorts::step`] are
//! one batch, which ends evenly over as long a time as it began.

use std::collections::VecDeque;

use super::{Cut, NONE};

/// A range of working times is represented by this many equally likely ones.
const QUANTILES: u32 = 8;
/// The working time of a message is at least this many steps, so that the step has no visible effect.
const STEPS: f64 = 4.0;
/// The shortest and the longest step, in seconds: the loops poll every few seconds.
const SHORTEST: f64 = 0.25;
const LONGEST: f64 = 2.0;
/// Shortest part of a step that is handled separately.
const LEAST: f64 = 0.125;
/// Amounts below this are rounding errors.
const NOTHING: f64 = 1e-9;

/// Replicas and the messages on which they work.
#[derive(Debug, Clone)]
pub(super) struct Cohorts {
    /// Equally likely working times, in seconds.
    times: Vec<f64>,
    step: f64,
    in_flight: f64,
    /// The groups, oldest first.
    groups: Vec<Group>,
    /// Messages in work.
    pub(super) busy: f64,
    /// The time at which the next batch ends.
    next: f64,
    /// Messages that replicas have taken: the first and the last time, and the number.
    pub(super) taken: Vec<(f64, f64, f64)>,
}

/// Replicas that started at the same time.
#[derive(Debug, Clone)]
struct Group {
    replicas: u32,
    busy: f64,
    /// The batches, for each working time.
    lines: Vec<VecDeque<Batch>>,
}

/// Messages that end evenly between two times.
#[derive(Debug, Clone, Copy)]
struct Batch {
    first: f64,
    last: f64,
    messages: f64,
}

impl Batch {
    /// The part of these messages that ends by `now`.
    fn by(&self, now: f64) -> f64 {
        if now >= self.last {
            self.messages
        } else if now <= self.first {
            0.0
        } else {
            self.messages * (now - self.first) / (self.last - self.first)
        }
    }
}

/// Result of serving up to a time.
pub(super) struct Served {
    /// Since when the queue has been empty.
    pub(super) empty_since: Option<f64>,
    /// The highest number of messages, and its time.
    pub(super) peak: (f64, f64),
}

impl Cohorts {
    pub(super) fn fixed(seconds: f64, in_flight: f64) -> Self {
        Self::new(vec![seconds], in_flight)
    }

    pub(super) fn uniform(least: f64, most: f64, in_flight: f64) -> Self {
        let width = (most - least) / f64::from(QUANTILES);
        let times = (0..QUANTILES).map(|n| (f64::from(n) + 0.5).mul_add(width, least));
        Self::new(times.collect(), in_flight)
    }

    fn new(times: Vec<f64>, in_flight: f64) -> Self {
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        Self {
            times,
            step: (mean / STEPS).clamp(SHORTEST, LONGEST),
            in_flight,
            groups: Vec::new(),
            busy: 0.0,
            next: f64::INFINITY,
            taken: Vec::new(),
        }
    }

    /// Starts replicas.
    pub(super) fn start(&mut self, replicas: u32) {
        self.groups.push(Group {
            replicas,
            busy: 0.0,
            lines: vec![VecDeque::new(); self.times.len()],
        });
    }

    /// Ends the newest replicas; their messages are cut off unless they end within `grace`.
    pub(super) fn end(&mut self, mut replicas: u32, now: f64, grace: f64) -> Cut {
        let mut cut = Cut::default();
        while replicas > 0
            && let Some(group) = self.groups.last_mut()
        {
            let ending = replicas.min(group.replicas);
            let part = f64::from(ending) / f64::from(group.replicas);
            let before = cut.messages;
            for batch in group.lines.iter_mut().flatten() {
                let ends = batch.messages * part;
                let done = batch.by(now + grace) * part;
                batch.messages -= ends;
                cut.messages += ends;
                cut.lost += ends - done;
                let at = f64::midpoint(batch.first, batch.last.min(now + grace));
                cut.finishing.push((at, done));
            }
            let messages = cut.messages - before;
            cut.replicas += messages.min(f64::from(ending));
            self.busy -= messages;
            group.busy -= messages;
            group.replicas -= ending;
            replicas -= ending;
            if group.replicas == 0 {
                self.groups.pop();
            }
        }
        self.note_next();
        cut
    }

    /// Serves from `now` to `until`, in seconds; `per_second` messages arrive, and the replicas do not change.
    pub(super) fn serve(
        &mut self,
        mut now: f64,
        until: f64,
        per_second: f64,
        waiting: &mut f64,
    ) -> Served {
        let mut served = Served {
            empty_since: None,
            peak: (now, *waiting + self.busy),
        };
        let mut was_empty = *waiting + self.busy < NONE;
        if was_empty {
            served.empty_since = Some(now);
        }
        self.begin(now, waiting);
        while now < until {
            let free = self.free();
            // If there is room for new messages, none waits for the end of another. If the room is for less than a part of a
            // step, it is filled by the arrivals of that part, because a moment later there would be as little room again.
            let least = self.step * LEAST;
            let flowing = per_second > 0.0 && free > per_second * least;
            let next = if flowing {
                now + self.step.min(free / per_second)
            } else if per_second > 0.0 && free > NOTHING {
                self.next.min(now + least)
            } else {
                self.next
            };
            let next = next.min(until);
            let comes = per_second * (next - now);
            let begins = if flowing { comes.min(free) } else { 0.0 };
            *waiting += comes - begins;
            if begins > 0.0 {
                self.spread((now, next), begins);
            }
            now = next;
            let messages = *waiting + self.busy;
            if messages > served.peak.1 {
                served.peak = (now, messages);
            }
            if self.next <= now || now >= until || flowing {
                self.finish(now, waiting);
            }
            self.begin(now, waiting);
            let is_empty = *waiting + self.busy < NONE;
            if is_empty != was_empty {
                was_empty = is_empty;
                served.empty_since = is_empty.then_some(now);
            }
        }
        served
    }

    fn slots(&self, group: &Group) -> f64 {
        f64::from(group.replicas) * self.in_flight
    }

    fn free(&self) -> f64 {
        let free = |group: &Group| (self.slots(group) - group.busy).max(0.0);
        self.groups.iter().map(free).sum()
    }

    /// Begins waiting messages where there is room.
    fn begin(&mut self, now: f64, waiting: &mut f64) {
        if *waiting <= NOTHING {
            return;
        }
        let begins = waiting.min(self.free());
        if begins > NOTHING {
            self.spread((now, now), begins);
            *waiting -= begins;
        }
    }

    /// Begins `messages` messages, distributed to the groups by their room.
    fn spread(&mut self, at: (f64, f64), messages: f64) {
        let part = messages / self.free();
        let in_flight = self.in_flight;
        for group in &mut self.groups {
            let free = (f64::from(group.replicas) * in_flight - group.busy).max(0.0);
            if free > 0.0 {
                group.begin(at, free * part, &self.times, self.step);
            }
        }
        self.taken.push((at.0, at.1, messages));
        self.busy += messages;
        self.note_next();
    }

    /// Finishes the messages that have ended by `now`; if messages wait, the next ones begin when the last ones end.
    fn finish(&mut self, now: f64, waiting: &mut f64) {
        // With several lines, batches that end soon end now, as one event for all of them.
        let soon = if self.times.len() > 1 {
            now + self.step / 2.0
        } else {
            now
        };
        let mut busy = 0.0;
        let mut taken = (f64::INFINITY, 0.0_f64, 0.0);
        for group in &mut self.groups {
            let (mut done, mut first, mut means) = (0.0, f64::INFINITY, 0.0);
            for line in &mut group.lines {
                while let Some(batch) = line.front_mut() {
                    let by = if batch.last <= soon {
                        batch.messages
                    } else {
                        batch.by(now)
                    };
                    if by <= 0.0 {
                        break;
                    }
                    let ended = if batch.last <= soon { batch.last } else { now };
                    done += by;
                    means += f64::midpoint(batch.first, ended) * by;
                    first = first.min(batch.first);
                    if batch.last <= soon {
                        line.pop_front();
                    } else {
                        batch.messages -= by;
                        batch.first = now;
                        break;
                    }
                }
            }
            group.busy = if group.lines.iter().all(VecDeque::is_empty) {
                0.0
            } else {
                group.busy - done
            };
            let begins = waiting.min(done);
            if begins > NOTHING {
                let last = (2.0 * means / done - first).max(first);
                group.begin((first, last), begins, &self.times, self.step);
                *waiting -= begins;
                taken = (taken.0.min(first), taken.1.max(last), taken.2 + begins);
            }
            busy += group.busy;
        }
        if taken.2 > 0.0 {
            self.taken.push(taken);
        }
        self.busy = busy;
        self.note_next();
    }

    fn note_next(&mut self) {
        let fronts = self.groups.iter().flat_map(|group| &group.lines);
        let ends = fronts.filter_map(|line| line.front().map(|batch| batch.last));
        self.next = ends.fold(f64::INFINITY, f64::min);
    }
}

impl Group {
    fn begin(&mut self, at: (f64, f64), messages: f64, times: &[f64], step: f64) {
        let each = messages / times.len() as f64;
        for (line, time) in self.lines.iter_mut().zip(times) {
            let (first, last) = (at.0 + time, at.1 + time);
            match line.back_mut() {
                Some(before) if last - before.first < step => {
                    // The mean stays the same, so that no time is lost or gained.
                    let means = f64::midpoint(before.first, before.last) * before.messages
                        + f64::midpoint(first, last) * each;
                    before.messages += each;
                    before.first = before.first.min(first);
                    before.last = (2.0 * means / before.messages - before.first).max(before.first);
                }
                _ => line.push_back(Batch {
                    first,
                    last,
                    messages: each,
                }),
            }
        }
        self.busy += messages;
    }
}
