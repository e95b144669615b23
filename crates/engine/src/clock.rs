//! Time: moments with the 100 ns resolution of the Table service, a clock of the system, and one that tests control.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Ticks of 100 ns in a second.
pub(crate) const TICKS_PER_SECOND: u64 = 10_000_000;

/// A point in time, in ticks of 100 ns since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// 9999-12-31T23:59:59: the expiration time of a message that never expires.
    pub const NEVER: Self = Self(253_402_300_799 * TICKS_PER_SECOND);

    /// The moment this many ticks of 100 ns after 1970.
    pub const fn from_ticks(ticks: u64) -> Self {
        Self(ticks)
    }

    /// Ticks of 100 ns since 1970.
    pub const fn ticks(self) -> u64 {
        self.0
    }

    /// Whole seconds since 1970.
    pub const fn seconds(self) -> u64 {
        self.0 / TICKS_PER_SECOND
    }

    /// This moment plus this many seconds, at most [`Moment::NEVER`].
    #[must_use]
    pub fn plus_seconds(self, seconds: u64) -> Self {
        let later = self
            .0
            .saturating_add(seconds.saturating_mul(TICKS_PER_SECOND));
        Self(later).min(Self::NEVER)
    }

    /// The moment in HTTP's date format, such as `Sat, 28 Nov 2026 18:00:00 GMT`.
    pub(crate) fn http_date(self) -> String {
        let time = UNIX_EPOCH + Duration::from_secs(self.seconds().min(Self::NEVER.seconds()));
        httpdate::fmt_http_date(time)
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let ticks = since.as_nanos() / 100;
        Self(u64::try_from(ticks).unwrap_or(u64::MAX)).min(Self::NEVER)
    }
}

/// The services' source of the time.
pub trait Clock: Debug + Send + Sync {
    /// The present moment. Two calls may return the same one.
    fn now(&self) -> Moment;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        SystemTime::now().into()
    }
}

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub struct PlayedClock(AtomicU64);

impl PlayedClock {
    /// A clock that stands at `moment`.
    pub const fn at(moment: Moment) -> Self {
        Self(AtomicU64::new(moment.0))
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let ticks = u64::try_from(by.as_nanos() / 100).unwrap_or(u64::MAX);
        self.0.fetch_add(ticks, Ordering::SeqCst);
    }
}

impl Clock for PlayedClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_http_writes_it() {
        let moment = Moment::from_ticks(1_795_889_024 * TICKS_PER_SECOND + 1_234_567);
        assert_eq!(moment.http_date(), "Sat, 28 Nov 2026 18:03:44 GMT");
        assert_eq!(Moment::NEVER.http_date(), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn no_moment_is_later_than_never() {
        let moment = Moment::from_ticks(1).plus_seconds(u64::MAX);
        assert_eq!(moment, Moment::NEVER);
    }
}
