//! Tests of the phases and the lateness of runs.

use super::super::RecordedQueue;
use super::*;
use crate::Queue;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The first results of `SplitMix64` from the states 0 and 1.
#[test]
fn numbers_are_those_of_split_mix() {
    assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
    assert_eq!(mix(1), 0x910a_2dec_8902_5cc1);
    let at = Duration::from_nanos(0x0f0f);
    assert_eq!(draw(5, at), mix(0x0f0f ^ mix(5)));
    let shares = [0, 1 << 63, u64::MAX].map(|bits| format!("{:.6}", share(bits)));
    assert_eq!(shares, ["0.000000", "0.500000", "0.999999"]);
}

#[test]
fn each_loop_is_late_in_its_own_way() {
    let slack = seconds(8);
    let always = Late::Always(2, 6);
    let of = |which| always.of(which, seconds(40), slack);
    assert_eq!((of(0), of(1)), (seconds(2), seconds(6)));
    let usual = |late: Late| (late.usual(0, slack), late.usual(1, slack));
    assert_eq!(usual(always), (seconds(2), seconds(6)));
    assert_eq!(usual(Late::Random(3)), (seconds(4), seconds(4)));
    for (which, seed) in [(0, 6), (1, 7)] {
        let random = Late::Random(3).of(which, seconds(40), slack);
        assert_eq!(random, slack.mul_f64(share(draw(seed, seconds(40)))));
    }
}

#[test]
fn no_poll_and_sync_coincide_unless_they_are_known_to() {
    let settings = Settings::default();
    let phases = |sync: Option<Duration>| {
        let uncertainty = Uncertainty {
            step: seconds(1),
            sync,
            ..Uncertainty::default()
        };
        let starts = starts(&settings, &Start::default(), &uncertainty);
        starts[0].phases.sync
    };
    assert_eq!(phases(None), Duration::from_millis(500));
    assert_eq!(phases(Some(seconds(3))), seconds(3));
}

/// Polls at 15 s, 45 s, and syncs at 7.5 s, 22.5 s, 37.5 s.
#[test]
fn the_likely_run_begins_in_the_middle_of_both_periods() {
    let settings = Settings {
        max_replica_count: 15,
        ..Settings::default()
    };
    let burst = |_: Duration| {
        Ok(Queue {
            visible: 200,
            leased: 0,
        })
    };
    let start = Start::default();
    let run = likely(
        &settings,
        &start,
        &burst,
        seconds(40),
        &Uncertainty::default(),
    );
    let changes: Vec<_> = run
        .steps()
        .iter()
        .map(|it| (it.at.as_millis(), it.replicas))
        .collect();
    assert_eq!(changes, [(0, 0), (15_000, 1), (22_500, 4), (37_500, 8)]);
}

/// A tick is due one period after the actual time of the one before, so ticks of a loop that is always late are further apart.
#[test]
fn late_ticks_are_passed_over_by_their_actual_period() {
    let settings = Arc::new(Settings {
        max_replica_count: 15,
        ..Settings::default()
    });
    let queue = |visible| Ok(Queue { visible, leased: 0 });
    let slack = seconds(2);
    for ends in (2_000..2_060).step_by(7) {
        let samples = [(seconds(60), queue(200)), (seconds(ends), queue(0))];
        let samples = RecordedQueue::new(samples);
        let plain = |now: Duration| samples.at(now);
        for late in [(8, 8), (8, 0), (0, 8), (3, 3)] {
            let how = (Late::Always(late.0, late.1), Unanswered::Waits);
            let (start, end) = (Start::default(), seconds(3_000));
            let (over, _) = one(&settings, &start, &samples, end, how, slack);
            let (through, _) = one(&settings, &start, &plain, end, how, slack);
            assert_eq!(over, through, "{late:?}, until {ends} s");
        }
    }
}

/// Source: KEDA `pkg/scaling/scale_handler.go`, `checkScalers` and `GetScaledObjectMetrics`: a read works on the status of its
/// begin. The API server ends requests of the HPA, and none of a poll.
#[test]
fn a_slow_read_is_under_way_from_its_begin_and_has_its_own_result() {
    for (reader, other) in [(Reader::Poll, Reader::Sync), (Reader::Sync, Reader::Poll)] {
        let mut model = Autoscaler::new(Settings::default(), &Start::default());
        let mut reads = Reads::default();
        let at = seconds(52);
        let (failed, cut) = (true, true);
        let ended = Ended { at, failed, cut };
        reads.slow[reader as usize] = Some((seconds(10), ended));
        let mut until = |now| {
            let observed = reads.until(seconds(now), &mut model);
            let under_way = [reader, other].map(|it| model.health.is_under_way(it));
            (observed, under_way, model.sync_cut)
        };
        assert_eq!(until(9), (None, [false, false], false));
        assert_eq!(until(10), (None, [true, false], false));
        assert_eq!(until(51), (None, [true, false], false));
        let is_sync = reader == Reader::Sync;
        let failed = Some(Err(ScalerError));
        assert_eq!(until(52), (failed, [true, false], is_sync));
        assert_eq!(until(53).0, None, "it has ended once");
    }
}

/// A read that waits for the answer ends like one that is made then.
#[test]
fn a_slow_read_that_is_answered_sees_the_queue_at_its_end() {
    let mut model = Autoscaler::new(Settings::default(), &Start::default());
    let mut reads = Reads::default();
    let ended = Ended {
        at: seconds(52),
        failed: false,
        cut: false,
    };
    reads.slow[Reader::Sync as usize] = Some((seconds(10), ended));
    assert_eq!(reads.until(seconds(52), &mut model), None);
    assert!(model.health.is_under_way(Reader::Sync) && !model.sync_cut);
    assert!(reads.slow[Reader::Sync as usize].is_none());
}
