//! What each shape sends.

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: SimulateArgs,
}

/// Messages of a load up to each of these seconds, and when it ends.
fn sent(flags: &str, seconds: &[u64]) -> (Vec<u64>, Option<f64>) {
    let words = ["simulate", "settings.yaml"].into_iter();
    let words = words.chain(flags.split_whitespace());
    let args = Command::parse_from(words).args;
    let arrivals = arrivals(&args).unwrap();
    let workload = autoscaler::Workload {
        arrivals: arrivals.clone(),
        service: autoscaler::Service {
            work: autoscaler::Work::Fixed(Duration::from_secs(1)),
            in_flight: 1,
            start_delay: Duration::from_secs(1_000_000),
            grace: Duration::ZERO,
        },
    };
    let settings = autoscaler::Settings::default();
    let start = autoscaler::Start::default();
    let sent = seconds.iter().map(|at| {
        let at = Duration::from_secs(*at);
        let end = autoscaler::simulate_into(&settings, &start, &workload, at, |_, _| {});
        end.queue.visible
    });
    let last = arrivals.last().map(|last| last.as_secs_f64());
    (sent.collect(), last)
}

#[test]
fn each_shape_sends_what_the_producer_would() {
    let at = [1, 60, 600];
    let cases: [(&str, [u64; 3], Option<f64>); 11] = [
        ("--shape sample", [1, 60, 600], None),
        ("--shape constant:2/s", [2, 120, 1_200], None),
        (
            "--shape constant:2/s --messages 60",
            [2, 60, 60],
            Some(30.0),
        ),
        (
            "--shape constant:2/s --duration 40s",
            [2, 80, 80],
            Some(40.0),
        ),
        ("--shape burst --messages 70", [70, 70, 70], Some(0.0)),
        ("--shape burst:10/30s", [10, 30, 210], None),
        (
            "--shape burst:10/30s --messages 25",
            [10, 25, 25],
            Some(60.0),
        ),
        (
            "--shape burst:10/30s --duration 31s",
            [10, 20, 20],
            Some(30.0),
        ),
        ("--shape ramp:0/s..2/s:60s", [0, 60, 60], Some(60.0)),
        // Goes on at 2/s: 60 within the ramp, 20 more in 10 s.
        (
            "--shape ramp:0/s..2/s:60s --messages 80",
            [0, 60, 80],
            Some(70.0),
        ),
        (
            "--shape ramp:2/s..0/s:60s --repeat 120s",
            [2, 60, 300],
            None,
        ),
    ];
    for (flags, messages, last) in cases {
        let (sent, ends) = sent(flags, &at);
        assert_eq!(sent, messages, "{flags}");
        let near = match (ends, last) {
            (Some(ends), Some(last)) => (ends - last).abs() < 0.01,
            (ends, last) => ends == last,
        };
        assert!(near, "{flags}: {ends:?}");
    }
}

#[test]
fn a_load_that_goes_on_after_the_horizon_has_no_last_message() {
    for (flags, last) in [
        ("--shape burst:10/30s --messages 30 --horizon 31s", None),
        (
            "--shape burst:10/30s --duration 40s --horizon 31s",
            Some(30.0),
        ),
        ("--shape poisson:1/s --messages 1000 --horizon 9s", None),
    ] {
        assert_eq!(sent(flags, &[]).1, last, "{flags}");
    }
}

#[test]
fn random_and_recorded_messages_are_those_of_the_producer() {
    let flags = "--shape poisson:5/s --messages 1000 --seed 7";
    let (messages, last) = sent(flags, &[30, 1_000]);
    let shape = "poisson:5/s".parse().unwrap();
    let drawn: Vec<_> = Schedule::new(&shape, 7, Some(1_000), None)
        .unwrap()
        .collect();
    let by_30 = drawn.iter().filter(|at| at.as_secs() <= 30).count() as u64;
    assert_eq!(messages, [by_30, 1_000]);
    assert_eq!(last, Some(drawn.last().unwrap().as_secs() as f64));

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "offset_s\n0.5\n0.7\n20\n").unwrap();
    let flags = format!("--shape trace:{}", file.path().display());
    assert_eq!(sent(&flags, &[10, 30]), (vec![2, 3], Some(20.0)));
}

#[test]
fn a_load_without_end_or_without_bound_is_refused() {
    let refused = |flags: &str| {
        let words = ["simulate", "settings.yaml"].into_iter();
        let words = words.chain(flags.split_whitespace());
        let args = Command::parse_from(words).args;
        arrivals(&args).unwrap_err().to_string()
    };
    assert!(refused("--shape burst").contains("needs --messages"));
    assert!(refused("--shape poisson:1000000/s").contains("--horizon"));
    assert!(refused("--shape burst:1/1us").contains("--horizon"));
    // Days since 1900, as spreadsheets keep a date.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "offset_s\n46355.5\n46355.6\n").unwrap();
    let flags = format!("--shape trace:{}", file.path().display());
    let told = refused(&flags);
    for part in [
        "within the 1200 s",
        "first offset of the trace is 46355.5 s",
        "--horizon",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
