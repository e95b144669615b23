//! Tests of when a cron trigger is active. The dates were looked up in a calendar: 28 November 2026 is a Saturday.

use super::*;

fn moment(text: &str) -> Duration {
    let at: Timestamp = text.parse().unwrap();
    Duration::from_secs(u64::try_from(at.as_second()).unwrap())
}

fn cron(start: &str, end: &str, zone: &str) -> Cron {
    Cron::new(start, end, zone, 10).unwrap()
}

fn next(text: &str, zone: &str, now: &str) -> Option<String> {
    let zone = time_zone(zone).unwrap();
    let next = Schedule::new(text).unwrap().next(moment(now), &zone)?;
    let next = Timestamp::from_second(i64::try_from(next.as_secs()).unwrap());
    Some(next.unwrap().to_string())
}

/// Source: KEDA `pkg/scalers/cron_scaler.go`, `GetMetricsAndActivity`.
#[test]
fn a_trigger_is_active_from_its_start_to_its_end() {
    let office = cron("0 8 * * 1-5", "0 18 * * 1-5", "Europe/Berlin");
    for (now, active, until) in [
        // Berlin is an hour ahead in winter.
        ("2026-11-27T06:59:59Z", false, "2026-11-27T07:00:00Z"),
        ("2026-11-27T07:00:00Z", true, "2026-11-27T17:00:00Z"),
        ("2026-11-27T16:59:59Z", true, "2026-11-27T17:00:00Z"),
        ("2026-11-27T17:00:00Z", false, "2026-11-30T07:00:00Z"),
        ("2026-11-28T10:00:00Z", false, "2026-11-30T07:00:00Z"),
        // And two in summer.
        ("2026-07-01T06:00:00Z", true, "2026-07-01T16:00:00Z"),
    ] {
        let until = Some(moment(until));
        assert_eq!(
            office.window(moment(now)),
            Window { active, until },
            "{now}"
        );
    }
    let night = cron("0 22 * * *", "0 6 * * *", "UTC");
    assert!(night.window(moment("2026-11-28T23:00:00Z")).active);
    assert!(night.window(moment("2026-11-28T05:59:59Z")).active);
    assert!(!night.window(moment("2026-11-28T06:00:00Z")).active);
}

/// Source: as above; a schedule that never comes has Go's zero time.
#[test]
fn a_schedule_that_never_comes_counts_as_past() {
    let never = "0 0 30 2 *";
    let now = moment("2026-11-28T12:00:00Z");
    let until = Some(moment("2026-11-29T00:00:00Z"));
    let daily = "0 0 * * *";
    let starts_never = cron(never, daily, "UTC").window(now);
    assert_eq!(
        starts_never,
        Window {
            active: true,
            until
        }
    );
    let ends_never = cron(daily, never, "UTC").window(now);
    assert_eq!(
        ends_never,
        Window {
            active: false,
            until
        }
    );
    // Both are the zero time: neither is before the other, and now is after it.
    let both = cron(never, "0 0 31 4 *", "UTC").window(now);
    assert_eq!(
        both,
        Window {
            active: true,
            until: None
        }
    );
}

#[test]
fn a_schedule_that_comes_on_no_day_is_told_from_a_rare_one() {
    for never in ["0 0 31 2 *", "0 0 30 2 *", "5 4 31 4,6,9,11 *"] {
        assert!(Cron::never_comes(never), "{never}");
    }
    // robfig/cron, spec.go, dayMatches: where both days are restricted, either will do.
    for comes in [
        "0 0 29 2 *",
        "0 0 31 2 1",
        "0 0 31 * *",
        "* * * * *",
        "nonsense",
    ] {
        assert!(!Cron::never_comes(comes), "{comes}");
    }
}

/// Source: `robfig/cron`, `spec.go`, `Next` and `dayMatches`; `parser.go`, `getRange`.
#[test]
#[expect(clippy::too_many_lines, reason = "a table, a row for each rule")]
fn the_next_moment_is_the_one_that_robfig_finds() {
    for (pattern, zone, now, expected) in [
        (
            "*/15 * * * *",
            "UTC",
            "2026-11-28T12:00:00Z",
            "2026-11-28T12:15:00Z",
        ),
        (
            "5/20 * * * *",
            "UTC",
            "2026-11-28T12:26:00Z",
            "2026-11-28T12:45:00Z",
        ),
        (
            "0 12 * * *",
            "UTC",
            "2026-11-28T12:00:00Z",
            "2026-11-29T12:00:00Z",
        ),
        (
            "0 0 1 JAN ?",
            "UTC",
            "2026-11-28T12:00:00Z",
            "2027-01-01T00:00:00Z",
        ),
        (
            "0 0 29 2 *",
            "UTC",
            "2026-11-28T12:00:00Z",
            "2028-02-29T00:00:00Z",
        ),
        // A day of the month or a day of the week, where both are given.
        (
            "0 0 13 * FRI",
            "UTC",
            "2026-11-28T12:00:00Z",
            "2026-12-04T00:00:00Z",
        ),
        (
            "0 0 1 * FRI",
            "UTC",
            "2026-11-28T12:00:00Z",
            "2026-12-01T00:00:00Z",
        ),
        // A step of 1 is no restriction, one of 2 is.
        (
            "0 0 */1 * FRI",
            "UTC",
            "2026-11-28T12:00:00Z",
            "2026-12-04T00:00:00Z",
        ),
        (
            "0 0 */2 * FRI",
            "UTC",
            "2026-11-28T12:00:00Z",
            "2026-11-29T00:00:00Z",
        ),
        (
            "30 9 * * mon",
            "Asia/Kolkata",
            "2026-11-28T12:00:00Z",
            "2026-11-30T04:00:00Z",
        ),
        // 2:30 is left out on 29 March 2026, and comes twice on 25 October.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-30T00:30:00Z",
        ),
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00:00Z",
            "2026-10-25T00:30:00Z",
        ),
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
        ),
        (
            "15 2 * * *",
            "Europe/Berlin",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:15:00Z",
        ),
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-25T01:30:00Z",
            "2026-10-26T01:30:00Z",
        ),
    ] {
        let found = next(pattern, zone, now);
        assert_eq!(
            found.as_deref(),
            Some(expected),
            "{pattern} in {zone} after {now}"
        );
    }
    assert_eq!(next("0 0 30 2 *", "UTC", "2026-11-28T12:00:00Z"), None);
}

/// Every minute of the two days on which Berlin's clocks change, compared with a search that checks minute by minute.
#[test]
fn the_next_moment_is_that_of_a_search_minute_by_minute() {
    let zone = time_zone("Europe/Berlin").unwrap();
    for text in ["30 2 * * *", "*/20 1-3 * * *", "0 0 * * 0", "59 23,0 * * *"] {
        let schedule = Schedule::new(text).unwrap();
        let matches = |at: Timestamp| {
            let time = zone.to_datetime(at);
            schedule.matches_day(time.date())
                && schedule.fields.hours().any(|it| it == time.hour())
                && schedule.fields.minutes().any(|it| it == time.minute())
        };
        for begin in ["2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z"] {
            let begin = i64::try_from(moment(begin).as_secs()).unwrap();
            for minute in (0..2 * 24 * 60).step_by(7) {
                let now = begin + minute * 60 + 13;
                let later = (now / 60 + 1..).map(|it| Timestamp::from_second(it * 60).unwrap());
                let expected = later.clone().find(|at| matches(*at)).unwrap();
                let found = schedule.next(Duration::from_secs(now.unsigned_abs()), &zone);
                let expected = Duration::from_secs(expected.as_second().unsigned_abs());
                assert_eq!(found, Some(expected), "{text} after {now}");
            }
        }
    }
}

/// Source: KEDA `cron_scaler.go`, `Validate` (fields without seconds and descriptors); `robfig/cron`, `parser.go`.
#[test]
fn what_robfig_does_not_know_is_refused_by_its_key() {
    for (start, end, zone, key) in [
        ("0 8 * *", "0 9 * * *", "UTC", "start"),
        ("0 0 8 * * *", "0 9 * * *", "UTC", "start"),
        ("@daily", "0 9 * * *", "UTC", "start"),
        ("0 8 * * 7", "0 9 * * *", "UTC", "start"),
        ("0 8 L * *", "0 9 * * *", "UTC", "start"),
        ("0 8 15W * *", "0 9 * * *", "UTC", "start"),
        ("0 8 * * 1#2", "0 9 * * *", "UTC", "start"),
        ("60 8 * * *", "0 9 * * *", "UTC", "start"),
        ("TZ=UTC", "0 9 * * *", "UTC", "start"),
        ("TZ=Tokyo 0 8 * * *", "0 9 * * *", "UTC", "start"),
        ("0 8-9-10 * * *", "0 9 * * *", "UTC", "start"),
        ("*/2/3 8 * * *", "0 9 * * *", "UTC", "start"),
        ("-5 8 * * *", "0 9 * * *", "UTC", "start"),
        ("0 18-8 * * *", "0 9 * * *", "UTC", "start"),
        ("0 8 * * *", "0 24 * * *", "UTC", "end"),
        ("0 8 * * *", "*/0 9 * * *", "UTC", "end"),
        ("0 8 * * *", "0 9 * * *", "Europe/berlin", "timezone"),
        ("0 8 * * *", "0 9 * * *", "CEST", "timezone"),
    ] {
        let refused = Cron::new(start, end, zone, 1).unwrap_err();
        assert_eq!(refused.0, key, "{start}, {end}, {zone}: {}", refused.1);
    }
    let spelt = Cron::new("0 8 * * *", "0 9 * * *", "Europe/berlin", 1).unwrap_err();
    let told = "is \"Europe/berlin\": names of zones are files to KEDA, write \"Europe/Berlin\"";
    assert_eq!(spelt.1, told);
    assert!(Cron::new("0 8 * * *", "0 9 * * *", "Local", 1).is_ok());
    let refused = Cron::new("*/0 8 * * *", "0 9 * * *", "UTC", 1).unwrap_err();
    let told = "is \"*/0 8 * * *\": a step, the number after /, must be 1 or more";
    assert_eq!(refused.1, told);
}

/// Source: `robfig/cron`, `spec.go`, `bounds`, and `parser.go`, `getRange` ("above maximum", "beyond end of range").
#[test]
fn numbers_that_a_field_cannot_have_are_told_in_words() {
    for (text, words) in [
        ("60 8 * * *", "minutes are 0 to 59, and 60 is none"),
        ("0 25 * * *", "hours are 0 to 23, and 25 is none"),
        ("0 8 0 * *", "days of a month are 1 to 31, and 0 is none"),
        ("0 8 * 13 *", "months are 1 to 12, and 13 is none"),
        ("0 8-99999999999 * * *", "hours are 0 to 23"),
        (
            "0 22-6 * * *",
            "22-6 ends before it begins; write 22-23,0-6",
        ),
        ("0 8 * * FOO", "must be five fields of numbers"),
        ("0 8 * * FOOL", "must be five fields of numbers"),
        (
            "0 8 99999999999999999999 * *",
            "must be five fields of numbers",
        ),
        ("0 8 15W * *", "KEDA knows no L and no W"),
        ("0 8 * * 1#2", "KEDA knows no #"),
        ("0 8 * * 7", "Sunday is 0 to KEDA, which knows no day 7"),
        ("0 8 * * 8", "days of a week are 0 to 6, and 8 is none"),
    ] {
        let refused = Schedule::new(text).unwrap_err();
        assert!(refused.contains(words), "{text}: {refused}");
        assert!(!refused.contains("omponent"), "{refused}");
    }
    for taken in ["*/70 8 * * *", "0 8 * * MON-FRI", "5-10,20/15 0 31 12 6"] {
        assert!(Schedule::new(taken).is_ok(), "{taken}");
    }
}

/// Source: `robfig/cron`, `parser.go`: `Parse` (a zone before the fields), `getField` (`strings.FieldsFunc` drops what is empty between
/// commas), `getRange` (what follows `*-` is not looked at, and `N/2` goes on to the last number), `mustParseInt` (`strconv.Atoi` takes a
/// plus).
#[test]
fn what_robfig_takes_in_silence_is_taken() {
    let now = "2026-11-28T12:00:00Z";
    for (text, zone, expected) in [
        (
            "CRON_TZ=Asia/Tokyo 0 8 * * *",
            "UTC",
            "2026-11-28T23:00:00Z",
        ),
        ("TZ=UTC 0 8 * * *", "Asia/Tokyo", "2026-11-29T08:00:00Z"),
        ("TZ= 0 8 * * *", "Asia/Tokyo", "2026-11-29T08:00:00Z"),
        ("TZ=Local 0 8 * * *", "Asia/Tokyo", "2026-11-28T23:00:00Z"),
        ("0 8 * * MON,WED,", "UTC", "2026-11-30T08:00:00Z"),
        ("0 8,,9 * * *", "UTC", "2026-11-29T08:00:00Z"),
        ("0 8-8,8 * * *", "UTC", "2026-11-29T08:00:00Z"),
        ("*-5 8 * * *", "UTC", "2026-11-29T08:00:00Z"),
        ("+5 +8 * * *", "UTC", "2026-11-29T08:05:00Z"),
        ("0 8 * * */7", "UTC", "2026-11-29T08:00:00Z"),
        ("0 8 * * 3/2", "UTC", "2026-12-02T08:00:00Z"),
    ] {
        assert_eq!(next(text, zone, now).as_deref(), Some(expected), "{text}");
    }
    assert!(Cron::never_comes("0 8 , * *"));
}

#[test]
fn triggers_are_equal_if_all_that_they_say_is() {
    let cron = |start, end, zone, replicas| Cron::new(start, end, zone, replicas).unwrap();
    let (eight, nine, berlin) = ("0 8 * * *", "0 9 * * *", "Europe/Berlin");
    let one = cron(eight, nine, berlin, 3);
    assert_eq!(one, cron(eight, nine, berlin, 3));
    for other in [
        cron("0 7 * * *", nine, berlin, 3),
        cron(eight, "0 10 * * *", berlin, 3),
        cron(eight, nine, "UTC", 3),
        cron(eight, nine, berlin, 4),
    ] {
        assert_ne!(one, other);
    }
}
