//! The producers at work: their progress while they send, and their summary afterwards.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use futures::TryStreamExt as _;
use platform::{End, Lines, Sender, generator_name};
use producer::{Event, Progress, Slice, Started, Summary};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use workflow::contract::Stamp;
use workflow::task;

use crate::events::ADVICE;

/// How long a producer may take until it reports that it sends, and so listens for signals: much longer than it ever needs.
const START: Duration = Duration::from_secs(10);

/// How long a producer may take to end after its last line.
const EXIT: Duration = Duration::from_secs(10);

/// What the producers reported, and how they ended.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The merged summary of all producers.
    pub summary: Summary,
    /// How the producers ended: the first end that is not exit code 0, else 0.
    pub end: End,
    /// The generators that left no summary, each with the reason. It is unknown which of their messages were sent.
    pub lost: Vec<String>,
    /// How many of their messages the lost generators had not reported as sent.
    pub unsent: u64,
}

/// The progress that the producers have reported so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// How many messages they have acknowledged, and when they counted, by their own clocks; `None` until all have begun.
    pub(super) counted: Option<(u64, Stamp)>,
    each: Vec<Heard>,
}

/// The progress that one producer has reported so far.
#[derive(Debug, Default, Clone)]
struct Heard {
    started: Option<Started>,
    counted: Option<(u64, Stamp)>,
    progress: Option<Progress>,
    has_ended: bool,
    has_summary: bool,
}

/// A generator that ended without a summary, as far as its output tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostGenerator {
    /// Its name.
    pub name: String,
    /// How many of its messages it had not reported as sent: nobody sends them any more.
    pub unsent: u64,
}

impl Told {
    /// Adds up the counts of all producers. A producer that ended without a report is left out.
    fn add_up(&mut self) {
        let known = self
            .each
            .iter()
            .filter(|it| !it.has_ended || it.counted.is_some());
        let counts: Option<Vec<_>> = known.map(|heard| heard.counted).collect();
        self.counted = counts.filter(|counts| !counts.is_empty()).map(|counts| {
            let count = counts.iter().map(|(count, _)| count).sum();
            let at = counts.iter().map(|(_, at)| *at).max();
            (count, at.unwrap_or_default())
        });
    }
}

/// One producer at work.
struct Generator {
    name: String,
    sender: Box<dyn Sender>,
    reader: AbortOnDropHandle<anyhow::Result<Option<Summary>>>,
}

/// Producers at work.
pub struct Sending {
    generators: Vec<Generator>,
    progress: watch::Receiver<Told>,
    /// How many messages all of them are to send.
    planned: u64,
    /// The file for the merged summary, for an audit after the run.
    file: PathBuf,
}

impl Sending {
    pub(super) fn new(
        senders: Vec<Box<dyn Sender>>,
        planned: u64,
        file: PathBuf,
    ) -> anyhow::Result<Self> {
        let count = u32::try_from(senders.len()).context("count the producers")?;
        let (told, progress) = watch::channel(Told {
            each: vec![Heard::default(); senders.len()],
            ..Told::default()
        });
        let mut generators = Vec::new();
        for (index, mut sender) in (0..).zip(senders) {
            let lines = sender.lines();
            let lines = lines.context("the producer's output must be piped")?;
            let reader = task::spawn(read(lines, generators.len(), told.clone()));
            generators.push(Generator {
                name: generator_name(index, count),
                sender,
                reader,
            });
        }
        Ok(Self {
            generators,
            progress,
            planned,
            file,
        })
    }

    /// The 99th percentile of lateness, in microseconds, over the messages that began within about the last second. Of several
    /// producers, the largest value.
    pub fn lateness_us_p99(&self) -> Option<u64> {
        let told = self.progress.borrow();
        let progress = told.each.iter().filter_map(|it| it.progress.as_ref());
        progress.filter_map(|it| it.lateness_us_p99).max()
    }

    /// The generators that ended without a summary so far.
    pub fn lost(&self) -> Vec<LostGenerator> {
        let told = self.progress.borrow();
        let count = u32::try_from(told.each.len()).unwrap_or(u32::MAX);
        let each = (0..count).zip(&told.each);
        let lost = each.filter(|(_, it)| it.has_ended && !it.has_summary);
        let lost = lost.filter_map(|(index, heard)| {
            let of_it = Slice::new(index, count)?.within(self.planned);
            let sent = heard.counted.map_or(0, |(sent, _)| sent);
            Some(LostGenerator {
                name: generator_name(index, count),
                unsent: of_it.saturating_sub(sent),
            })
        });
        lost.collect()
    }

    /// A receiver of the producers' progress; it can be read also after they have ended.
    pub(super) fn told(&self) -> watch::Receiver<Told> {
        self.progress.clone()
    }

    /// Waits until at least `messages` messages are acknowledged, for at most `patience`.
    pub async fn until_acknowledged(
        &mut self,
        messages: u64,
        patience: Duration,
    ) -> anyhow::Result<()> {
        let enough = |told: &Told| told.counted.is_some_and(|(count, _)| count >= messages);
        let waited = tokio::time::timeout(patience, self.progress.wait_for(enough)).await;
        match waited.map(|told| told.map(drop)) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => bail!(
                "wait for {messages} acknowledged sends: the producer ended before\n{}",
                self.last_lines()
            ),
            Err(_) => bail!("wait for {messages} acknowledged sends: not within {patience:?}"),
        }
    }

    fn last_lines(&self) -> String {
        let all = self.generators.iter().map(|it| it.sender.last_lines());
        all.collect::<Vec<_>>().join("\n")
    }

    /// Whether all producers have ended.
    pub fn has_ended(&mut self) -> anyhow::Result<bool> {
        for generator in &mut self.generators {
            if !generator.sender.has_ended()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Asks the producers to stop early; they finish their sends in flight and write their summaries. Waits first until each of
    /// them listens, since an earlier signal would end it without a summary. Producers that have ended are not signalled.
    pub async fn interrupt(&mut self) -> anyhow::Result<()> {
        let started = self.progress.wait_for(|told| told.counted.is_some());
        // A producer that has ended, or does not start, must not block the others; its end holds the reason.
        let _ = tokio::time::timeout(START, started).await;
        for generator in &mut self.generators {
            if !generator.sender.has_ended()? {
                generator.sender.interrupt().await?;
            }
        }
        Ok(())
    }

    /// Waits until everything is sent, for at most `patience`, and reads the summaries. A missing summary is an error.
    pub async fn finish(self, patience: Duration) -> anyhow::Result<Sent> {
        let sent = self.finish_with_losses(patience).await?;
        ensure!(
            sent.lost.is_empty(),
            "follow the producer: {}",
            sent.lost.join("; ")
        );
        Ok(sent)
    }

    /// As [`Sending::finish`]; generators without a summary are reported in [`Sent::lost`]. It is an error only if there is no
    /// summary and no generator has begun, since then there is nothing to audit.
    pub async fn finish_with_losses(mut self, patience: Duration) -> anyhow::Result<Sent> {
        let deadline = Instant::now() + patience;
        let (mut parts, mut lost, mut end) = (Vec::new(), Vec::new(), None);
        for at in 0..self.generators.len() {
            let Some((how, summary)) = self.generators[at].finish(deadline).await? else {
                for generator in &mut self.generators {
                    generator.sender.kill(false).await?;
                }
                bail!("wait for the producer: still sending after {patience:?}");
            };
            let is_first = end.is_none_or(|end: End| end.code() == Some(0));
            end = if is_first { Some(how) } else { end };
            match summary {
                Ok(summary) => parts.push(summary),
                Err(why) => lost.push(format!("{why}{}", self.reported(at))),
            }
        }
        let summary = match &parts[..] {
            [] => self
                .summary_of_lost()
                .with_context(|| format!("follow the producer: {}", lost.join("; ")))?,
            [_] if self.generators.len() == 1 => parts.swap_remove(0),
            parts => producer::merged(parts, Some(self.planned))
                .context("make one summary of what the producers have sent")?,
        };
        let unsent = self.lost().iter().map(|it| it.unsent).sum();
        let text = serde_json::to_vec_pretty(&summary).context("write the producer's summary")?;
        std::fs::write(&self.file, text)
            .with_context(|| format!("write {}; {ADVICE}", self.file.display()))?;
        Ok(Sent {
            summary,
            end: end.context("a load must have a producer")?,
            lost,
            unsent,
        })
    }

    /// How many messages generator `at` had reported as sent, as an addition to the reason for its loss; empty if it had not begun.
    fn reported(&self, at: usize) -> String {
        let counted = self.progress.borrow().each[at].counted;
        counted.map_or_else(String::new, |(sent, _)| {
            let s = if sent == 1 { "" } else { "s" };
            format!("; it had reported {sent} message{s} as sent")
        })
    }

    /// The summary of a load whose generators are all lost; `None` if none of them had begun.
    fn summary_of_lost(&self) -> Option<Summary> {
        let told = self.progress.borrow();
        let mut begun = told.each.iter().filter_map(|it| it.started.as_ref());
        let started = begun.next()?;
        let last = told
            .each
            .iter()
            .filter_map(|it| it.counted)
            .map(|(_, at)| at);
        let ended = last.max().unwrap_or(started.at);
        Some(producer::all_lost(started, self.planned, ended))
    }

    /// Kills the producers.
    pub(super) async fn abandon(&mut self) -> anyhow::Result<()> {
        for generator in &mut self.generators {
            generator.sender.kill(true).await?;
        }
        Ok(())
    }
}

impl Generator {
    /// How the producer ended, and its summary or the reason why there is none. `None` if it is still sending at `deadline`.
    async fn finish(
        &mut self,
        deadline: Instant,
    ) -> anyhow::Result<Option<(End, Result<Summary, String>)>> {
        let Ok(read) = tokio::time::timeout_at(deadline, &mut self.reader).await else {
            return Ok(None);
        };
        let name = &self.name;
        let Ok(end) = self.sender.wait(EXIT).await else {
            self.sender.kill(false).await?;
            bail!("wait for {name}: still running {EXIT:?} after its last line");
        };
        let read = read.map_err(|panic| anyhow!(panic))?;
        let summary = read.with_context(|| format!("follow {name}"))?;
        let summary = summary.ok_or_else(|| {
            let said = self.sender.last_lines();
            let last = said.lines().last().unwrap_or("nothing");
            format!("{name} ended with {end} and left no summary; the last it said: {last}")
        });
        Ok(Some((end, summary)))
    }
}

/// Reads the output of producer `at` to its end. Returns its summary, if it printed one.
async fn read(
    mut lines: Lines,
    at: usize,
    told: watch::Sender<Told>,
) -> anyhow::Result<Option<Summary>> {
    let hear = |change: &dyn Fn(&mut Heard)| {
        told.send_modify(|told| {
            change(&mut told.each[at]);
            told.add_up();
        });
    };
    let mut start = Stamp::from_micros(0);
    let mut whole = None;
    while let Some(line) = lines.try_next().await? {
        let event = match serde_json::from_str(&line) {
            Ok(event) => event,
            // A producer that was killed while it wrote leaves a part of a line, and no line after it.
            Err(_) if lines.try_next().await?.is_none() => break,
            Err(error) => {
                let read = format!("read the progress line {line:?}");
                return Err(anyhow!(error).context(read));
            }
        };
        match event {
            Event::Started(started) => {
                start = started.at;
                hear(&|heard| {
                    heard.counted = Some((0, start));
                    heard.started = Some(started.clone());
                });
            }
            Event::Progress(progress) => {
                let at = start.plus(Duration::from_millis(progress.elapsed_ms));
                hear(&|heard| {
                    heard.counted = Some((progress.acknowledged, at));
                    heard.progress = Some(progress.clone());
                });
            }
            Event::Summary(summary) => {
                let counted = (summary.acknowledged, summary.ended);
                hear(&|heard| {
                    heard.counted = Some(counted);
                    heard.has_summary = true;
                });
                whole = Some(*summary);
            }
        }
    }
    hear(&|heard| heard.has_ended = true);
    Ok(whole)
}

#[cfg(test)]
mod tests;
