//! How many scenarios may run at the same time.

use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// How often the number may grow by one. Each scenario begins with a burst of work, to start its processes and to send its load:
/// many bursts at once keep storage busy for seconds, and limits are broken that would hold on a machine with more processors.
const GROWS: Duration = Duration::from_secs(1);

/// The number of scenarios that may run at the same time: at first one, then more as long as the platform can take them.
pub(super) struct Room {
    now: usize,
    limit: usize,
    grows: Interval,
}

impl Room {
    /// Room for one scenario, that grows to as many as `limit`.
    pub(super) fn of(limit: u8) -> Self {
        let mut grows = interval_at(Instant::now() + GROWS, GROWS);
        grows.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            now: 1,
            limit: usize::from(limit),
            grows,
        }
    }

    /// Whether another scenario may begin beside `playing` others.
    pub(super) const fn is_left(&self, playing: usize) -> bool {
        playing < self.now
    }

    /// Waits until the next time to grow. Waits forever while the `playing` scenarios leave room, or once the limit is reached. May be
    /// dropped at any time.
    pub(super) async fn until_growth(&mut self, playing: usize) {
        if self.is_left(playing) || self.now == self.limit {
            return pending().await;
        }
        self.grows.tick().await;
    }

    /// Grows by one.
    pub(super) const fn grow(&mut self) {
        self.now += 1;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn room_grows_by_one_a_second_up_to_the_limit() {
        let mut room = Room::of(3);
        let begin = Instant::now();
        assert!(room.is_left(0) && !room.is_left(1));
        for playing in [1, 2] {
            room.until_growth(playing).await;
            room.grow();
            assert!(room.is_left(playing) && !room.is_left(playing + 1));
        }
        assert_eq!(begin.elapsed(), 2 * GROWS);
        // Room is left, or the limit is reached.
        for playing in [1, 3] {
            let more = room.until_growth(playing);
            assert!(timeout(GROWS * 9, more).await.is_err(), "{playing}");
        }
        assert!(!room.is_left(3));
    }
}
