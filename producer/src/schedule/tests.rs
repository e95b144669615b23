//! Schedules are exact.

use super::*;

fn schedule(shape: &str, messages: Option<u64>, duration_s: Option<f64>) -> Schedule {
    let duration = duration_s.map(Duration::from_secs_f64);
    Schedule::new(&shape.parse().unwrap(), 7, messages, duration).unwrap()
}

fn seconds_of(shape: &str, messages: Option<u64>, duration_s: Option<f64>) -> Vec<f64> {
    let schedule = schedule(shape, messages, duration_s);
    let planned = schedule.planned();
    let offsets: Vec<_> = schedule.map(|at| at.as_secs_f64()).collect();
    if let Some(planned) = planned {
        assert_eq!(
            planned,
            offsets.len() as u64,
            "{shape}: planned is what comes"
        );
    }
    assert!(offsets.is_sorted(), "{shape}: offsets ascend");
    offsets
}

#[test]
fn a_constant_rate_is_exact_to_the_nanosecond_even_late() {
    let mut arrivals = schedule("constant:3/s", None, None).arrivals;
    for index in [0, 1, 2, 3, 1_000_000, 3 * 86_400 * 30] {
        let nanos = u128::from(index) * 1_000_000_000;
        let exact = (nanos + 1) / 3;
        let offset = arrivals.offset(index).unwrap().as_nanos();
        assert!(offset.abs_diff(exact) <= 1, "{index}: {offset} and {exact}");
    }
}

#[test]
fn messages_and_duration_both_end_a_schedule() {
    assert_eq!(seconds_of("constant:4/s", Some(3), None), [0.0, 0.25, 0.5]);
    assert_eq!(
        seconds_of("constant:4/s", None, Some(0.75)),
        [0.0, 0.25, 0.5]
    );
    assert_eq!(seconds_of("constant:4/s", Some(2), Some(0.75)), [0.0, 0.25]);
    assert_eq!(seconds_of("constant:4/s", Some(9), Some(0.5)), [0.0, 0.25]);
    for rate in ["3/s", "7/s", "1234.5/s", "10000/s", "11/m"] {
        seconds_of(&format!("constant:{rate}"), None, Some(29.7));
    }
}

#[test]
fn endless_schedules_have_no_plan() {
    assert_eq!(schedule("constant:4/s", None, None).planned(), None);
    assert_eq!(schedule("burst:4/1s", None, None).planned(), None);
    assert_eq!(schedule("poisson:4/s", None, Some(5.0)).planned(), None);
    assert_eq!(schedule("poisson:4/s", Some(5), None).planned(), Some(5));
}

#[test]
fn bursts_come_at_once_and_again() {
    assert_eq!(seconds_of("burst", Some(3), None), [0.0, 0.0, 0.0]);
    assert_eq!(
        seconds_of("burst:2/10s", Some(5), None),
        [0.0, 0.0, 10.0, 10.0, 20.0]
    );
    assert_eq!(seconds_of("burst:2/10s", None, Some(10.0)), [0.0, 0.0]);
    assert_eq!(
        seconds_of("burst:2/10s", None, Some(10.1)),
        [0.0, 0.0, 10.0, 10.0]
    );
}

#[test]
fn a_ramp_sends_the_integral_of_its_rate() {
    // (10 + 200) / 2 * 60 messages; the rate at the end of each second is what the line says.
    let offsets = seconds_of("ramp:10/s..200/s:60s", None, None);
    assert_eq!(offsets.len(), 6_300);
    for second in [1_u32, 15, 30, 59] {
        let second = f64::from(second);
        let sent = offsets.partition_point(|at| *at < second) as f64;
        let integral = 10.0 * second + 190.0 * second * second / 120.0;
        assert!(
            (sent - integral).abs() <= 1.0,
            "{second}: {sent} and {integral}"
        );
    }
}

#[test]
fn a_ramp_holds_its_last_rate_and_can_start_or_end_at_nothing() {
    let held = seconds_of("ramp:0/s..10/s:2s", None, Some(4.0));
    assert_eq!(held.len(), 30);
    assert!((held[29] - held[28] - 0.1).abs() < 1e-9);
    let falling = seconds_of("ramp:10/s..0/s:2s", Some(1_000), None);
    assert_eq!(falling.len(), 10);
    assert!(falling[9] < 2.0);
    assert_eq!(seconds_of("ramp:5/s..5/s:2s", None, None).len(), 10);
}

#[test]
fn poisson_arrivals_have_the_mean_and_spread_of_an_exponential_and_repeat() {
    let offsets = seconds_of("poisson:100/s", Some(50_000), None);
    let gaps: Vec<f64> = offsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    assert!((mean * 100.0 - 1.0).abs() < 0.02, "mean {mean}");
    assert!(
        (variance.sqrt() / mean - 1.0).abs() < 0.03,
        "deviation {}",
        variance.sqrt()
    );
    assert_eq!(offsets, seconds_of("poisson:100/s", Some(50_000), None));
    let other = Schedule::new(&"poisson:100/s".parse().unwrap(), 8, Some(1), None).unwrap();
    assert_ne!(
        other.map(|at| at.as_secs_f64()).collect::<Vec<_>>(),
        offsets[..1]
    );
}

#[test]
fn a_trace_is_replayed_and_cut() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "offset_s\n0\n0.5\n2\n").unwrap();
    let shape = format!("trace:{}", file.path().display());
    assert_eq!(seconds_of(&shape, None, None), [0.0, 0.5, 2.0]);
    assert_eq!(seconds_of(&shape, Some(2), None), [0.0, 0.5]);
    assert_eq!(seconds_of(&shape, Some(9), Some(0.5)), [0.0]);
}

#[test]
fn plans_that_make_no_sense_say_why() {
    let error = |shape: &str, duration| {
        let planned = Schedule::new(&shape.parse().unwrap(), 7, None, duration);
        planned.unwrap_err().to_string()
    };
    assert!(error("burst", None).contains("needs --messages"));
    assert!(error("constant:1/s", Some(Duration::ZERO)).contains("no message is due"));
    assert!(error("trace:/nonexistent.csv", None).contains("open trace /nonexistent.csv"));
}
