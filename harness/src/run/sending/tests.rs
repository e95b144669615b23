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
    let ended = producer::run(args.plan(), producer::NullSink, never).await;
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
    let sent = sending.finish(EXIT).await.unwrap();
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

#[tokio::test(start_paused = true)]
async fn a_producer_interrupted_at_once_gets_to_listen_first() {
    let started = Event::Started(producer::Started {
        run: "r1".parse().unwrap(),
        seed: 1,
        shape: "burst".to_owned(),
        payload: PayloadSize::Sample,
        queue: None,
        planned: None,
        at: Stamp::now(),
    });
    let (mut sending, _dir) = sending(vec![serde_json::to_string(&started).unwrap()], 0);
    sending.interrupt().await.unwrap();
}
