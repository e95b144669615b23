//! The values over time in a run's log, as lines to draw.

use std::collections::BTreeMap;

use super::panel::{Band, Line, Panel};
use crate::events::Sample;
use crate::report::RunRecord;

/// Most points of a line; where there are more samples, several make one point.
const POINTS: usize = 400;

/// The shortest time over which a rate is calculated: over a few milliseconds, a handful of answers would look like thousands a second.
const SHORTEST_SECONDS: f64 = 0.5;

/// The samples by time, thinned out to what can be seen.
pub(super) struct Series {
    pub(super) seconds: f64,
    samples: Vec<(f64, Sample)>,
    /// How many messages the producer had sent, when it counted.
    sent: Vec<(f64, f64)>,
    pub(super) samples_per_point: usize,
    /// Consumers that the autoscaler wanted.
    wanted: Vec<(f64, f64)>,
    /// The range that its model allows.
    allowed: Vec<Band>,
}

impl Series {
    pub(super) fn of(record: &RunRecord) -> Option<Self> {
        if record.samples.len() < 2 {
            return None;
        }
        let samples_per_point = record.samples.len().div_ceil(POINTS);
        let samples: Vec<(f64, Sample)> = record
            .samples
            .chunks(samples_per_point)
            .filter_map(|chunk| {
                let (at, last) = chunk.last()?;
                let deepest = chunk.iter().filter_map(|(_, s)| s.queue_depth).max();
                let sample = Sample {
                    queue_depth: deepest,
                    ..*last
                };
                Some((record.seconds_at(*at), sample))
            })
            .collect();
        let sent = samples.iter().filter_map(|(at, sample)| {
            let at = sample.sent_at.map_or(*at, |at| record.seconds_at(at));
            Some((at, sample.sent? as f64))
        });
        Some(Self {
            seconds: record.seconds_at(record.ended).max(1e-3),
            sent: sent.collect(),
            samples,
            samples_per_point,
            wanted: wanted(record),
            allowed: allowed(record),
        })
    }

    fn values(&self, value: impl Fn(&Sample) -> Option<u64>) -> Vec<(f64, f64)> {
        let point = |(at, sample): &(f64, Sample)| Some((*at, value(sample)? as f64));
        self.samples.iter().filter_map(point).collect()
    }

    /// Messages sent per second, constant between two counts of the producer: samples that repeat the same count do not show a rate.
    fn rate(&self) -> Vec<(f64, f64)> {
        rate_of(self.sent.clone())
    }

    /// Requests broken on purpose per second; empty if there was none.
    fn hits(&self) -> Vec<(f64, f64)> {
        let counts = self.values(|sample| sample.hit);
        if counts.last().is_none_or(|(_, hits)| *hits == 0.0) {
            return vec![];
        }
        rate_of(counts)
    }

    /// Each panel that has something to show.
    pub(super) fn panels(&self) -> Vec<Panel> {
        let wanted = Line {
            name: "wanted",
            class: "wanted",
            points: self.wanted.clone(),
        };
        let line = |name, class, points| Line {
            name,
            class,
            points,
        };
        let mut panels = vec![
            Panel::of("messages per second", "sent", "sent", self.rate()),
            Panel {
                lines: vec![
                    line("in the queue", "depth", self.values(|it| it.queue_depth)),
                    line("leased", "in-hand", self.values(|it| it.in_hand)),
                ],
                ..Panel::of("messages in the queue, visible and leased", "", "", vec![])
            },
            Panel {
                lines: vec![
                    wanted,
                    line(
                        "running",
                        "consumers",
                        stepped(&self.values(|it| it.consumers)),
                    ),
                    line("ending", "leaving", self.leaving()),
                ],
                allowed: self.allowed.clone(),
                ..Panel::of("consumers", "", "", vec![])
            },
            Panel::of(
                "requests broken on purpose, per second",
                "broken",
                "broken",
                self.hits(),
            ),
        ];
        panels.retain(Panel::has_points);
        panels
    }

    /// Consumers about to end; empty where there never was one.
    fn leaving(&self) -> Vec<(f64, f64)> {
        let leaving = stepped(&self.values(|it| it.leaving));
        if leaving.iter().all(|(_, count)| *count == 0.0) {
            return vec![];
        }
        leaving
    }
}

/// A count over time as a rate, constant from one count to the next.
fn rate_of(mut counts: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    counts.dedup_by(|(at, _), (before, _)| at <= before);
    // The last count comes from the summary, at any time.
    if let [.., _, (before, _), (at, _)] = counts[..]
        && at - before < SHORTEST_SECONDS
    {
        counts.remove(counts.len() - 2);
    }
    let level = |pair: &[(f64, f64)]| {
        let ((from, before), (to, after)) = (pair[0], pair[1]);
        let rate = (after - before).max(0.0) / (to - from);
        [(from, rate), (to, rate)]
    };
    counts.windows(2).flat_map(level).collect()
}

/// The points of a value that changes in steps.
fn stepped(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let first = points.first().copied();
    let step = |pair: &[(f64, f64)]| [(pair[1].0, pair[0].1), pair[1]];
    first
        .into_iter()
        .chain(points.windows(2).flat_map(step))
        .collect()
}

/// What the autoscaler wanted, from the beginning to the end of the run, for all queues together; empty if nothing scales.
fn wanted(record: &RunRecord) -> Vec<(f64, f64)> {
    if record.scaled.is_empty() {
        return vec![];
    }
    let mut by_queue: BTreeMap<Option<&str>, u32> = BTreeMap::new();
    for (_, scaled) in &record.scaled {
        by_queue
            .entry(scaled.queue.as_deref())
            .or_insert(scaled.from);
    }
    let first = f64::from(by_queue.values().sum::<u32>());
    let mut points = vec![(0.0, first)];
    for (at, scaled) in &record.scaled {
        by_queue.insert(scaled.queue.as_deref(), scaled.to);
        let all = f64::from(by_queue.values().sum::<u32>());
        points.push((record.seconds_at(*at), all));
    }
    let last = points.last().map_or(first, |(_, all)| *all);
    points.push((record.seconds_at(record.ended), last));
    stepped(&points)
}

fn allowed(record: &RunRecord) -> Vec<Band> {
    // The ranges of several queues are not drawn; they are reported in words.
    let [allowed] = &record.allowed[..] else {
        return vec![];
    };
    let since = record.seconds_at(allowed.since);
    let seconds = |millis: u64| since + millis as f64 / 1e3;
    let band = |band: &crate::events::AllowedBand| Band {
        from: seconds(band.from_ms),
        until: seconds(band.until_ms),
        low: band.low.into(),
        high: band.high.into(),
    };
    allowed.bands.iter().map(band).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use workflow::contract::Stamp;

    use super::*;
    use crate::events::{Allowed, AllowedBand, Scaled};

    /// The rates of samples that were taken at some second, of a count at another.
    fn rates(samples: &[(f64, u64, f64)]) -> Vec<f64> {
        let at = |seconds| Stamp::from_micros(0).plus(Duration::from_secs_f64(seconds));
        let sample = |(taken, sent, counted): &(f64, u64, f64)| {
            let sample = Sample {
                sent: Some(*sent),
                sent_at: Some(at(*counted)),
                ..Sample::default()
            };
            (at(*taken), sample)
        };
        let record = RunRecord {
            started: at(0.0),
            ended: at(9.0),
            samples: samples.iter().map(sample).collect(),
            ..RunRecord::default()
        };
        let points = Series::of(&record).unwrap().rate();
        points.into_iter().map(|(_, rate)| rate.round()).collect()
    }

    #[test]
    fn a_steady_rate_is_level_however_samples_fall_between_counts() {
        let twice_the_same = [
            (0.1, 0, 0.2),
            (1.1, 0, 0.2),
            (2.2, 300, 2.2),
            (3.3, 450, 3.2),
        ];
        assert_eq!(rates(&twice_the_same), [150.0; 4]);
        let one_left_out = [(0.3, 0, 0.2), (1.1, 105, 0.9), (3.9, 540, 3.8)];
        assert_eq!(rates(&one_left_out), [150.0; 4]);
    }

    #[test]
    fn what_is_sent_in_the_last_moment_makes_no_peak() {
        let with_a_rest = [
            (0.0, 0, 0.0),
            (1.0, 150, 1.0),
            (2.0, 296, 2.0),
            (2.1, 300, 2.001),
        ];
        assert_eq!(rates(&with_a_rest), [150.0; 4]);
        let a_burst_alone = [(0.0, 0, 0.0), (1.0, 300, 0.25)];
        assert_eq!(rates(&a_burst_alone), [1_200.0; 2]);
    }

    #[test]
    fn what_was_wanted_is_drawn_in_steps_over_what_is_allowed() {
        let at = |seconds| Stamp::from_micros(0).plus(Duration::from_secs_f64(seconds));
        let scaled = |seconds, from, to| {
            let scaled = Scaled {
                by: "model of the HPA".to_owned(),
                from,
                to,
                reason: String::new(),
                queue: None,
            };
            (at(seconds), scaled)
        };
        let band = AllowedBand {
            from_ms: 500,
            until_ms: 1_500,
            low: 0,
            high: 5,
        };
        let record = RunRecord {
            started: at(0.0),
            ended: at(9.0),
            samples: vec![(at(0.0), Sample::default()), (at(9.0), Sample::default())],
            scaled: vec![scaled(2.0, 0, 1), scaled(3.0, 1, 5)],
            allowed: vec![Allowed {
                since: at(1.0),
                bands: vec![band],
                excursions: vec![],
                queue: None,
            }],
            ..RunRecord::default()
        };
        let panels = Series::of(&record).unwrap().panels();
        let [consumers] = &panels[..] else {
            panic!("only consumers have something to show")
        };
        let steps = [
            (0.0, 0.0),
            (2.0, 0.0),
            (2.0, 1.0),
            (3.0, 1.0),
            (3.0, 5.0),
            (9.0, 5.0),
            (9.0, 5.0),
        ];
        assert_eq!(consumers.lines[0].points, steps);
        let expected = Band {
            from: 1.5,
            until: 2.5,
            low: 0.0,
            high: 5.0,
        };
        assert_eq!(consumers.allowed, [expected]);
    }

    #[test]
    fn what_is_wanted_for_several_queues_is_drawn_as_their_sum() {
        let at = |seconds| Stamp::from_micros(0).plus(Duration::from_secs_f64(seconds));
        let scaled = |seconds, queue: &str, from, to| {
            let scaled = Scaled {
                by: "KEDA".to_owned(),
                from,
                to,
                reason: String::new(),
                queue: Some(queue.to_owned()),
            };
            (at(seconds), scaled)
        };
        let record = RunRecord {
            started: at(0.0),
            ended: at(4.0),
            scaled: vec![
                scaled(1.0, "q1", 0, 4),
                scaled(2.0, "q2", 1, 3),
                scaled(3.0, "q1", 4, 2),
            ],
            ..RunRecord::default()
        };
        let after = |seconds: f64| {
            let mut points = wanted(&record).into_iter();
            points.rfind(|(at, _)| *at <= seconds).map(|it| it.1)
        };
        let seconds = [0.5, 1.5, 2.5, 3.5];
        assert_eq!(seconds.map(after), [1.0, 5.0, 7.0, 5.0].map(Some));
    }
}
