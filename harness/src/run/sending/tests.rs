//! What the harness reads from the output of producers, and how they end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use tempfile::TempDir;
use workflow::contract::PayloadSize;

use super::*;

/// A producer that prints `lines`, each a moment after the one before, and ends with `end`.
struct Played {
    lines: Vec<String>,
    end: End,
    has_spoken: Arc<AtomicBool>,
    was_asked_in_time: Option<bool>,
}

#[async_trait]
impl Sender for Played {
    fn lines(&mut self) -> Option<Lines> {
        let spoken = self.has_spoken.clone();
        let lines = stream::iter(std::mem::take(&mut self.lines)).then(move |line| {
            let spoken = spoken.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                spoken.store(true, Ordering::Relaxed);
                Ok(line)
            }
        });
        Some(lines.boxed())
    }

    fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(false)
    }

    async fn interrupt(&mut self) -> anyhow::Result<()> {
        self.was_asked_in_time = Some(self.has_spoken.load(Ordering::Relaxed));
        anyhow::ensure!(
            self.was_asked_in_time == Some(true),
            "it does not listen yet"
        );
        Ok(())
    }

    async fn wait(&mut self, _: Duration) -> anyhow::Result<End> {
        Ok(self.end)
    }

    async fn kill(&mut self, _: bool) -> anyhow::Result<End> {
        Ok(End::Signalled(9))
    }

    fn last_lines(&self) -> String {
        "starting\nopen x: No such file or directory (os error 2)".to_owned()
    }
}

fn played(lines: Vec<String>, end: End) -> Box<dyn Sender> {
    Box::new(Played {
        lines,
        end,
        has_spoken: Arc::default(),
        was_asked_in_time: None,
    })
}

fn sending(lines: Vec<String>, code: i32) -> (Sending, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let played = played(lines, End::Exited(code));
    let sending = Sending::new(vec![played], 3, dir.path().join("producer.json"));
    (sending.unwrap(), dir)
}

#[tokio::test(start_paused = true)]
async fn a_producer_that_leaves_no_summary_has_the_last_word() {
    let (sending, _dir) = sending(vec![], 6);
    let error = sending.finish(EXIT).await.unwrap_err();
    let text = format!("{error:#}");
    assert!(
        text.contains("producer ended with exit status: 6"),
        "{text}"
    );
    assert!(
        text.ends_with("open x: No such file or directory (os error 2)"),
        "{text}"
    );
}

/// The last line that the generator of `slice` of four messages prints.
async fn summary(slice: &str) -> String {
    let arguments = [
        "--messages=4",
        "--shape=burst",
        "--run=r1",
        "--seed=1",
        slice,
    ];
    let arguments = arguments.map(str::to_owned);
    let args: producer::Args = platform::settings::parse("producer", &arguments, &[]).unwrap();
    let never = tokio_util::sync::CancellationToken::new();
    let ended = producer::run_on_timer(args.plan(), producer::NullSink, never).await;
    let summary = Event::Summary(Box::new(ended.unwrap().summary));
    serde_json::to_string(&summary).unwrap()
}

#[tokio::test]
async fn a_lost_generator_is_told_by_name_and_what_it_sent_is_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let senders = vec![
        played(vec![summary("--slice=0/2").await], End::Exited(0)),
        played(vec![], End::Signalled(9)),
    ];
    let file = dir.path().join("producer.json");
    let sending = Sending::new(senders, 4, file.clone()).unwrap();
    let sent = sending.finish_with_losses(EXIT).await.unwrap();
    let [lost] = &sent.lost[..] else {
        panic!("{:?}", sent.lost)
    };
    assert!(lost.starts_with("producer-2 ended with signal"), "{lost}");
    assert_eq!((sent.end, sent.summary.begun), (End::Signalled(9), 4));
    assert_eq!((sent.summary.acknowledged, sent.summary.unknown), (2, 2));
    let written = std::fs::read(file).unwrap();
    assert_eq!(
        serde_json::from_slice::<Summary>(&written).unwrap(),
        sent.summary
    );
}

#[tokio::test]
async fn slices_that_are_all_sent_are_one_load() {
    let dir = tempfile::tempdir().unwrap();
    let all = [summary("--slice=0/2").await, summary("--slice=1/2").await];
    let senders = all.map(|line| played(vec![line], End::Exited(0)));
    let file = dir.path().join("producer.json");
    let sending = Sending::new(senders.into(), 4, file).unwrap();
    let sent = sending.finish(EXIT).await.unwrap();
    assert_eq!((sent.lost.len(), sent.summary.acknowledged), (0, 4));
    assert!(sent.summary.slice.is_whole());
}

/// The first line that a producer prints.
fn started() -> String {
    let started = Event::Started(producer::Started {
        run: "r1".parse().unwrap(),
        seed: 1,
        shape: "burst".to_owned(),
        payload: PayloadSize::Sample,
        queue: None,
        planned: None,
        duplicate_rate: 0.0,
        at: Stamp::from_micros(1_000_000),
    });
    serde_json::to_string(&started).unwrap()
}

/// A line that a producer prints once a second, when it has sent two messages.
fn progress() -> String {
    let progress = Event::Progress(Progress {
        elapsed_ms: 1_000,
        begun: 2,
        acknowledged: 2,
        unknown: 0,
        failed: 0,
        duplicates_sent: 0,
        in_flight: 0,
        retries: 0,
        errors: std::collections::BTreeMap::new(),
        rate_per_s: 2.0,
        lateness_us_p99: None,
        lateness_us_max: None,
    });
    serde_json::to_string(&progress).unwrap()
}

/// Two generators of a load of five messages that are killed: the first in the middle of a line.
fn killed() -> (Sending, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let torn = first_half(&progress());
    let senders = vec![
        played(vec![started(), progress(), torn], End::Signalled(9)),
        played(vec![started()], End::Signalled(9)),
    ];
    let sending = Sending::new(senders, 5, dir.path().join("producer.json"));
    (sending.unwrap(), dir)
}

/// The first half of `line`.
fn first_half(line: &str) -> String {
    line[..line.len() / 2].to_owned()
}

#[tokio::test(start_paused = true)]
async fn of_a_load_whose_generators_are_all_lost_every_message_is_unknown_and_the_loss_is_told() {
    let (sending, dir) = killed();
    let sent = sending.finish_with_losses(EXIT).await.unwrap();
    assert_eq!(sent.lost.len(), 2, "{:?}", sent.lost);
    for (name, why) in ["producer-1", "producer-2"].iter().zip(&sent.lost) {
        let expected = format!("{name} ended with signal");
        assert!(why.starts_with(&expected), "{why}");
    }
    assert!(
        sent.lost[0].ends_with("; it had reported 2 messages as sent"),
        "{:?}",
        sent.lost
    );
    assert_eq!(sent.end, End::Signalled(9));
    let summary = sent.summary;
    assert_eq!((summary.planned, summary.begun), (Some(5), 5));
    assert_eq!((summary.acknowledged, summary.unknown), (0, 5));
    let lasted = summary.ended.micros_since(summary.started);
    assert_eq!(lasted, 1_000_000, "until it was last heard");
    let written = std::fs::read(dir.path().join("producer.json")).unwrap();
    assert_eq!(
        serde_json::from_slice::<Summary>(&written).unwrap(),
        summary
    );
}

#[tokio::test(start_paused = true)]
async fn a_scenario_does_not_go_on_without_its_generators() {
    let (sending, _dir) = killed();
    let error = sending.finish(EXIT).await.unwrap_err().to_string();
    assert!(
        error.starts_with("follow the producer: producer-1 ended with signal"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_lost_generator_can_no_longer_send_is_known_while_others_send() {
    let (sending, _dir) = killed();
    let mut told = sending.told();
    let all_ended = |told: &Told| told.each.iter().all(|it| it.has_ended);
    assert_eq!(sending.lost(), []);
    told.wait_for(all_ended).await.unwrap();
    let lost = |name: &str, unsent| LostGenerator {
        name: name.to_owned(),
        unsent,
    };
    assert_eq!(
        sending.lost(),
        [lost("producer-1", 1), lost("producer-2", 2)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_no_event_is_an_error_if_others_follow() {
    let lines = vec![started(), "{".to_owned(), progress()];
    let (sending, _dir) = sending(lines, 0);
    let error = sending.finish_with_losses(EXIT).await.unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("read the progress line \"{\""), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_producer_interrupted_at_once_gets_to_listen_first() {
    let (mut sending, _dir) = sending(vec![started()], 0);
    sending.interrupt().await.unwrap();
}
