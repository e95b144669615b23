//! How long messages wait until a replica takes them: first in, first out, exact between two changes.

use std::collections::VecDeque;
use std::time::Duration;

use super::NONE;

/// Amounts below this are rounding errors.
const ROUNDING: f64 = 1e-6;

/// The cumulative number of arrivals over time, in seconds.
#[derive(Debug, Default)]
pub(super) struct Waits {
    come: f64,
    /// The cumulative number at each time at which the rate changes, in order; between two marks it grows evenly.
    marks: VecDeque<(f64, f64)>,
    /// The longest wait of a message that was taken since the last [`Waits::take_longest`].
    longest: f64,
}

impl Waits {
    /// Adds messages that arrive evenly from `from` to `to`.
    pub(super) fn come(&mut self, from: f64, to: f64, messages: f64) {
        if messages <= 0.0 {
            return;
        }
        if self.marks.back().is_none_or(|last| last.0 < from) || from >= to {
            self.marks.push_back((from, self.come));
        }
        self.come += messages;
        self.marks.push_back((to, self.come));
    }

    /// Forgets arrivals if nothing waits: amounts too small for a message do not wait for the next one.
    pub(super) fn settle(&mut self, waiting: f64) {
        if waiting < NONE {
            self.marks.clear();
        }
    }

    /// The number of messages that were taken, if these wait.
    pub(super) fn begun(&self, waiting: f64) -> f64 {
        self.come - waiting
    }

    /// Records that messages are taken evenly from `first` to `last`, after `begun` earlier ones. The wait changes evenly
    /// except where the arrivals have a mark, so that it is longest at the begin, at the end or at a mark.
    pub(super) fn taken(&mut self, first: f64, last: f64, begun: f64, messages: f64) {
        if messages <= ROUNDING {
            return;
        }
        let end = begun + messages - ROUNDING;
        let mut longest = first - self.came(begun + ROUNDING);
        let marks = self.marks.iter().skip_while(|(_, number)| *number <= begun);
        for (came, number) in marks.take_while(|(_, number)| *number < end) {
            let at = (last - first).mul_add((number - begun) / messages, first);
            longest = longest.max(at - came);
        }
        longest = longest.max(last - self.came(end));
        self.longest = self.longest.max(longest);
    }

    /// When the message with this number arrived; earlier marks are no longer needed.
    fn came(&mut self, number: f64) -> f64 {
        while self.marks.len() > 1 && self.marks[1].1 <= number {
            self.marks.pop_front();
        }
        let Some((from, before)) = self.marks.front().copied() else {
            return f64::INFINITY;
        };
        match self.marks.get(1) {
            Some((to, after)) if *after > before => {
                let part = ((number - before) / (after - before)).clamp(0.0, 1.0);
                (to - from).mul_add(part, from)
            }
            _ => from,
        }
    }

    /// The longest wait since the last call, of messages that were taken, or that still wait.
    pub(super) fn take_longest(&mut self, now: Duration, waiting: f64) -> Duration {
        self.settle(waiting);
        let mut longest = std::mem::take(&mut self.longest);
        if waiting >= NONE {
            let head = self.came(self.begun(waiting) + ROUNDING);
            longest = longest.max(now.as_secs_f64() - head);
        }
        let millis = Duration::try_from_secs_f64((longest * 1_000.0).round());
        millis.map_or(Duration::ZERO, |it| Duration::from_millis(it.as_secs()))
    }
}
