//! The producer at work: its progress while it sends, and its summary afterwards.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use futures::TryStreamExt as _;
use producer::{Event, Progress, Summary};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use workflow::contract::Stamp;

use crate::events::ADVICE;
use crate::platform::{End, Lines, Sender};

/// How long the producer may take until it says that it sends, and so listens for signals: much longer than it ever needs.
const START: Duration = Duration::from_secs(10);

/// How long the producer may take to end after its last line.
const EXIT: Duration = Duration::from_secs(10);

/// What the producer reported, and how it ended.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its summary.
    pub summary: Summary,
    /// How it ended.
    pub end: End,
}

/// What the producer has told so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// How many messages it has acknowledged, and when it counted them, by its own clock; `None` before it has begun.
    pub(super) counted: Option<(u64, Stamp)>,
    progress: Option<Progress>,
}

/// A producer at work.
pub struct Sending {
    sender: Box<dyn Sender>,
    progress: watch::Receiver<Told>,
    reader: JoinHandle<anyhow::Result<Option<Summary>>>,
    /// Where its summary goes, for an audit after the fact.
    file: PathBuf,
}

impl Sending {
    pub(super) fn new(mut sender: Box<dyn Sender>, file: PathBuf) -> anyhow::Result<Self> {
        let lines = sender
            .lines()
            .context("the producer's output must be piped")?;
        let (told, progress) = watch::channel(Told::default());
        let reader = tokio::spawn(read(lines, told));
        Ok(Self {
            sender,
            progress,
            reader,
            file,
        })
    }

    /// Its last progress report, from within the last second or so.
    pub fn progress(&self) -> Option<Progress> {
        self.progress.borrow().progress.clone()
    }

    /// Where what it tells can be followed, also after it has ended.
    pub(super) fn told(&self) -> watch::Receiver<Told> {
        self.progress.clone()
    }

    /// Waits until at least `messages` are acknowledged, for at most `patience`.
    pub async fn until_acknowledged(
        &mut self,
        messages: u64,
        patience: Duration,
    ) -> anyhow::Result<()> {
        let enough = |told: &Told| told.counted.is_some_and(|(count, _)| count >= messages);
        match tokio::time::timeout(patience, self.progress.wait_for(enough)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => bail!(
                "wait for {messages} acknowledged sends: the producer ended before\n{}",
                self.sender.last_lines()
            ),
            Err(_) => bail!("wait for {messages} acknowledged sends: not within {patience:?}"),
        }
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> anyhow::Result<bool> {
        self.sender.has_ended()
    }

    /// Asks it to stop early; it ends its sends in flight and writes its summary. Waits until it listens, since a signal
    /// before that would end it without a summary. Nothing is asked of one that has ended.
    pub async fn interrupt(&mut self) -> anyhow::Result<()> {
        let started = self.progress.wait_for(|told| told.counted.is_some());
        // One that has ended instead, or does not start, is to end all the same; its end says why it did.
        let _ = tokio::time::timeout(START, started).await;
        if self.has_ended()? {
            return Ok(());
        }
        self.sender.interrupt().await
    }

    /// Waits until it has sent everything, for at most `patience`, and takes its summary.
    pub async fn finish(mut self, patience: Duration) -> anyhow::Result<Sent> {
        let Ok(read) = tokio::time::timeout(patience, &mut self.reader).await else {
            self.sender.kill(false).await?;
            bail!("wait for the producer: still sending after {patience:?}");
        };
        let Ok(end) = self.sender.wait(EXIT).await else {
            self.sender.kill(false).await?;
            bail!("wait for the producer: still running {EXIT:?} after its last line");
        };
        let read = read.map_err(|panic| anyhow!(panic))?;
        let Some(summary) = read.context("follow the producer")? else {
            let said = self.sender.last_lines();
            bail!(
                "follow the producer: it ended with {end} and left no summary; the last it said: {}",
                said.lines().last().unwrap_or("nothing")
            );
        };
        let text = serde_json::to_vec_pretty(&summary).context("write the producer's summary")?;
        std::fs::write(&self.file, text)
            .with_context(|| format!("write {}; {ADVICE}", self.file.display()))?;
        Ok(Sent { summary, end })
    }

    /// Ends it at once, by no fault of its own.
    pub(super) async fn abandon(&mut self) -> anyhow::Result<()> {
        self.sender.kill(true).await?;
        Ok(())
    }
}

/// Follows the producer's output to its end. Returns its summary, if there was one.
async fn read(mut lines: Lines, told: watch::Sender<Told>) -> anyhow::Result<Option<Summary>> {
    let mut start = Stamp::from_micros(0);
    let mut whole = None;
    while let Some(line) = lines.try_next().await? {
        match serde_json::from_str(&line)
            .with_context(|| format!("read the progress line {line:?}"))?
        {
            Event::Started(started) => {
                start = started.at;
                told.send_modify(|told| told.counted = Some((0, start)));
            }
            Event::Progress(progress) => {
                let at = start.plus(Duration::from_millis(progress.elapsed_ms));
                told.send_modify(|told| {
                    told.counted = Some((progress.acknowledged, at));
                    told.progress = Some(progress);
                });
            }
            Event::Summary(summary) => {
                let counted = (summary.acknowledged, summary.ended);
                told.send_modify(|told| told.counted = Some(counted));
                whole = Some(*summary);
            }
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use async_trait::async_trait;
    use futures::{StreamExt as _, stream};
    use tempfile::TempDir;
    use workflow::contract::PayloadSize;

    use super::*;

    /// A producer that says `lines`, each a moment after the one before, and ends with `end`.
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

    fn sending(lines: Vec<String>, code: i32) -> (Sending, TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let played = Played {
            lines,
            end: End::Exited(code),
            has_spoken: Arc::default(),
            was_asked_in_time: None,
        };
        let sending = Sending::new(Box::new(played), dir.path().join("producer.json"));
        (sending.unwrap(), dir)
    }

    #[tokio::test(start_paused = true)]
    async fn a_producer_that_leaves_no_summary_has_the_last_word() {
        let (sending, _dir) = sending(vec![], 6);
        let error = sending.finish(EXIT).await.unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("it ended with exit status: 6"), "{text}");
        assert!(
            text.ends_with("open x: No such file or directory (os error 2)"),
            "{text}"
        );
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
}
