//! Tests of rows that are stamped long before they are sent, on a machine that may have been paused.

use evidence::Pause;

use super::*;

const SECOND: i64 = 1_000_000;

fn at(seconds: i64) -> Stamp {
    Stamp::from_micros(seconds * SECOND)
}

/// A message that was received at 10 s, claimed to be done at 11 s, and sent at 20 s, while the consumer polled once a second.
/// `pause`: the harness was paused between these times, as recorded with a crossing after the insert. `away`: a request to storage
/// failed between these times, and the next one did not.
fn told(pause: Option<(i64, i64)>, away: Option<(i64, i64)>) -> Testimony {
    let mut told = Told::new();
    let mut step = |operation, from: i64, to: i64, fill: &dyn Fn(&mut Crossing)| {
        told.step(operation, 200, |crossing| {
            (crossing.began, crossing.ended) = (at(from), at(to));
            fill(crossing);
        });
    };
    step(Operation::ReceiveMessages, 9, 10, &|crossing| {
        crossing.messages.push(Handled {
            queue_id: "m7".to_owned(),
            id: Some("r1-7".to_owned()),
            attempt: Some(1),
            ..Handled::default()
        });
    });
    for second in 11..20 {
        let is_away = away.is_some_and(|(from, to)| (from..to).contains(&second));
        step(Operation::ReceiveMessages, second, second, &|crossing| {
            if is_away {
                crossing.answer = Answer::NotAsked;
            }
        });
    }
    step(InsertEntity, 20, 21, &|crossing| {
        crossing.rows.push(RowChange {
            part: None,
            delivery: Some(evidence::Claimed {
                dequeued: Some(at(10)),
                date: Some(at(11)),
                attempt: Some(1),
                consumer: Some("consumer-1".to_owned()),
                node: None,
            }),
            ..row_of(7, 0)
        });
    });
    step(Operation::ReceiveMessages, 21, 22, &|crossing| {
        let pause = pause.map(|(from, to)| Pause {
            from: at(from),
            to: at(to),
        });
        crossing.pauses.extend(pause);
    });
    told.protocol.finish()
}

#[test]
fn a_row_that_was_sent_late_is_no_lie_where_the_machine_stood_still_before() {
    for (pause, stood) in [
        (None, false),
        (Some((12, 13)), true),
        (Some((19, 22)), true),
        (Some((8, 11)), false),
        (Some((20, 22)), false),
    ] {
        let testimony = told(pause, None);
        let found: Vec<_> = testimony.findings.iter().map(|it| it.violation).collect();
        let lies = if stood {
            vec![]
        } else {
            vec![Violation::Misreported]
        };
        assert_eq!(found, lies, "{pause:?}");
        assert_eq!(
            testimony.traffic.starved_claims,
            u64::from(stood),
            "{pause:?}"
        );
        let detail = testimony.findings.first().map(|it| &it.witnesses[0].detail);
        assert!(
            detail.is_none_or(|it| it.contains("long before consumer-1 sent the row")),
            "{detail:?}"
        );
    }
}

/// Consumers that made no request after the pause can record it nowhere else.
#[test]
fn a_pause_after_the_last_request_is_taken_at_the_end() {
    let mut told = Told::new();
    told.receive(1);
    let pause = Pause {
        from: at(1),
        to: at(4),
    };
    told.protocol.paused(&[pause], at(5));
    assert_eq!(told.protocol.traffic().storage.paused_ms, 3_000);
}

/// The row may have waited behind another one, which was made again and again meanwhile.
#[test]
fn a_row_that_was_sent_late_is_no_lie_where_storage_was_away_for_nearly_all_of_that_time() {
    // Of the nine seconds, the longest silence does not count.
    for (away, excused) in [((12, 18), true), ((12, 17), false), ((15, 16), false)] {
        let testimony = told(None, Some(away));
        let lies = testimony.findings.len();
        assert_eq!(
            lies,
            usize::from(!excused),
            "{away:?}: {:?}",
            testimony.findings
        );
        assert_eq!(
            testimony.traffic.starved_claims,
            u64::from(excused),
            "{away:?}"
        );
    }
}
