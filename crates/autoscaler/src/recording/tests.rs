//! Tests of reading and judging small recordings.

use super::*;
use crate::Queue;

fn read(text: &str) -> Result<Recording, RecordingError> {
    text.parse()
}

fn reason(text: &str) -> String {
    read(text).expect_err("must be refused").to_string()
}

#[test]
fn rows_hold_until_the_next_and_settings_come_first() {
    let text = "# a remark\nage_s,12.5\nactive_ago_s,3\n\nt_s,visible,leased,replicas\n0,1,2,3\n4.25, 5, 6, 3\n9,0,0,1\n";
    let recording = read(text).unwrap();
    assert_eq!(recording.start().age, Duration::from_millis(12_500));
    assert_eq!(recording.start().active_ago, Some(Duration::from_secs(3)));
    assert_eq!(recording.start().replicas, 3);
    assert_eq!(recording.replicas().counts(), [3, 1]);
    assert_eq!(recording.end(), Duration::from_secs(9));
    let queue = |visible, leased| Ok(Queue { visible, leased });
    let at = |ms| crate::Load::at(recording.samples(), Duration::from_millis(ms));
    assert_eq!((at(4_249), at(4_250)), (queue(1, 2), queue(5, 6)));
}

#[test]
fn an_object_may_never_have_been_active() {
    let recording = read("active_ago_s,never\nt_s,total,replicas\n0,0,0\n9,0,0\n").unwrap();
    assert_eq!(recording.start().active_ago, None);
}

#[test]
fn a_queue_that_gave_no_answer_is_empty_columns() {
    for text in [
        "t_s,total,replicas\n0,5,0\n2.5,,0\n4,,1\n9,0,1\n",
        "t_s,visible,leased,replicas\n0,5,0,0\n2.5,,,0\n4, , ,1\n9,0,0,1\n",
    ] {
        let recording = read(text).unwrap();
        let until = |ms| crate::Load::silent_until(recording.samples(), Duration::from_millis(ms));
        assert_eq!([until(2_499), until(9_000)], [None; 2]);
        assert_eq!(
            [until(2_500), until(4_000)],
            [Some(Duration::from_secs(9)); 2]
        );
        assert_eq!(recording.replicas().counts(), [0, 1]);
    }
}

#[test]
fn a_table_may_come_from_a_spreadsheet() {
    let plain = read("age_s,5\nt_s,visible,leased,replicas\n0,5,1,0\n9,0,0,1\n");
    let written =
        "\u{feff}age_s, 5\r\nt_s, visible, leased, replicas\r\n0.0,5.0,1.0,0\r\n9.0,0.0,0.0,1\r\n";
    for written in [
        written,
        "age_s;5\r\nt_s;visible;leased;replicas\r\n0;5;1;0\r\n9;0;0;1\r\n",
        "sep=;\r\nage_s;5\r\nt_s;visible;leased;replicas\r\n0;5;1;0\r\n9;0;0;1\r\n",
        "\"sep=\t\"\nage_s\t5\nt_s\tvisible\tleased\treplicas\n0\t5\t1\t0\n9\t0\t0\t1\n",
        "age_s\t5\nT_S\tVisible\tLeased\tReplicas\n0\t5\t1\t0\n9\t0\t0\t1\n",
        "age_s,5\r\"t_s\",\"visible\",\"leased\",\"replicas\"\r\"0\",\"5\",\"1\",\"0\"\r\"9\",\"0\",\"0\",\"1\"\r",
    ] {
        assert_eq!(read(written), plain, "{written:?}");
    }
    assert!(plain.is_ok());
    let decimals = reason("t_s;total;replicas\n0;0;0\n1,5;0;0\n");
    assert!(
        decimals.starts_with("line 3: \"1,5\" is no time in seconds from 0 on, such as 12.5"),
        "{decimals}"
    );
    let times = reason("t_s,total,replicas\n2026-11-28T10:00:00Z,0,0\n");
    assert_eq!(
        times,
        "line 2: \"2026-11-28T10:00:00Z\" is no number; write t_s in seconds since 1970, or since the first row"
    );
}

#[test]
fn a_quote_without_an_end_and_a_count_beyond_all_are_told() {
    for (row, said) in [
        ("0,\"5,0", "line 2: a quote has no end on this line"),
        ("0,1e300,0", "line 2: \"1e300\" is no count that"),
        (
            "0,99999999999999999999999,0",
            "line 2: \"99999999999999999999999\" is no count that",
        ),
    ] {
        let reason = reason(&format!("t_s,total,replicas\n{row}\n30,5,1\n"));
        assert!(reason.starts_with(said), "{reason}");
    }
}

/// KEDA's poll and the HPA's sync can change the replicas within a hundredth of a second, which many recordings show as the
/// same time.
#[test]
fn rows_of_one_time_count_in_their_order() {
    let recording = read("t_s,total,replicas\n0,0,0\n5,10,0\n5,20,1\n5,30,4\n9,30,4\n").unwrap();
    assert_eq!(recording.replicas().counts(), [0, 1, 4]);
    let at = Duration::from_secs(5);
    let steps = recording.replicas().steps();
    assert_eq!([steps[1].at, steps[2].at], [at, at]);
    let queue = |ms| crate::Load::at(recording.samples(), Duration::from_millis(ms));
    let total = |visible| Ok(Queue { visible, leased: 0 });
    assert_eq!(
        [queue(4_999), queue(5_000), queue(9_000)],
        [total(0), total(30), total(30)]
    );
    let back = reason("t_s,total,replicas\n0,0,0\n5,10,0\n4,20,1\n");
    assert_eq!(back, "line 4: t_s is less than in the row before");
    let twice = reason("t_s,total,replicas\n0,0,0\n0,0,1\n");
    assert!(
        twice.starts_with("there is no change and no time in it"),
        "{twice}"
    );
}

#[test]
fn times_count_from_the_first_row() {
    let counted = read("t_s,total,replicas\n0,0,0\n5,10,0\n100,0,1\n");
    let since_1970 = read("t_s,total,replicas\n1735689600,0,0\n1735689605,10,0\n1735689700,0,1\n");
    let (counted, recording) = (counted.unwrap(), since_1970.unwrap());
    assert_eq!(recording.samples(), counted.samples());
    assert_eq!(recording.replicas(), counted.replicas());
    assert_eq!(recording.end(), Duration::from_secs(100));
    let findings = recording
        .judge(&Settings::default(), &Uncertainty::default())
        .unwrap();
    assert!(!findings.envelope.bands().is_empty());
}

/// 5 January 2026 is a Monday: KEDA polls within 30 s of 8 o'clock, and the HPA adds the rest one sync later.
#[test]
fn a_cron_trigger_needs_the_time_of_day() {
    let cron = crate::Cron::new("0 8 * * 1", "0 18 * * 1", "UTC", 3).unwrap();
    let settings = Settings {
        others: vec![crate::Trigger {
            name: None,
            reads: crate::Reads::Cron(cron),
            use_cached_metrics: false,
        }],
        ..Settings::default()
    };
    let uncertainty = Uncertainty::default();
    let judged = |text: &str| read(text).unwrap().judge(&settings, &uncertainty);
    let since_start = judged("t_s,total,replicas\n0,0,0\n100,0,0\n");
    assert_eq!(since_start.unwrap_err(), RecordingError::NoClock);
    // From 7:59:30 on.
    let rows = |began: u64, rest: u64| {
        let zero = 1_767_599_970;
        let at = |after: u64| zero + after;
        format!(
            "t_s,total,replicas\n{},0,0\n{},0,1\n{},0,3\n{},0,3\n",
            at(0),
            at(began),
            at(rest),
            at(120)
        )
    };
    assert!(judged(&rows(45, 55)).unwrap().is_inside());
    assert!(
        !judged(&rows(15, 25)).unwrap().is_inside(),
        "before its time"
    );
}

#[test]
fn long_work_tells_how_far_it_is() {
    let recording = read("t_s,total,replicas\n0,0,0\n60,0,0\n").unwrap();
    let mut told = Vec::new();
    let judged =
        recording.judge_with_progress(&Settings::default(), &Uncertainty::default(), &mut |part| {
            told.push(part);
        });
    assert!(judged.is_ok());
    assert!(told.len() > 100 && told.is_sorted(), "{}", told.len());
    assert!(told.iter().all(|part| (0.0..=1.0).contains(part)));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let head = "t_s,total,replicas\n0,0,0\n";
    for (text, expected) in [
        (
            "agee_s,1\n".to_owned(),
            "line 1: \"agee_s,1\" is neither age_s",
        ),
        ("age_s,-1\n".to_owned(), "line 1: \"-1\" is no time"),
        ("age_s,NaN\n".to_owned(), "line 1: \"NaN\" is no time"),
        ("0,0,0\n".to_owned(), "line 1: \"0,0,0\" is neither"),
        (format!("{head}1,2\n"), "line 3: 2 values"),
        (format!("{head}1,2,3,4\n"), "line 3: 4 values"),
        (format!("{head}1,-2,3\n"), "line 3: \"-2\" is no count"),
        (
            format!("{head}1,2,4294967296\n"),
            "line 3: \"4294967296\" is no count",
        ),
        (
            "t_s,visible,leased,replicas\n0,,1,0\n".to_owned(),
            "line 2: \"\" is no count",
        ),
        (format!("{head}1e99,2,3\n"), "line 3: \"1e99\" is no time"),
        (
            "t_s,total,replicas\n1735689600000,0,0\n".to_owned(),
            "line 2: \"1735689600000\" seconds are more than three thousand years; write t_s in seconds",
        ),
        (
            "t_s,total,replicas\n5,0,0\n4,0,0\n".to_owned(),
            "line 3: t_s is less",
        ),
        (format!("{head}2,0,0\n1,0,0\n"), "line 4: t_s is less"),
        (head.to_owned(), "there is no change"),
        (String::new(), "there is no change"),
        ("t_s,total,replicas\n".to_owned(), "there is no change"),
    ] {
        let reason = reason(&text);
        assert!(reason.starts_with(expected), "{text:?}: {reason}");
    }
}

#[test]
fn a_total_is_not_enough_where_visible_messages_count() {
    let recording = read("t_s,total,replicas\n0,0,0\n9,0,0\n").unwrap();
    let settings = Settings {
        strategy: crate::LengthStrategy::VisibleOnly,
        ..Settings::default()
    };
    let judged = recording.judge(&settings, &Uncertainty::default());
    assert_eq!(judged.unwrap_err(), RecordingError::TotalOnly);
}

#[test]
fn a_run_of_the_model_is_inside_and_near_and_a_foreign_one_is_neither() {
    let settings = Settings {
        polling_interval: Duration::from_secs(5),
        max_replica_count: 15,
        ..Settings::default()
    };
    let judge = |text: &str| {
        let recording = read(text).unwrap();
        recording.judge(&settings, &Uncertainty::default()).unwrap()
    };
    let ours =
        judge("t_s,total,replicas\n0,200,0\n3,200,1\n11,200,4\n26,200,8\n41,200,15\n60,200,15\n");
    assert!(
        ours.is_inside() && ours.is_near(&settings),
        "{:?}",
        ours.excursions
    );
    let foreign = judge("t_s,total,replicas\n0,200,0\n3,200,15\n60,200,15\n");
    assert!(!foreign.is_inside());
    let distance = foreign.nearest.as_ref().map(|it| it.distance);
    assert!(!foreign.is_near(&settings), "{distance:?}");
}

/// Regression: a last row with four billion replicas was not reported.
#[test]
fn a_change_in_the_last_row_is_judged_too() {
    let said = |last: &str| {
        let recording = read(&format!("t_s,total,replicas\n0,0,0\n30,0,0\n60,0,{last}\n")).unwrap();
        let findings = recording.judge(&Settings::default(), &Uncertainty::default());
        let excursions = findings.unwrap().excursions;
        excursions
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(said("0"), [""; 0]);
    let lie = ["4000000000 replicas from 60.0 s to 60.0 s, where 0 to 0 are possible"];
    assert_eq!(said("4000000000"), lie);
}

#[test]
fn a_recording_names_its_queue_and_what_waits_in_others() {
    let text = "queue,orders\nwaiting,mails,7\nt_s,visible,leased,replicas\n0,1,2,3\n9,0,0,1\n";
    let around = read(text).unwrap().surroundings();
    assert_eq!(around.load_queue.as_deref(), Some("orders"));
    assert_eq!(around.waiting, [("mails".to_owned(), 7)].into());
}

#[test]
fn times_since_1970_are_those_of_the_clock() {
    let from = |seconds: u64| {
        let after = seconds + 1;
        let text = format!("t_s,visible,leased,replicas\n{seconds},0,0,0\n{after},0,0,0\n");
        read(&text).unwrap()
    };
    let earliest = EARLIEST.as_secs();
    assert_eq!(from(earliest).start().wall, EARLIEST);
    let cron = crate::Cron::new("0 8 * * *", "0 9 * * *", "UTC", 4).unwrap();
    let settings = Settings {
        others: vec![crate::Trigger {
            reads: crate::Reads::Cron(cron),
            name: None,
            use_cached_metrics: false,
        }],
        ..Settings::default()
    };
    let judged = |seconds| {
        from(seconds)
            .judge(&settings, &Uncertainty::default())
            .err()
    };
    assert_eq!(judged(earliest), None);
    assert_eq!(judged(earliest - 1), Some(RecordingError::NoClock));
}
