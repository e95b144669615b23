//! Reports progress during a run, and its summary at the end.
//!
//! A separate thread writes the reports: a pipe without a reader may block it, and must not delay the schedule.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use workflow::contract::{PayloadSize, RunId, Stamp};

use crate::summary::Summary;
use crate::tally::{Board, histogram};

/// Time between two progress reports.
const EVERY: Duration = Duration::from_secs(1);

/// One in this many progress lines is logged if there is no terminal.
const LOGGED: u64 = 10;

/// How progress is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ProgressMode {
    /// Not at all; no summary on standard output either
    None,
    /// A line on standard error (rewritten each second on a terminal, else logged every 10 s); a readable summary on
    /// standard output
    #[default]
    Human,
    /// One JSON object a line on standard output: started, progress each second, summary last
    Json,
}

/// One line of `--progress json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// First: the plan.
    Started(Started),
    /// Each second.
    Progress(Progress),
    /// Last.
    Summary(Box<Summary>),
}

/// The plan of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The run.
    pub run: RunId,
    /// Its seed.
    pub seed: u64,
    /// Its shape, as text.
    pub shape: String,
    /// The size of its payloads.
    pub payload: PayloadSize,
    /// The queue; `None` for the null sink.
    pub queue: Option<String>,
    /// The planned number of messages, if the plan has an end.
    pub planned: Option<u64>,
    /// The fraction that is sent twice; absent in the lines of older producers.
    #[serde(default)]
    pub duplicate_rate: f64,
    /// When the run starts.
    pub at: Stamp,
}

/// The progress of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Time since the start.
    pub elapsed_ms: u64,
    /// As in [`Summary`].
    pub begun: u64,
    /// As in [`Summary`].
    pub acknowledged: u64,
    /// As in [`Summary`].
    pub unknown: u64,
    /// As in [`Summary`].
    pub failed: u64,
    /// As in [`Summary`].
    pub duplicates_sent: u64,
    /// Messages begun and not ended.
    pub in_flight: u64,
    /// As in [`Summary`].
    pub retries: u64,
    /// As in [`Summary`].
    pub errors: BTreeMap<String, u64>,
    /// Acknowledged messages per second since the line before.
    pub rate_per_s: f64,
    /// 99 % of the messages begun since the line before were at most this late; `None` if none was begun.
    pub lateness_us_p99: Option<u64>,
    /// The largest lateness of these messages.
    pub lateness_us_max: Option<u64>,
}

/// The thread that reports progress.
#[derive(Debug)]
pub(crate) struct Reporter {
    mode: ProgressMode,
    end: mpsc::SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Reporter {
    /// Starts the thread, and reports the plan.
    #[expect(clippy::disallowed_methods, reason = "joined in `finish`")]
    pub(crate) fn start(
        mode: ProgressMode,
        started: Started,
        board: Arc<Board>,
    ) -> io::Result<Self> {
        let (end, ended) = mpsc::sync_channel(0);
        let mut teller = Teller {
            mode,
            terminal: mode == ProgressMode::Human && io::stderr().is_terminal(),
            planned: started.planned,
            start: Instant::now(),
            board,
            ticks: 0,
            before: None,
            stalled: false,
        };
        let thread = thread::Builder::new()
            .name("reporter".to_owned())
            .spawn(move || {
                if mode == ProgressMode::Json {
                    tell(&Event::Started(started));
                }
                teller.run(&ended);
            })?;
        Ok(Self { mode, end, thread })
    }

    /// Ends it and writes the summary to standard output.
    pub(crate) fn finish(self, summary: &Summary) -> io::Result<()> {
        drop(self.end);
        // A panic there loses progress lines, not the summary. The exit code shows it (`workflow::panics`).
        if self.thread.join().is_err() {
            tracing::error!("the progress thread panicked");
        }
        match self.mode {
            ProgressMode::None => Ok(()),
            ProgressMode::Human => writeln!(io::stdout().lock(), "{summary}"),
            ProgressMode::Json => write_line(&Event::Summary(Box::new(summary.clone()))),
        }
    }
}

struct Teller {
    mode: ProgressMode,
    terminal: bool,
    planned: Option<u64>,
    start: Instant,
    board: Arc<Board>,
    ticks: u64,
    before: Option<(Instant, Progress)>,
    stalled: bool,
}

impl Teller {
    fn run(&mut self, ended: &mpsc::Receiver<()>) {
        let mut next = self.start + EVERY;
        let wait =
            |until: Instant| ended.recv_timeout(until.saturating_duration_since(Instant::now()));
        while wait(next) == Err(RecvTimeoutError::Timeout) {
            next = Instant::now().max(next) + EVERY;
            self.ticks += 1;
            let progress = self.look();
            self.tell_of_trouble(&progress);
            self.tell(&progress);
            self.before = Some((Instant::now(), progress));
        }
        if self.terminal {
            print_over("");
        }
    }

    fn look(&self) -> Progress {
        // Created before the lock, so that senders wait only for a copy of counters.
        let fresh = histogram();
        let now = Instant::now();
        let (mut progress, recent) = {
            let mut tally = self.board.lock();
            let progress = Progress {
                elapsed_ms: u64::try_from((now - self.start).as_millis()).unwrap_or(u64::MAX),
                begun: tally.begun,
                acknowledged: tally.acknowledged,
                unknown: tally.unknown.count(),
                failed: tally.failed.count(),
                duplicates_sent: tally.duplicates_sent,
                in_flight: tally.in_flight(),
                retries: tally.retries,
                errors: tally
                    .errors
                    .iter()
                    .map(|(kind, n)| ((*kind).to_owned(), *n))
                    .collect(),
                rate_per_s: 0.0,
                lateness_us_p99: None,
                lateness_us_max: None,
            };
            (
                progress,
                std::mem::replace(&mut tally.recent_lateness_us, fresh),
            )
        };
        let (since, acknowledged) = match &self.before {
            Some((at, before)) => (*at, before.acknowledged),
            None => (self.start, 0),
        };
        progress.rate_per_s =
            (progress.acknowledged - acknowledged) as f64 / (now - since).as_secs_f64();
        if !recent.is_empty() {
            progress.lateness_us_p99 = Some(recent.value_at_quantile(0.99));
            progress.lateness_us_max = Some(recent.max());
        }
        progress
    }

    /// Logs when storage stops taking messages and when it takes them again: once each.
    fn tell_of_trouble(&mut self, now: &Progress) {
        let (acknowledged, errors) = match &self.before {
            Some((_, before)) => (before.acknowledged, before.errors.values().sum()),
            None => (0, 0_u64),
        };
        let taken = now.acknowledged > acknowledged;
        let troubled = now.errors.values().sum::<u64>() > errors;
        if taken && self.stalled {
            self.stalled = false;
            tracing::info!("storage takes messages again");
        } else if !taken && troubled && !self.stalled {
            self.stalled = true;
            tracing::warn!(
                in_flight = now.in_flight,
                "storage takes no messages; trying on, with backoff"
            );
        }
    }

    fn tell(&self, progress: &Progress) {
        match self.mode {
            ProgressMode::Json => tell(&Event::Progress(progress.clone())),
            ProgressMode::Human if self.terminal => print_over(&self.line(progress)),
            ProgressMode::Human if self.ticks.is_multiple_of(LOGGED) => {
                tracing::info!(progress = self.line(progress), "sending");
            }
            ProgressMode::Human | ProgressMode::None => {}
        }
    }

    fn line(&self, p: &Progress) -> String {
        let planned = self.planned.map_or_else(String::new, |n| format!("/{n}"));
        let late = p.lateness_us_p99.map_or("-".to_owned(), |us| {
            format!("{:.2} ms", us as f64 / 1_000.0)
        });
        let mut line = format!(
            "{} s  {}{planned} acknowledged  {:.0}/s  late p99 {late}  in flight {}",
            p.elapsed_ms / 1_000,
            p.acknowledged,
            p.rate_per_s,
            p.in_flight,
        );
        // Counts of 0 are left out: the line must fit a terminal, or it cannot be rewritten in place.
        let errors: u64 = p.errors.values().sum();
        for (name, count) in [
            ("unknown", p.unknown),
            ("failed", p.failed),
            ("errors", errors),
        ] {
            if count > 0 {
                line.extend(["  ", name, " ", &count.to_string()]);
            }
        }
        line
    }
}

/// Rewrites the line on the terminal. The cursor is left in its first column, so that a log line overwrites it.
fn print_over(line: &str) {
    let written = write!(io::stderr().lock(), "\r\x1b[2K{line}\r");
    drop(written);
}

/// Prints a line that may be lost: the reader of the progress may have closed the pipe.
fn tell(event: &Event) {
    if let Err(error) = write_line(event) {
        tracing::debug!(%error, "progress is not read");
    }
}

fn write_line(event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}

/// Checks that a file can be written to `path`: creates the file as [`write_file`] does, and removes it.
pub(crate) fn check_place(path: &Path) -> io::Result<()> {
    let partial = partial(path);
    std::fs::File::create(&partial)?;
    std::fs::remove_file(&partial)
}

/// The path of a file while it is written.
fn partial(path: &Path) -> PathBuf {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    partial.into()
}

/// Writes the summary as JSON to `path`, whole or not at all.
pub(crate) fn write_file(path: &Path, summary: &Summary) -> io::Result<()> {
    let mut json = serde_json::to_vec_pretty(summary)?;
    json.push(b'\n');
    let partial = partial(path);
    let written = (|| {
        let mut file = std::fs::File::create(&partial)?;
        file.write_all(&json)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)
    })();
    if written.is_err() {
        // If the file was not created, there is nothing to remove; the first error is the one to report.
        drop(std::fs::remove_file(&partial));
    }
    written
}
