//! How many workers there were over time: what ran, and not what was wanted.

use tokio::sync::watch;
use tokio::time::Instant;

use crate::platform::Roster;

/// Counts of running workers, one for each time that it changed.
#[derive(Debug, Clone, Default)]
pub struct Census(Vec<(Instant, usize)>);

impl Census {
    /// Takes down what `roster` holds, if it is news.
    pub(super) fn take(&mut self, roster: &Roster, now: Instant) {
        let running = roster.running().count();
        if self.0.last().is_none_or(|(_, last)| *last != running) {
            self.0.push((now, running));
        }
    }

    /// The counts, in order; neighbours differ.
    pub fn counts(&self) -> Vec<usize> {
        self.0.iter().map(|(_, running)| *running).collect()
    }

    /// The most that ran at once.
    pub fn most(&self) -> usize {
        self.counts().into_iter().max().unwrap_or(0)
    }

    /// The most that were told to end, or ended, at once.
    pub fn deepest_cut(&self) -> usize {
        let counts = self.counts();
        let cuts = counts
            .windows(2)
            .map(|pair| pair[0].saturating_sub(pair[1]));
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

/// Follows `roster` until it ends, and takes it down in `census`.
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
    use crate::platform::{Phase, Readiness, Worker};

    fn census(counts: &[usize]) -> Census {
        let mut census = Census::default();
        for count in counts {
            let worker = |n| Worker {
                name: format!("consumer-{n}"),
                group: "consumers",
                node: None,
                phase: Phase::Running,
                readiness: Readiness::Silent,
                has_received: None,
            };
            let roster = Roster {
                workers: (0..*count).map(worker).collect(),
                ..Roster::default()
            };
            census.take(&roster, Instant::now());
        }
        census
    }

    #[test]
    fn what_stays_the_same_is_no_news() {
        assert_eq!(census(&[0, 0, 4, 4, 15, 0]).counts(), [0, 4, 15, 0]);
    }

    #[test]
    fn the_most_the_deepest_cut_and_the_turns_are_those_of_what_ran() {
        let census = census(&[0, 1, 4, 15, 11, 0, 3]);
        assert_eq!(
            (census.most(), census.deepest_cut(), census.turns()),
            (15, 11, 2)
        );
        assert_eq!(Census::default().turns(), 0);
    }
}
