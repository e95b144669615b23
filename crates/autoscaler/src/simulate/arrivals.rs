//! Arrival times of messages.

use std::time::Duration;

/// Arrival rates that change at given times, once or periodically.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Arrivals {
    rates: Vec<Rates>,
    period: Option<Duration>,
}

/// Arrivals from a time on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// The time.
    pub at: Duration,
    /// Messages that arrive at that time.
    pub burst: u32,
    /// Messages per second from then until the next entry.
    pub per_second: f64,
}

impl Rates {
    fn sends(&self) -> bool {
        self.burst > 0 || self.per_second > 0.0
    }
}

impl Arrivals {
    /// Makes arrivals from rates in any order.
    pub fn new(rates: impl IntoIterator<Item = Rates>) -> Self {
        let mut rates: Vec<_> = rates.into_iter().collect();
        rates.sort_by_key(|rates| rates.at);
        Self {
            rates,
            period: None,
        }
    }

    /// Makes a single burst of messages at time zero.
    pub fn burst(messages: u32) -> Self {
        Self::new([Rates {
            at: Duration::ZERO,
            burst: messages,
            per_second: 0.0,
        }])
    }

    /// Repeats the arrivals with this period. Rates that begin after the period are left out; a period of zero repeats nothing.
    #[must_use]
    pub fn every(mut self, period: Duration) -> Self {
        self.rates.retain(|rates| rates.at < period);
        self.period = Some(period).filter(|period| !period.is_zero());
        self
    }

    /// The time of the first message; `None`: there is none.
    pub fn first(&self) -> Option<Duration> {
        let first = self.rates.iter().find(|rates| rates.sends());
        first.map(|rates| rates.at)
    }

    /// The time of the last message; `None`: messages arrive for ever, or never.
    pub fn last(&self) -> Option<Duration> {
        if self.period.is_some() {
            return None;
        }
        let last = self.rates.iter().rposition(Rates::sends)?;
        if self.rates[last].per_second > 0.0 {
            return self.rates.get(last + 1).map(|rates| rates.at);
        }
        Some(self.rates[last].at)
    }

    /// Single messages up to `horizon`, as groups with the same time, in the order of time: at a rate, one message whenever the
    /// amount reaches the next integer.
    pub fn messages(&self, horizon: Duration) -> Vec<(Duration, u32)> {
        let mut messages = Vec::new();
        let mut cursor = self.cursor();
        let mut now = Duration::ZERO;
        let mut part = 0.0;
        while now <= horizon {
            let burst = cursor.bursts(now);
            if burst > 0.0 {
                messages.push((now, whole(burst)));
            }
            let until = cursor.next_change().unwrap_or(horizon).min(horizon);
            let (rate, lasts) = (cursor.per_second(), until.saturating_sub(now).as_secs_f64());
            let come = part + rate * lasts;
            for n in 1..=whole(come.floor()) {
                let after = (f64::from(n) - part) / rate;
                messages.push((now + Duration::from_secs_f64(after.min(lasts)), 1));
            }
            part = come.fract();
            if until >= horizon {
                break;
            }
            now = until;
        }
        messages
    }

    /// The number of messages up to `horizon`, without listing them.
    pub fn count(&self, horizon: Duration) -> f64 {
        let mut cursor = self.cursor();
        let (mut now, mut count) = (Duration::ZERO, 0.0);
        loop {
            count += cursor.bursts(now);
            let until = cursor.next_change().unwrap_or(horizon).min(horizon);
            count += cursor.per_second() * until.saturating_sub(now).as_secs_f64();
            if until >= horizon {
                return count;
            }
            now = until;
        }
    }

    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor {
            arrivals: self,
            next: 0,
            begun: Duration::ZERO,
            per_second: 0.0,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an amount is not negative, and `as` saturates"
)]
fn whole(messages: f64) -> u32 {
    messages as u32
}

/// A position in the arrivals.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    arrivals: &'a Arrivals,
    next: usize,
    /// The begin of the present period.
    begun: Duration,
    per_second: f64,
}

impl Cursor<'_> {
    /// The bursts up to `now`; afterwards the rate is that of `now`.
    pub(super) fn bursts(&mut self, now: Duration) -> f64 {
        let mut burst = 0.0;
        while self.next_change().is_some_and(|at| at <= now) {
            let rates = self.arrivals.rates[self.next];
            burst += f64::from(rates.burst);
            self.per_second = rates.per_second;
            self.next += 1;
            if let Some(period) = self
                .arrivals
                .period
                .filter(|_| self.next == self.arrivals.rates.len())
            {
                self.next = 0;
                self.begun += period;
            }
        }
        burst
    }

    pub(super) fn next_change(&self) -> Option<Duration> {
        let next = self.arrivals.rates.get(self.next)?;
        Some(self.begun + next.at)
    }

    pub(super) fn per_second(&self) -> f64 {
        self.per_second
    }
}
