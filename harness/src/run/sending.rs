//! The producer at work: its progress while it sends, and its summary afterwards.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use nix::sys::signal::Signal;
use producer::{Event, Progress, Summary};
use tokio::io::{BufReader, Lines};
use tokio::process::ChildStdout;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use workflow::contract::Stamp;
use workflow::exit::Exit;

use super::{Identity, Load, RunDir, exited};
use crate::environment::{Environment, Store};
use crate::events::EventLog;
use crate::process::Process;
use crate::wire::Lane;

/// How long the producer may take until it says that it sends, and so listens for signals: much longer than it ever needs.
const START: Duration = Duration::from_secs(10);

/// How long the producer may take to end after its last line.
const EXIT: Duration = Duration::from_secs(10);

/// What the producer reported, and how it ended.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its summary.
    pub summary: Summary,
    /// Its exit code.
    pub code: Option<i32>,
}

/// What the producer has told so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// How many messages it has acknowledged, and when it counted them, by its own clock; `None` before it has begun.
    pub(super) counted: Option<(u64, Stamp)>,
    progress: Option<Progress>,
}

/// A producer at work.
#[derive(Debug)]
pub struct Sending {
    process: Process,
    progress: watch::Receiver<Told>,
    reader: JoinHandle<anyhow::Result<()>>,
    summary: PathBuf,
    log: EventLog,
    /// Its way to storage.
    _lane: Lane,
}

impl Sending {
    pub(super) async fn start(
        environment: &dyn Environment,
        store: &Store,
        lane: Lane,
        identity: &Identity,
        load: &Load,
        dir: &RunDir,
        log: EventLog,
    ) -> anyhow::Result<Self> {
        let summary = dir.producer_summary();
        let mut arguments = load.arguments(identity);
        arguments.push(format!("--summary={}", summary.display()));
        let mut process = environment
            .start_producer(&store.at(lane.endpoints()), &arguments, &dir.logs())
            .await?;
        let lines = process
            .lines()
            .context("the producer's output must be piped")?;
        let (told, progress) = watch::channel(Told::default());
        let reader = tokio::spawn(read(lines, told));
        Ok(Self {
            process,
            progress,
            reader,
            summary,
            log,
            _lane: lane,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
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
                self.process.tail()
            ),
            Err(_) => bail!("wait for {messages} acknowledged sends: not within {patience:?}"),
        }
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(self.process.try_status()?.is_some())
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
        // Not SIGINT: what a shell starts in the background ignores it, and so does whatever that starts in turn.
        self.process.signal(Signal::SIGTERM)
    }

    /// Waits until it has sent everything, for at most `patience`, and reads its summary.
    pub async fn finish(mut self, patience: Duration) -> anyhow::Result<Sent> {
        let Ok(read) = tokio::time::timeout(patience, &mut self.reader).await else {
            self.kill().await?;
            bail!("wait for the producer: still sending after {patience:?}");
        };
        let Ok(status) = self.process.wait(EXIT).await else {
            self.kill().await?;
            bail!("wait for the producer: still running {EXIT:?} after its last line");
        };
        self.record_exit(status, is_orderly(status))?;
        read.map_err(|panic| anyhow!(panic))?
            .context("follow the producer")?;
        let text = match std::fs::read(&self.summary) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let said = self.process.last_lines();
                bail!(
                    "follow the producer: it ended with {status} and left no summary; the last it said: {}",
                    said.lines().last().unwrap_or("nothing")
                );
            }
            read => read.with_context(|| {
                format!("read the producer's summary {}", self.summary.display())
            })?,
        };
        let summary = serde_json::from_slice(&text).context("read the producer's summary")?;
        Ok(Sent {
            summary,
            code: status.code(),
        })
    }

    /// SIGKILL, by no fault of its own.
    pub(super) async fn abandon(&mut self) -> anyhow::Result<()> {
        let status = self.process.kill().await?;
        self.record_exit(status, true)
    }

    async fn kill(&mut self) -> anyhow::Result<()> {
        let status = self.process.kill().await?;
        self.record_exit(status, false)
    }

    fn record_exit(&self, status: ExitStatus, expected: bool) -> anyhow::Result<()> {
        let event = exited(&self.process, status, expected);
        self.log.append(Stamp::now(), event)?;
        Ok(())
    }
}

/// Whether it did what it was asked to. Sends that failed are no fault of its own: the summary counts them.
fn is_orderly(status: ExitStatus) -> bool {
    [Exit::Success, Exit::Partial]
        .iter()
        .any(|exit| status.code() == Some(i32::from(exit.code())))
}

async fn read(
    mut lines: Lines<BufReader<ChildStdout>>,
    told: watch::Sender<Told>,
) -> anyhow::Result<()> {
    let mut start = Stamp::from_micros(0);
    while let Some(line) = lines.next_line().await? {
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
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use workflow::contract::PayloadSize;

    use super::*;
    use crate::guard::Guard;
    use crate::process::Program;
    use crate::wire::{Endpoints, Faults, History, Proxy};

    /// A producer that is a script, its logs in `logs`.
    async fn sending(script: &Program, logs: &Path) -> Sending {
        let mut process = Process::start("producer", script, logs, true, &Guard::idle()).unwrap();
        let (told, progress) = watch::channel(Told::default());
        let reader = tokio::spawn(read(process.lines().unwrap(), told));
        let nowhere = || "http://127.0.0.1:1".to_owned();
        let endpoints = Endpoints {
            queue: nowhere(),
            table: nowhere(),
        };
        let history = History::open(logs).unwrap();
        let proxy = Proxy::start(&endpoints, history, Faults::new(1), None)
            .await
            .unwrap();
        Sending {
            _lane: proxy.lane("producer").await.unwrap(),
            process,
            progress,
            reader,
            summary: logs.join("producer.json"),
            log: EventLog::open(logs).unwrap(),
        }
    }

    #[tokio::test]
    async fn a_producer_that_leaves_no_summary_has_the_last_word() {
        let logs = tempfile::tempdir().unwrap();
        let script = "echo 'open x: No such file or directory (os error 2)' >&2; exit 6";
        let sending = sending(&Program::new("sh", ["-c", script]), logs.path()).await;
        let error = sending.finish(EXIT).await.unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("it ended with exit status: 6"), "{text}");
        assert!(
            text.ends_with("open x: No such file or directory (os error 2)"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_producer_interrupted_at_once_gets_to_listen_first() {
        let logs = tempfile::tempdir().unwrap();
        let started = Event::Started(producer::Started {
            run: "r1".parse().unwrap(),
            seed: 1,
            shape: "burst".to_owned(),
            payload: PayloadSize::Sample,
            queue: None,
            planned: None,
            at: Stamp::now(),
        });
        let script = "trap 'exit 0' TERM; echo \"$STARTED\"; sleep 60 & wait";
        let script = Program::new("sh", ["-c", script])
            .env("STARTED", serde_json::to_string(&started).unwrap());
        let mut sending = sending(&script, logs.path()).await;
        sending.interrupt().await.unwrap();
        let status = sending.process.wait(EXIT).await.unwrap();
        assert_eq!(status.code(), Some(0), "{status}");
    }
}
