//! Bad input is refused before anything is sent, with a text that says what to do.

use super::process::{SIGNATURE, producer, producer_to, run};
use super::scripted::{Answer, Scripted};

#[test]
fn an_unknown_flag_is_named() {
    run(producer().arg("--speed=9")).assert(2, &["--speed", "Usage:"]);
}

#[test]
fn values_that_make_no_sense_say_what_is_expected() {
    for (flag, expected) in [
        ("--rate=fast", "messages a second"),
        ("--rate=-1", "messages a second"),
        ("--rate=1e3", "messages a second"),
        ("--shape=sine:1/s", "ramp:<rate>..<rate>:<duration>"),
        ("--messages=0", "1.."),
        ("--messages=-1", "invalid value '-1'"),
        ("--seed=-1", "expected a whole number from 0 to"),
        ("--duration=5", "us, ms, s, m or h"),
        ("--duration=0s", "is zero"),
        ("--run=My_Run", "1 to 40 of a-z"),
        ("--payload=7", "'exponential:<mean>'"),
        ("--duplicate-rate=2", "from 0 to 1"),
        ("--concurrency=0", "from 1 to 1024"),
        ("--tries=0", "1.."),
        ("--account=Not-An-Account", "3 to 24 lower-case"),
        ("--queue=No_Queue", "queue name"),
        ("--endpoint-suffix=", "core.windows.net"),
        (
            "--endpoint-suffix=https://core.windows.net",
            "core.windows.net",
        ),
        ("--queue-endpoint=127.0.0.1:10001", "http"),
        (
            "--queue-endpoint=http://h/a?sig=1",
            "AZURE_STORAGE_SAS_TOKEN",
        ),
    ] {
        run(producer().arg(flag)).assert(2, &[expected, flag.split('=').next().unwrap()]);
    }
}

#[test]
fn rate_and_shape_exclude_each_other() {
    run(producer().args(["--rate=5", "--shape=burst"])).assert(2, &["cannot be used with"]);
}

#[test]
fn a_missing_account_names_the_variable() {
    let mut command = producer();
    command
        .env("AZURE_QUEUE_NAME", "aws2azmsgs")
        .env("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=x");
    run(&mut command).assert(2, &["AZURE_STORAGE_ACCOUNT_NAME"]);
}

#[test]
fn a_missing_queue_name_names_the_variable() {
    run(producer().env("AZURE_STORAGE_ACCOUNT_NAME", "account")).assert(2, &["AZURE_QUEUE_NAME"]);
}

#[test]
fn a_sas_that_is_asked_for_must_be_there() {
    let mut command = producer();
    command.args([
        "--account=account",
        "--queue=aws2azmsgs",
        "--credential=sas",
    ]);
    run(&mut command).assert(2, &["AZURE_STORAGE_SAS_TOKEN"]);
}

#[test]
fn a_malformed_sas_is_refused_and_not_repeated() {
    for sas in [
        SIGNATURE.to_owned(),
        format!("AccountName=a;AccountKey={SIGNATURE}"),
    ] {
        let mut command = producer_to("http://127.0.0.1:9/a");
        run(command.env("AZURE_STORAGE_SAS_TOKEN", sas))
            .assert(2, &["az storage account generate-sas"]);
    }
}

#[test]
fn a_token_does_not_travel_over_plain_http() {
    let mut command = producer_to("http://127.0.0.1:9/a");
    command.arg("--credential=developer");
    run(&mut command).assert(2, &["must not travel over http"]);
}

#[test]
fn a_burst_needs_a_number_of_messages() {
    run(producer_to("http://127.0.0.1:9/a").arg("--shape=burst")).assert(2, &["--messages"]);
}

#[test]
fn a_bad_trace_names_file_and_line() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "offset_s\n0\n0.5\n0.25\n").unwrap();
    let shape = format!("--shape=trace:{}", file.path().display());
    run(producer_to("http://127.0.0.1:9/a").arg(shape)).assert(2, &["line 4", "sort the trace"]);
    run(producer_to("http://127.0.0.1:9/a").arg("--shape=trace:/no/such.csv"))
        .assert(2, &["open trace /no/such.csv"]);
}

#[test]
fn nothing_is_created_for_a_load_that_cannot_be_sent() {
    let storage = Scripted::start(|_, _| Answer::Take);
    let mut command = producer_to(&storage.endpoint);
    run(command.args(["--create", "--shape=burst"])).assert(2, &["--messages"]);
    let mut command = producer_to(&storage.endpoint);
    run(command.args(["--create", "--rate=5", "--summary=/no/such/dir/s.json"])).assert(6, &[]);
    assert!(storage.bodies().is_empty());
}

#[test]
fn a_summary_that_has_no_place_is_found_out_before_the_load() {
    // No user can create a file in /proc, not even root.
    for path in ["/no/such/dir/summary.json", "/", "/proc/summary.json"] {
        let ended = run(producer().args(["--sink=null", "--rate=5", "--summary", path]));
        let ended = ended.assert(6, &["write the summary", path]);
        assert!(ended.stdout.is_empty(), "{ended:?}");
    }
}

#[test]
fn the_null_sink_needs_no_storage_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("summary.json");
    let mut command = producer();
    command
        .args([
            "--sink=null",
            "--rate=1000",
            "--messages=50",
            "--seed=7",
            "--run=r1",
            "--summary",
        ])
        .arg(&file);
    let summary = run(&mut command).assert(0, &["NULL SINK"]).summary();
    assert_eq!((summary.acknowledged, summary.queue.as_deref()), (50, None));
    assert_eq!((summary.run.as_str(), summary.seed), ("r1", 7));
    let filed: producer::Summary = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(filed, summary);
    let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn people_get_a_readable_summary() {
    let mut command = producer();
    command.args([
        "--sink=null",
        "--shape=burst",
        "--messages=50",
        "--progress=human",
    ]);
    let ended = run(&mut command).assert(0, &[]);
    let text = ended.stdout.join("\n");
    assert!(
        text.contains("50 of 50 planned") && text.contains("lateness"),
        "{text}"
    );
    let none = run(producer().args([
        "--sink=null",
        "--shape=burst",
        "--messages=50",
        "--progress=none",
    ]));
    assert!(none.assert(0, &[]).stdout.is_empty());
}
