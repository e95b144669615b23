//! The distance in time between two series.

use std::time::Duration;

use super::ReplicaSeries;

type Span = (Duration, Duration);

impl ReplicaSeries {
    /// The smallest time by which either series must be widened, at both ends of each count, to contain the other, up to
    /// `horizon`. A widened series contains a count if it has this count, or both smaller and larger ones. `None`: one of the
    /// series has a count above the other's highest or below its lowest.
    ///
    /// For two series with the same counts in the same order, it is the largest distance between corresponding changes.
    pub fn distance(&self, other: &Self, horizon: Duration) -> Option<Duration> {
        let there = self.distance_into(other, horizon)?;
        let back = other.distance_into(self, horizon)?;
        Some(there.max(back))
    }

    fn distance_into(&self, other: &Self, horizon: Duration) -> Option<Duration> {
        self.spans_within(horizon)
            .try_fold(Duration::ZERO, |most, (from, until, n)| {
                let fewer = other.farthest((from, until), horizon, |it| it <= n)?;
                let more = other.farthest((from, until), horizon, |it| it >= n)?;
                Some(most.max(fewer).max(more))
            })
    }

    /// The largest distance of a moment in `span` from such a count. `None`: there is no such count.
    fn farthest(
        &self,
        span: Span,
        horizon: Duration,
        such: impl Fn(u32) -> bool,
    ) -> Option<Duration> {
        let mut most = Duration::ZERO;
        let mut before: Option<Duration> = None;
        for (from, until, _) in self.spans_within(horizon).filter(|(_, _, n)| such(*n)) {
            most = most.max(in_gap(span, before, Some(from)));
            before = Some(until);
        }
        before?;
        Some(most.max(in_gap(span, before, None)))
    }

    fn spans_within(&self, horizon: Duration) -> impl Iterator<Item = (Duration, Duration, u32)> {
        let spans = self.spans(horizon);
        let spans = spans.map(move |(from, until, n)| (from, until.min(horizon), n));
        // A count that is left at once counts too.
        spans.filter(move |(from, until, _)| from <= until && *from < horizon)
    }
}

/// For the moments of `span` that are in the gap, the largest distance to the nearer end of the gap.
fn in_gap((from, until): Span, left: Option<Duration>, right: Option<Duration>) -> Duration {
    let low = left.map_or(from, |left| from.max(left));
    let high = right.map_or(until, |right| until.min(right));
    if low > high {
        return Duration::ZERO;
    }
    let to_end = |at: Duration| {
        let to_left = left.map(|left| at.saturating_sub(left));
        let to_right = right.map(|right| right.saturating_sub(at));
        let ends = to_left.into_iter().chain(to_right);
        ends.min().unwrap_or_default()
    };
    let middle = match (left, right) {
        (Some(left), Some(right)) => ((left + right) / 2).clamp(low, high),
        _ => low,
    };
    to_end(low).max(to_end(middle)).max(to_end(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn series(steps: &[(u64, u32)]) -> ReplicaSeries {
        steps.iter().map(|(at, n)| (seconds(*at), *n)).collect()
    }

    #[test]
    fn distance_is_that_of_the_same_change_whichever_is_later() {
        let one = series(&[(0, 0), (10, 4), (90, 0)]);
        let other = series(&[(0, 0), (13, 4), (85, 0)]);
        for (a, b) in [(&one, &other), (&other, &one)] {
            assert_eq!(a.distance(b, seconds(100)), Some(seconds(5)));
        }
        assert_eq!(one.distance(&one, seconds(100)), Some(Duration::ZERO));
    }

    #[test]
    fn a_count_between_two_is_held_by_the_change_that_jumps_over_it() {
        let steps = series(&[(0, 0), (10, 3), (14, 8)]);
        let jump = series(&[(0, 0), (12, 8)]);
        assert_eq!(steps.distance(&jump, seconds(60)), Some(seconds(2)));
    }

    #[test]
    fn a_peak_that_only_one_has_counts_by_its_distance_from_such_counts() {
        let peak = series(&[(0, 2), (40, 9), (44, 2), (100, 9)]);
        let none = series(&[(0, 2), (100, 9)]);
        // From 40 s until the other series has 9.
        assert_eq!(peak.distance(&none, seconds(120)), Some(seconds(60)));
    }

    #[test]
    fn a_hollow_is_as_far_as_its_middle() {
        let hollow = series(&[(0, 5), (20, 1), (50, 5)]);
        let deeper = series(&[(0, 5), (20, 1), (21, 5), (49, 1), (50, 5)]);
        // One series has 5 at both ends of the time in which the other has 5 from 21 s to 49 s, and 1 in between.
        assert_eq!(hollow.distance(&deeper, seconds(60)), Some(seconds(15)));
    }

    #[test]
    fn a_count_that_is_left_at_once_is_in_range() {
        let (at_once, later) = (series(&[(0, 0), (0, 3)]), series(&[(0, 0), (2, 3)]));
        assert_eq!(at_once.distance(&later, seconds(60)), Some(seconds(2)));
        assert_eq!(later.distance(&at_once, seconds(60)), Some(seconds(2)));
    }

    #[test]
    fn a_count_out_of_the_others_range_has_no_distance() {
        let (low, high) = (series(&[(0, 0), (10, 4)]), series(&[(0, 0), (10, 5)]));
        assert_eq!(low.distance(&high, seconds(60)), None);
        assert_eq!(high.distance(&low, seconds(60)), None);
        // Differences after the horizon do not count.
        assert_eq!(low.distance(&high, seconds(10)), Some(Duration::ZERO));
    }
}
