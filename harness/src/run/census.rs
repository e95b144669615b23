//! The number of running workers over time, as opposed to the number that was wanted.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use platform::Roster;

/// Counts of running workers, one for each time that the count changed.
#[derive(Debug, Clone, Default)]
pub struct Census {
    counts: Vec<(Instant, usize)>,
    /// Since when the number of running workers differs from the wanted number.
    apart_since: Option<Instant>,
    longest_apart: Duration,
}

impl Census {
    /// Adds the number of workers that run in `roster`, if it has changed.
    pub(super) fn take(&mut self, roster: &Roster, now: Instant) {
        let running = roster.running().count();
        if self.counts.last().is_none_or(|(_, last)| *last != running) {
            self.counts.push((now, running));
        }
        self.longest_apart = self.longest_apart(now);
        let is_apart = usize::try_from(roster.wanted) != Ok(running);
        self.apart_since = match self.apart_since {
            Some(since) if is_apart => Some(since),
            _ => is_apart.then_some(now),
        };
    }

    /// The longest time up to `now` in which the number of running workers differed from the wanted number.
    pub fn longest_apart(&self, now: Instant) -> Duration {
        let open = self.apart_since.map(|since| now.duration_since(since));
        self.longest_apart.max(open.unwrap_or_default())
    }

    /// The counts, in order; neighbours differ.
    pub fn counts(&self) -> Vec<usize> {
        self.counts.iter().map(|(_, running)| *running).collect()
    }

    /// The largest number of workers that ran at the same time.
    pub fn most(&self) -> usize {
        self.counts().into_iter().max().unwrap_or(0)
    }

    /// The largest number of workers that were told to end, or ended, within `within`: a cluster reports its pods one by one.
    pub fn deepest_cut(&self, within: Duration) -> usize {
        let cuts = self.counts.windows(2).enumerate().flat_map(|(at, pair)| {
            // Until the next count, `before` workers ran.
            let ((_, before), (begin, _)) = (pair[0], pair[1]);
            let fallen = self.counts[at + 1..].iter();
            let fallen = fallen.take_while(move |(now, _)| *now - begin <= within);
            fallen.map(move |(_, after)| before.saturating_sub(*after))
        });
        cuts.max().unwrap_or(0)
    }

    /// How often the number began to fall after it had risen, or to rise after it had fallen.
    pub fn turns(&self) -> usize {
        let counts = self.counts();
        let mut directions: Vec<_> = counts
            .windows(2)
            .map(|pair| pair[0].cmp(&pair[1]))
            .collect();
        directions.dedup();
        directions.len().saturating_sub(1)
    }
}

/// Follows `roster` until it ends, and adds each change to `census`.
pub(super) async fn follow(mut roster: watch::Receiver<Roster>, census: watch::Sender<Census>) {
    loop {
        let now = Instant::now();
        let seen = roster.borrow_and_update().clone();
        census.send_modify(|census| census.take(&seen, now));
        if roster.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::{Readiness, Worker, WorkerState};

    fn roster(running: usize, wanted: u32) -> Roster {
        let worker = |n| Worker {
            name: format!("consumer-{n}"),
            group: "consumers",
            node: None,
            state: WorkerState::Running,
            readiness: Readiness::Silent,
            has_received: None,
        };
        Roster {
            workers: (0..running).map(worker).collect(),
            wanted,
            ..Roster::default()
        }
    }

    const MINUTE: Duration = Duration::from_secs(60);

    /// One count each minute.
    fn census(counts: &[usize]) -> Census {
        let (mut census, mut now) = (Census::default(), Instant::now());
        for count in counts {
            census.take(&roster(*count, 0), now);
            now += MINUTE;
        }
        census
    }

    #[test]
    fn the_longest_time_apart_is_one_without_a_break_and_may_not_be_over() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut census = Census::default();
        // From 10 s to 17 s workers are missing, although their number changes meanwhile; from 40 s on there is one too many.
        let looks = [
            (0, 0, 0),
            (10, 0, 4),
            (12, 3, 4),
            (14, 3, 5),
            (17, 5, 5),
            (40, 5, 4),
        ];
        for (second, running, wanted) in looks {
            census.take(&roster(running, wanted), at(second));
        }
        assert_eq!(census.longest_apart(at(41)), Duration::from_secs(7));
        assert_eq!(census.longest_apart(at(50)), Duration::from_secs(10));
    }

    #[test]
    fn what_stays_the_same_is_no_news() {
        assert_eq!(census(&[0, 0, 4, 4, 15, 0]).counts(), [0, 4, 15, 0]);
    }

    #[test]
    fn the_most_the_deepest_cut_and_the_turns_are_those_of_what_ran() {
        let census = census(&[0, 1, 4, 15, 11, 0, 3]);
        assert_eq!(
            (
                census.most(),
                census.deepest_cut(Duration::ZERO),
                census.turns()
            ),
            (15, 11, 2)
        );
        assert_eq!(Census::default().turns(), 0);
    }

    #[test]
    fn those_that_end_one_by_one_within_the_time_end_at_once() {
        let census = census(&[0, 15, 14, 13, 11, 11, 10]);
        let within = |minutes| census.deepest_cut(minutes * MINUTE);
        assert_eq!([within(0), within(1), within(2), within(9)], [2, 3, 4, 5]);
    }
}
