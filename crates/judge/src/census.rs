//! The number of workers that ran over time, as opposed to the number that was wanted.

use std::time::Duration;

/// Counts of running workers, one for each time that the count changed; times count from the beginning of the run.
#[derive(Debug, Clone, Default)]
pub struct Census {
    counts: Vec<(Duration, usize)>,
    /// Since when the number of running workers differs from the wanted number.
    apart_since: Option<Duration>,
    longest_apart: Duration,
    /// Since when a worker has had no place to run, and why.
    no_room_now: Option<(Duration, String)>,
    /// The longest time without room for all workers, and what the platform said of it.
    no_room: Option<(Duration, String)>,
}

/// A platform that cannot place a worker for this long has no room for it. Shorter times pass while other workers end.
const NO_ROOM: Duration = Duration::from_secs(10);

impl Census {
    /// Adds that `now` a worker has no place to run for the reason `why`, or that all have one.
    pub fn note_room(&mut self, why: Option<&str>, now: Duration) {
        self.look(now);
        let since = self.no_room_now.take().map_or(now, |(since, _)| since);
        self.no_room_now = why.map(|why| (since, why.to_owned()));
        self.look(now);
    }

    /// That the platform had no room for all workers, if it had none for long: then their number says nothing about them.
    pub fn no_room(&self) -> Option<String> {
        let (lasted, why) = self.no_room.as_ref()?;
        (*lasted >= NO_ROOM)
            .then(|| format!("for {lasted:.0?} the platform had no room for all of them ({why})"))
    }

    /// Adds that `running` workers run `now`, where `wanted` are wanted.
    pub fn take(&mut self, running: usize, wanted: u32, now: Duration) {
        if self.counts.last().is_none_or(|(_, last)| *last != running) {
            self.counts.push((now, running));
        }
        self.look(now);
        let is_apart = usize::try_from(wanted) != Ok(running);
        self.apart_since = match self.apart_since {
            Some(since) if is_apart => Some(since),
            _ => is_apart.then_some(now),
        };
    }

    /// Notes that nothing has changed until `now`.
    pub fn look(&mut self, now: Duration) {
        let open = self.apart_since.map(|since| now.saturating_sub(since));
        self.longest_apart = self.longest_apart.max(open.unwrap_or_default());
        if let Some((since, why)) = &self.no_room_now {
            let lasts = now.saturating_sub(*since);
            if self.no_room.as_ref().is_none_or(|(most, _)| lasts > *most) {
                self.no_room = Some((lasts, why.clone()));
            }
        }
    }

    /// The longest time in which the number of running workers differed from the wanted number.
    pub const fn longest_apart(&self) -> Duration {
        self.longest_apart
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
            let fallen = fallen.take_while(move |(now, _)| now.saturating_sub(begin) <= within);
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

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// One count each minute.
    fn census(counts: &[usize]) -> Census {
        let mut census = Census::default();
        for (minute, count) in (0..).zip(counts) {
            census.take(*count, 0, minute * MINUTE);
        }
        census
    }

    #[test]
    fn the_longest_time_apart_is_one_without_a_break_and_may_not_be_over() {
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
            census.take(running, wanted, Duration::from_secs(second));
        }
        let seconds = |now| {
            let mut census = census.clone();
            census.look(Duration::from_secs(now));
            census.longest_apart().as_secs()
        };
        assert_eq!((seconds(41), seconds(50)), (7, 10));
    }

    #[test]
    fn room_that_lacks_for_long_is_remembered_and_a_moment_is_not() {
        let seconds = Duration::from_secs;
        let mut census = Census::default();
        census.note_room(Some("a: Insufficient cpu"), seconds(10));
        census.look(seconds(19));
        assert_eq!(census.no_room(), None);
        census.note_room(None, seconds(19));
        census.look(seconds(60));
        assert_eq!(census.no_room(), None);
        census.note_room(Some("b: Insufficient cpu"), seconds(70));
        // The roster does not change from here to the question below.
        census.look(seconds(90));
        let told = "for 20s the platform had no room for all of them (b: Insufficient cpu)";
        assert_eq!(census.no_room().as_deref(), Some(told));
        census.note_room(None, seconds(90));
        // The first of those that lasted longest is named.
        census.note_room(Some("c: Insufficient memory"), seconds(100));
        census.look(seconds(120));
        assert_eq!(census.no_room().as_deref(), Some(told));
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
