//! Tests of a queue without answers for 75 s, from the first second on. The loops' first reads begin at 0 s and at 15 s, with a
//! client whose tries time out after 3 s: they fail at 42 s and at 57 s.

use super::super::runs::{Late, draw, mix, share};
use super::super::unanswered::Unanswered;
use super::*;
use crate::keda::Reader;
use crate::{Fallback, FallbackBehavior};

const AWAY: Duration = Duration::from_secs(75);

fn falling(failure_threshold: u32) -> Settings {
    Settings {
        fallback: Some(Fallback {
            failure_threshold,
            replicas: 6,
            behavior: FallbackBehavior::Static,
        }),
        ..Settings::default()
    }
}

/// The distance in time of the nearest run from a recording of 100 s, with 30 messages once the queue is back.
fn distance(settings: &Settings, recorded: &ReplicaSeries) -> Duration {
    let waiting = Some(Ok(Queue {
        visible: 30,
        leased: 0,
    }));
    let silent = RecordedQueue::with_silence([(seconds(0), None), (AWAY, waiting)]);
    let known = Uncertainty {
        poll: Some(seconds(0)),
        sync: Some(seconds(15)),
        ..Uncertainty::default()
    };
    let start = Start {
        replicas: 2,
        age: seconds(3_600),
        active_ago: Some(seconds(5)),
        ..Start::default()
    };
    let end = seconds(100);
    let nearest = Nearest::new(settings, &start, &silent, recorded, end, &known);
    nearest.map_or(Duration::MAX, |it| it.distance)
}

/// Source: KEDA `pkg/scaling/scale_handler.go`, `checkScalers` and `GetScaledObjectMetrics`; `pkg/fallback/fallback.go`,
/// `IncrementFailure`: both reads begin with no failure in their copies of the status, and each writes one.
#[test]
fn two_reads_that_fail_side_by_side_may_count_as_one_so_that_there_is_no_fallback() {
    // The sync that begins at 72.5 s gets an answer to its second try, at 76.3 s.
    let never = series(&[(0, 2), (76, 4), (91, 6)]);
    assert!(distance(&falling(1), &never) <= seconds(1));
    // If both have the same copy, the second failure exceeds the threshold by one.
    let fallen = series(&[(0, 2), (57, 4), (76, 6)]);
    assert!(distance(&falling(1), &fallen) <= seconds(1));
}

/// Source: Azure SDK for Go `sdk/azcore/runtime/policy_retry.go`, `calcDelay`.
#[test]
fn what_is_away_for_75_s_never_falls_back_with_a_threshold_of_three() {
    let never = series(&[(0, 2), (76, 4), (91, 6)]);
    assert!(distance(&falling(3), &never) <= seconds(1));
    // Reads that fail at once would have counted three failures after 30 s.
    let at_once = series(&[(0, 2), (30, 4), (45, 6)]);
    assert!(distance(&falling(3), &at_once) <= seconds(1));
    let neither = series(&[(0, 2), (65, 4), (66, 6)]);
    assert!(distance(&falling(3), &neither) > seconds(5));
}

/// A queue that never answers.
struct Away;

impl Load for Away {
    fn at(&self, _: Duration) -> Observation {
        Err(crate::ScalerError)
    }

    fn silent_until(&self, _: Duration) -> Option<Duration> {
        Some(Duration::MAX)
    }
}

/// Source: Kubernetes `staging/src/k8s.io/apiserver/pkg/server/config.go`, `RequestTimeout`.
#[test]
fn a_read_with_tries_of_15_s_is_ended_by_the_api_server() {
    let end = |timeout, reader| {
        let how = Unanswered::Tried {
            timeout,
            cached_by_poll: false,
        };
        let on_time = Late::Always(0, 0);
        let ended = how.ended(on_time, reader, seconds(10), Duration::MAX, &Away);
        (ended.at.as_secs(), ended.failed, ended.cut)
    };
    // In between, two rounds of 9.24 s, and four timeouts.
    assert_eq!(end(0, Reader::Poll), (28, true, false));
    assert_eq!(end(3, Reader::Sync), (52, true, false));
    assert_eq!(end(15, Reader::Poll), (148, true, false));
    assert_eq!(end(15, Reader::Sync), (70, true, true));
}

/// The end of a read at 10 s of a queue that would answer at 70 s, as `Unanswered` says; tries get no answer at all.
fn drawn(how: Unanswered, seed: u64) -> Duration {
    let (now, left) = (seconds(10), seconds(60));
    if let Unanswered::Tried { timeout, .. } = how {
        let mut at = now;
        for pause in [800, 2_400, 5_600, 0, 800, 2_400, 5_600, 0] {
            at += seconds(timeout.into());
            let jitter = 0.8 + share(draw(seed, at)) / 2.0;
            at += Duration::from_millis(pause).mul_f64(jitter);
        }
        return at;
    }
    let bits = draw(seed, now);
    if bits.is_multiple_of(2) {
        return now + left;
    }
    now + left
        .saturating_sub(Duration::from_millis(1))
        .mul_f64(share(bits))
}

/// The random end of a read is drawn from three numbers: the seed of the lateness, the number of the way in which the storage
/// does not answer, and the loop that reads. So two ways with the same lateness do not end at the same moment.
#[test]
fn random_ends_follow_from_the_lateness_the_reaction_and_the_loop() {
    let random = 5 << 32 | 3;
    let numbers = [0, 1, 2, 3, 3, 6, 6, 9, 9, 18, 18];
    for (how, number) in Unanswered::ALL.into_iter().zip(numbers) {
        for reader in [Reader::Poll, Reader::Sync] {
            let late = Late::Random(random);
            let ended = how.ended(late, reader, seconds(10), seconds(70), &Away);
            let seed = mix(random ^ number << 32) << 1 | reader as u64;
            let mut expected = drawn(how, seed);
            if reader == Reader::Sync {
                expected = expected.min(seconds(70));
            }
            assert_eq!(ended.at, expected, "{how:?}, {reader:?}");
        }
    }
}

#[test]
fn a_read_that_fails_last_ends_just_before_the_answer() {
    let on_time = Late::Always(0, 0);
    let ends = [
        (Unanswered::Fails, 10_000),
        (Unanswered::FailsLast, 69_999),
        (Unanswered::Waits, 70_000),
    ];
    for (how, expected) in ends {
        let ended = how.ended(on_time, Reader::Poll, seconds(10), seconds(70), &Away);
        assert_eq!(ended.at.as_millis(), expected, "{how:?}");
    }
}
