//! Tests of envelopes of known series.

mod excursions;
mod unanswered;

use super::*;
use crate::{Observation, Queue};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn measured() -> Settings {
    Settings {
        max_replica_count: 15,
        polling_interval: seconds(5),
        ..Settings::default()
    }
}

fn envelope(settings: &Settings, load: &impl Load, horizon: u64) -> Envelope {
    let uncertainty = Uncertainty {
        step: seconds(1),
        ..Uncertainty::default()
    };
    Envelope::new(
        settings,
        &Start::default(),
        load,
        seconds(horizon),
        &uncertainty,
    )
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "an observation, as the model takes it"
)]
fn burst(_: Duration) -> Observation {
    Ok(Queue {
        visible: 200,
        leased: 0,
    })
}

fn series(steps: &[(u64, u32)]) -> ReplicaSeries {
    steps
        .iter()
        .map(|(at, replicas)| (seconds(*at), *replicas))
        .collect()
}

/// Source: measured on a Kubernetes with KEDA 2.20: 0, 1, 4, 8, 15, the last about 40 s after the burst.
#[test]
fn the_measured_burst_is_inside_and_its_neighbours_are_not() {
    let envelope = envelope(&measured(), &burst, 120);
    assert_eq!(envelope.likely().counts(), [0, 1, 4, 8, 15]);
    let inside = series(&[(0, 0), (3, 1), (11, 4), (26, 8), (40, 15)]);
    assert_eq!(envelope.excursions(&inside), []);
    for (what, outside) in [
        (
            "a sync too many",
            series(&[
                (0, 0),
                (3, 1),
                (11, 4),
                (26, 8),
                (41, 12),
                (56, 15),
                (90, 15),
                (91, 14),
            ]),
        ),
        ("never scaled", series(&[(0, 0)])),
        ("at once", series(&[(0, 15)])),
        (
            "over the maximum",
            series(&[(0, 0), (3, 1), (11, 4), (26, 8), (40, 16)]),
        ),
    ] {
        assert_ne!(envelope.excursions(&outside), [], "{what}");
    }
}

#[test]
fn each_count_has_its_earliest_and_latest_time() {
    let envelope = envelope(&measured(), &burst, 120);
    let reach = |n: usize| envelope.reaches()[n - 1];
    assert_eq!(envelope.reaches().len(), 15);
    // A poll within 5 s, a sync within 15 s after it, and two more; widened by slack and step, 3 s; each late by 2 s.
    assert_eq!(reach(1).earliest, seconds(0));
    assert_eq!(reach(1).latest, Some(seconds(4 + 2 + 3)));
    let (earliest, latest) = (reach(15).earliest, reach(15).latest.unwrap());
    assert!(
        earliest >= seconds(27) && earliest <= seconds(31),
        "{earliest:?}"
    );
    assert!(latest >= seconds(52) && latest <= seconds(63), "{latest:?}");
    assert_eq!(
        (reach(15).left_earliest, reach(15).left_latest),
        (None, None)
    );
}

#[test]
fn a_count_that_some_runs_never_have_has_no_latest_time() {
    // Messages for ten seconds: a poll every 30 s can miss them.
    let pulse = |now: Duration| -> Observation {
        let there = (seconds(100)..seconds(110)).contains(&now);
        Ok(Queue {
            visible: if there { 10 } else { 0 },
            leased: 0,
        })
    };
    let settings = Settings {
        cooldown_period: seconds(20),
        ..Settings::default()
    };
    let envelope = envelope(&settings, &pulse, 300);
    let [one, ..] = envelope.reaches() else {
        panic!("some run sees the messages")
    };
    assert_eq!(one.latest, None);
    assert!(one.earliest >= seconds(97), "{one:?}");
    assert!(
        one.left_latest
            .is_some_and(|at| at <= seconds(110 + 30 + 30 + 10)),
        "{one:?}"
    );
    assert_eq!(envelope.at(seconds(120)), (0, 2));
    assert_eq!(envelope.at(seconds(290)), (0, 0));
    assert_eq!(envelope.excursions(&series(&[(0, 0)])), []);
}

#[test]
fn known_phases_narrow_the_envelope() {
    let known = Uncertainty {
        slack: Duration::ZERO,
        poll: Some(seconds(1)),
        sync: Some(seconds(4)),
        ..Uncertainty::default()
    };
    let envelope = Envelope::new(&measured(), &Start::default(), &burst, seconds(60), &known);
    for reach in envelope.reaches() {
        assert_eq!(Some(reach.earliest), reach.latest, "{reach:?}");
    }
    assert_eq!(envelope.likely().reached(15), Some(seconds(34)));
    assert_eq!(envelope.reaches()[14].earliest, seconds(34));
    let from = |band: &Band| (band.from, band.low, band.high);
    let bands: Vec<_> = envelope.bands().iter().map(from).collect();
    assert!(
        bands.contains(&(Duration::from_millis(34_250), 15, 15)),
        "{bands:?}"
    );
}

#[test]
fn an_excursion_says_where_and_what_was_possible() {
    let envelope = envelope(&measured(), &burst, 120);
    let excursions = envelope.excursions(&series(&[
        (0, 0),
        (3, 1),
        (11, 4),
        (26, 8),
        (40, 15),
        (100, 14),
        (110, 15),
    ]));
    let [excursion] = excursions.as_slice() else {
        panic!("{excursions:?}")
    };
    assert_eq!(
        excursion.to_string(),
        "14 replicas from 100.0 s to 110.0 s, where 15 to 15 are possible"
    );
}

#[test]
fn a_recorded_load_holds_between_its_samples() {
    let queue = |visible| Ok(Queue { visible, leased: 0 });
    let samples = RecordedQueue::new([(seconds(20), queue(0)), (seconds(10), queue(7))]);
    let read = |now| samples.at(Duration::from_millis(now));
    assert_eq!(
        [read(9_999), read(10_000), read(19_999), read(99_000)],
        [queue(0), queue(7), queue(7), queue(0)]
    );
}

#[test]
fn a_recorded_load_is_steady_until_another_sample_differs() {
    let queue = |visible| Ok(Queue { visible, leased: 0 });
    let samples = [(0, 7), (10, 7), (20, 0), (30, 7)];
    let samples = samples.map(|(at, visible)| (seconds(at), queue(visible)));
    let samples = RecordedQueue::new(samples);
    let until = |now| samples.steady_until(seconds(now));
    assert_eq!([until(0), until(15), until(20)], [20, 20, 30].map(seconds));
    assert_eq!(until(30), Duration::MAX);
}

#[test]
fn a_recorded_load_is_silent_where_it_says_nothing() {
    let samples = RecordedQueue::with_silence([
        (seconds(0), Some(Ok(Queue::default()))),
        (seconds(5), None),
        (seconds(6), None),
        (seconds(9), Some(Ok(Queue::default()))),
        (seconds(20), None),
    ]);
    let until = |now| samples.silent_until(Duration::from_millis(now));
    assert_eq!([until(4_999), until(9_000), until(19_999)], [None; 3]);
    assert_eq!([until(5_000), until(6_500)], [Some(seconds(9)); 2]);
    assert_eq!(until(20_000), Some(Duration::MAX));
    assert_eq!(samples.at(seconds(7)), Err(crate::ScalerError));
}

/// Polls every 5 s and syncs every 15 s read a queue that gives no answer from 0 s to 20 s.
#[test]
fn reads_without_an_answer_may_fail_or_wait_and_nothing_else() {
    let full = Some(Ok(Queue {
        visible: 200,
        leased: 0,
    }));
    let silent = RecordedQueue::with_silence([(seconds(0), None), (seconds(20), full)]);
    let envelope = envelope(&measured(), &silent, 60);
    let waited = series(&[(0, 0), (20, 1), (21, 4), (36, 8), (51, 15)]);
    let failed_at_last = series(&[(0, 0), (25, 1), (35, 4), (50, 8)]);
    for inside in [waited, failed_at_last] {
        assert_eq!(envelope.excursions(&inside), [], "{inside:?}");
    }
    // Before the first answer nothing can change, and a poll after it cannot miss the messages.
    for outside in [series(&[(0, 0), (14, 1)]), series(&[(0, 0), (32, 1)])] {
        assert_ne!(envelope.excursions(&outside), [], "{outside:?}");
    }
}

/// The recording has phases that are not on the grid, and a sync that is late by two seconds.
#[test]
fn a_recording_is_explained_by_the_phases_that_come_nearest() {
    let uncertainty = Uncertainty::default();
    let nearest = |recording: &ReplicaSeries| {
        let start = Start::default();
        Nearest::new(
            &measured(),
            &start,
            &burst,
            recording,
            seconds(120),
            &uncertainty,
        )
    };
    let recording = series(&[(0, 0), (3, 1), (11, 4), (26, 8), (43, 15)]);
    let best = nearest(&recording).expect("the counts are the model's");
    assert_eq!(best.series.counts(), recording.counts());
    assert!(best.distance <= Duration::from_millis(1_250), "{best:?}");
    assert!(
        best.phases.poll.abs_diff(seconds(3)) <= best.distance,
        "{best:?}"
    );
    // Other intermediate counts are more distant, and a count that no run reaches cannot be explained at all.
    let other = nearest(&series(&[(0, 0), (3, 1), (11, 5), (26, 10), (43, 15)]));
    assert!(other.is_some_and(|it| it.distance > seconds(4)));
    assert_eq!(nearest(&series(&[(0, 0), (3, 1), (11, 4), (26, 8)])), None);
}

/// Counts how often the queue is read.
struct Counted<'a>(&'a RecordedQueue, std::cell::Cell<u64>);

impl Load for Counted<'_> {
    fn at(&self, now: Duration) -> Observation {
        self.1.set(self.1.get() + 1);
        self.0.at(now)
    }

    fn steady_until(&self, now: Duration) -> Duration {
        self.0.steady_until(now)
    }
}

fn four_rows(hours: u64) -> RecordedQueue {
    let queue = |visible| Ok(Queue { visible, leased: 0 });
    let end = hours * 3_600;
    RecordedQueue::new([
        (seconds(0), queue(0)),
        (seconds(60), queue(40)),
        (seconds(end / 2), queue(0)),
        (seconds(end), queue(0)),
    ])
}

#[test]
fn a_recording_costs_what_its_rows_do_and_not_what_its_hours_would() {
    let reads = |hours| {
        let samples = four_rows(hours);
        let counted = Counted(&samples, std::cell::Cell::new(0));
        envelope(&measured(), &counted, hours * 3_600);
        counted.1.get()
    };
    let (four, day) = (reads(4), reads(24));
    assert!(day < four + four / 10, "{four} reads, and {day} of a day");
}

/// With a slack of zero, so that random lateness is zero too.
#[test]
fn what_is_passed_over_changes_nothing() {
    let on_time = Uncertainty {
        slack: Duration::ZERO,
        step: seconds(4),
        ..Uncertainty::default()
    };
    let slow = crate::Policy {
        kind: crate::PolicyKind::Pods,
        value: 1,
        period: seconds(600),
    };
    let mut careful = crate::Behavior::default();
    careful.scale_down.policies = vec![slow];
    careful.scale_up.stabilization_window = Some(seconds(120));
    let settings = [
        measured(),
        Settings {
            behavior: Some(careful),
            idle_replica_count: Some(0),
            min_replica_count: 2,
            ..measured()
        },
    ];
    let samples = four_rows(3);
    let plain = |now: Duration| samples.at(now);
    for settings in settings {
        let (start, end) = (Start::default(), seconds(3 * 3_600));
        let over = Envelope::new(&settings, &start, &samples, end, &on_time);
        let through = Envelope::new(&settings, &start, &plain, end, &on_time);
        assert_eq!(over.bands(), through.bands());
        assert_eq!(over.reaches(), through.reaches());
    }
}

#[test]
fn around_one_run_nothing_is_possible_but_that_run_give_or_take_the_slack() {
    let run = series(&[(0, 0), (10, 4), (20, 1)]);
    let exact = Envelope::around(&run, Duration::ZERO, seconds(30));
    assert_eq!(exact.excursions(&run), []);
    assert!(exact.bands().iter().all(|band| band.low == band.high));
    let around = Envelope::around(&run, seconds(2), seconds(30));
    let at = |second| around.at(seconds(second));
    assert_eq!([7, 8, 11, 12, 17, 18, 22].map(at), {
        [(0, 0), (0, 4), (0, 4), (4, 4), (4, 4), (1, 4), (1, 1)]
    });
    for inside in [
        series(&[(0, 0), (8, 4), (22, 1)]),
        series(&[(0, 0), (12, 4), (18, 1)]),
    ] {
        assert_eq!(around.excursions(&inside), []);
        assert_ne!(exact.excursions(&inside), []);
    }
    assert_ne!(around.excursions(&series(&[(0, 0), (7, 4), (20, 1)])), []);
    assert_eq!(around.reaches()[3].earliest, seconds(8));
}

#[test]
fn a_band_lasts_until_something_else_is_possible() {
    let envelope = envelope(&measured(), &burst, 120);
    let possible = |band: &Band| (band.low, band.high);
    let pairs = envelope.bands.windows(2);
    assert!(envelope.bands.len() > 3);
    for pair in pairs {
        assert_ne!(possible(&pair[0]), possible(&pair[1]));
        assert_eq!(pair[0].until, pair[1].from);
    }
}
