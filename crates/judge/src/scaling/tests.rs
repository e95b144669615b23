use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A run in which so many consumers ran as were wanted, one count each minute.
fn census(counts: &[u32]) -> Census {
    let mut census = Census::default();
    for (minute, count) in (0..).zip(counts) {
        census.take(*count as usize, *count, minute * 60 * SECOND);
    }
    census
}

fn found(kept: Kept) -> (Outcome, String) {
    let error = kept.unwrap_err();
    (error.outcome(), error.to_string())
}

fn fails(kept: Kept) -> String {
    let (outcome, reason) = found(kept);
    assert_eq!(outcome, Outcome::Fail, "{reason}");
    reason
}

#[test]
fn numbers_of_consumers_keep_their_limits_at_the_limit_and_not_beyond() {
    let all = census(&[0, 4, 15, 3]);
    assert_eq!(all.never_more_than(15), Ok(()));
    assert_eq!(fails(all.never_more_than(14)), "there were 15");
    assert_eq!(all.turned_at_most(1), Ok(()));
    let turned = fails(all.turned_at_most(0));
    assert_eq!(turned, "it turned 1 times: [0, 4, 15, 3]");
    assert_eq!(all.took_away_at_once(12, Pace::PRODUCTION), Ok(()));
    for other in [11, 13] {
        let cut = fails(all.took_away_at_once(other, Pace::PRODUCTION));
        assert_eq!(cut, "the most that went at once is 12");
    }
    // Nothing is proven of consumers that never came.
    let never = "there was never a consumer at all";
    assert_eq!(fails(census(&[0]).never_more_than(15)), never);
    assert_eq!(fails(census(&[]).turned_at_most(1)), never);
}

#[test]
fn pods_are_taken_away_at_once_if_they_end_within_five_seconds_at_any_pace() {
    for (times, together) in [(1, 5), (5, 1)] {
        let pace = Pace::new(times).unwrap();
        let mut census = Census::default();
        for (second, running) in [(0, 9), (100, 8), (100 + together, 6), (101 + together, 5)] {
            census.take(running, 0, second * SECOND);
        }
        assert_eq!(census.took_away_at_once(3, pace), Ok(()), "{times}");
    }
}

#[test]
fn consumers_follow_the_wanted_number_within_the_time_that_a_cluster_takes() {
    let apart = |seconds| {
        let mut census = Census::default();
        census.take(0, 4, Duration::ZERO);
        census.take(4, 4, seconds * SECOND);
        census
    };
    let pace = |times| Pace::new(times).unwrap();
    assert_eq!(apart(45).followed(4, pace(1), Duration::ZERO), Ok(()));
    assert_eq!(apart(46).followed(4, pace(1), SECOND), Ok(()));
    let late = fails(apart(46).followed(4, pace(1), Duration::ZERO));
    assert_eq!(late, "for 46.0s not as many consumers ran as were wanted");
    assert_eq!(apart(3).followed(4, pace(15), Duration::ZERO), Ok(()));
    // Never less than a second, whatever the pace.
    assert_eq!(apart(1).followed(4, pace(90), Duration::ZERO), Ok(()));
    let fewer = fails(apart(1).followed(5, pace(1), Duration::ZERO));
    assert_eq!(fewer, "5 consumers were wanted at most, and 4 ran");
    // A platform without room proves nothing about what scales, and is named.
    let mut full = apart(1);
    full.note_room(Some("a: Insufficient cpu"), 100 * SECOND);
    full.note_room(Some("a: Insufficient cpu"), 120 * SECOND);
    let untold = full.followed(5, pace(1), Duration::ZERO).unwrap_err();
    assert_eq!(untold.outcome(), Outcome::Inconclusive);
    let told = untold.to_string();
    assert!(
        told.starts_with(&fewer) && told.contains("no room"),
        "{told}"
    );
    assert_eq!(full.followed(4, pace(1), Duration::ZERO), Ok(()));
}

#[test]
fn each_queue_is_named_and_what_nobody_could_see_is_no_failure() {
    let excursions = ["3 replicas from 12.0 s".to_owned()];
    assert_eq!(part_of(&[] as &[String], None, None), None);
    let failed = part_of(&excursions, None, Some("edw-r1-q2")).unwrap();
    assert_eq!(failed.outcome, Outcome::Fail);
    let reason = &failed.reasons[0];
    assert!(reason.contains("for edw-r1-q2 was not one"), "{reason}");
    let untold = part_of(&excursions, Some("KEDA was away".to_owned()), None).unwrap();
    assert_eq!(untold.outcome, Outcome::Inconclusive);
    assert_eq!(within_model(&[] as &[String]), Ok(()));
    assert_eq!(fails(within_model(&excursions)), excursions[0]);
    assert_eq!(told(None), Ok(()));
    let (outcome, _) = found(told(Some("KEDA was away".to_owned())));
    assert_eq!(outcome, Outcome::Inconclusive);
}

#[test]
fn a_standstill_is_proven_only_if_somebody_has_looked_and_the_messages_are_still_there() {
    let still = Standstill {
        ran: 0,
        wanted: 0,
        polls: 1,
        left: 4,
    };
    assert_eq!(still.keeps(4), Ok(()));
    assert_eq!(fails(still.keeps(5)), "it holds 4");
    let unseen = Standstill { polls: 0, ..still };
    assert_eq!(found(unseen.keeps(4)).0, Outcome::Inconclusive);
    for (broken, told) in [
        (Standstill { ran: 1, ..unseen }, "1 came"),
        (
            Standstill {
                wanted: 2,
                ..unseen
            },
            "2 were wanted",
        ),
    ] {
        assert_eq!(fails(broken.keeps(4)), told);
    }
}

/// Loops of which one tick was this late, and whose HPA syncs every 15 s: the default of `--horizontal-pod-autoscaler-sync-period`
/// of the kube-controller-manager.
fn loops(latest: Duration) -> Loops {
    Loops {
        away: None,
        latest,
        sync_period: 15 * SECOND,
    }
}

/// A tick that is later by more than a sync period has left out a turn of the HPA.
#[test]
fn loops_say_nothing_of_the_settings_if_they_were_away_or_later_than_a_sync_period() {
    assert_eq!(loops(15 * SECOND).untold(), None);
    let late = loops(15_200 * SECOND / 1_000).untold().unwrap();
    assert!(late.ends_with("up to 15.2s late"), "{late}");
    // Scenarios run 15 times faster on this machine, and their HPA syncs every second.
    let fast = |latest| Loops {
        sync_period: SECOND,
        ..loops(latest)
    };
    assert_eq!(fast(SECOND).told(), Ok(()));
    assert_eq!(
        found(fast(2 * SECOND).told()).0,
        Outcome::Inconclusive,
        "two turns"
    );
    let away = Loops {
        away: Some("503".to_owned()),
        ..loops(Duration::ZERO)
    };
    let told = "KEDA did not answer the HPA: 503";
    assert_eq!(away.untold().as_deref(), Some(told));
}

#[test]
fn consumers_have_come_when_all_are_at_work_and_have_gone_when_none_is_left() {
    let four = Consumers {
        came: true,
        wanted: 4,
        running: 4,
        at_work: 4,
        leaving: 0,
    };
    assert!(four.are(4));
    for other in [
        Consumers { wanted: 5, ..four },
        Consumers { running: 5, ..four },
        Consumers { at_work: 3, ..four },
    ] {
        assert!(!other.are(4), "{other:?}");
    }
    let none = Consumers {
        wanted: 0,
        running: 0,
        at_work: 0,
        ..four
    };
    assert!(none.have_gone());
    for other in [
        Consumers {
            came: false,
            ..none
        },
        Consumers { leaving: 1, ..none },
        four,
    ] {
        assert!(!other.have_gone(), "{other:?}");
    }
}

#[test]
fn consumers_that_are_late_break_a_promise_unless_loops_platform_or_storage_were() {
    let now = Consumers {
        came: true,
        wanted: 4,
        running: 3,
        at_work: 2,
        leaving: 0,
    };
    let (good, storage) = (loops(SECOND), StorageTime::default());
    let late = fails(now.late(9 * SECOND, &good, None, storage));
    let told = "after 9s 4 consumers are wanted, 3 run, 2 of them have asked for messages, and 0 are about to end";
    assert_eq!(late, told);
    let slow = StorageTime {
        starved_ms: 5_000,
        paused_ms: 0,
        observed_ms: 10_000,
    };
    for (loops, no_room, storage, why) in [
        (loops(16 * SECOND), None, storage, "ticked up to 16.0s late"),
        (good.clone(), Some("no cpu"), storage, "but no cpu"),
        (good, None, slow, "but storage kept requests waiting"),
    ] {
        let (outcome, reason) = found(now.late(9 * SECOND, &loops, no_room, storage));
        assert_eq!(outcome, Outcome::Inconclusive, "{reason}");
        assert!(reason.contains(why), "{reason}");
    }
}

#[test]
fn the_last_of_the_judged_consumers_decides_whether_all_had_work_in_time() {
    let seconds = |all: &[i64]| ScaleOut {
        since: Stamp::from_micros(10_000_000),
        first_deliveries: all
            .iter()
            .map(|second| Stamp::from_micros((10 + second) * 1_000_000))
            .collect(),
        possible: 30 * SECOND,
    };
    let on_time = &loops(Duration::ZERO);
    let out = seconds(&[40, 31, 90]);
    assert_eq!(out.clone().in_time(2, 10 * SECOND, on_time), Ok(()));
    let late = fails(out.clone().in_time(2, 9 * SECOND, on_time));
    let told = "they had work 40.00s after scaling began, where the model has them after 30.00s";
    assert_eq!(late, told);
    let few = fails(out.clone().in_time(4, 9 * SECOND, on_time));
    assert_eq!(few, "only 3 consumers ever had work");
    // Only loops that were late by more than half of the time given say that nothing can be told.
    let busy = &loops(4_800 * SECOND / 1_000);
    let judged = out.clone().in_time(2, 9 * SECOND, busy);
    assert_eq!(found(judged).0, Outcome::Inconclusive);
    assert_eq!(out.clone().in_time(2, 10 * SECOND, busy), Ok(()));
    let judged = out.in_time(2, 9 * SECOND, &loops(4_500 * SECOND / 1_000));
    assert_eq!(found(judged).0, Outcome::Fail);
}
