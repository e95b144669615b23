//! Watching a load: samples for the report, and a line a second for whoever waits.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

use producer::Summary;
use workflow::contract::Stamp;
use workflow::ports::WorkQueue as _;

use crate::events::{Event, Sample};
use crate::run::{Run, Sending};

/// From one sample to the next. The producer counts as often.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// Samples from one printed line to the next, when standard error is no terminal.
const QUIET: u32 = 10;

/// The observer of one load.
pub(super) struct Live {
    start: Instant,
    messages: u64,
    ticks: u32,
    sent: Option<(u64, Stamp)>,
    terminal: bool,
}

impl Live {
    pub(super) fn new(messages: u64) -> Self {
        Self {
            start: Instant::now(),
            messages,
            ticks: 0,
            sent: None,
            terminal: stderr().is_terminal(),
        }
    }

    /// Takes the producer's last word on what was acknowledged.
    pub(super) fn sent(&mut self, summary: &Summary) {
        self.sent = Some((summary.acknowledged, summary.ended));
    }

    /// Takes one sample, records it and shows it.
    pub(super) async fn observe(
        &mut self,
        run: &mut Run,
        sending: Option<&Sending>,
    ) -> anyhow::Result<()> {
        let progress = sending.and_then(Sending::progress);
        self.sent = sending.and_then(Sending::acknowledged).or(self.sent);
        // A depth that cannot be read is absent from the sample, not 0.
        let depth = run.store().queue.approximate_count().await.ok();
        let consumers = run.fleet().len() as u64;
        run.record(Event::Sample(Sample {
            queue_depth: depth,
            consumers: Some(consumers),
            sent: self.sent.map(|(count, _)| count),
            sent_at: self.sent.map(|(_, at)| at),
        }))?;
        self.ticks += 1;
        let lateness = progress.and_then(|progress| progress.lateness_us_p99);
        self.show(depth, consumers, lateness);
        Ok(())
    }

    fn show(&self, depth: Option<u64>, consumers: u64, lateness_us: Option<u64>) {
        let lateness = lateness_us.map_or(String::new(), |us| {
            format!(" | lateness p99 {:.1} ms", us as f64 / 1e3)
        });
        let line = format!(
            "{:6.1} s | sent {} of {} | queue {} | {consumers} consumers{lateness}",
            self.start.elapsed().as_secs_f64(),
            self.sent.map_or(0, |(count, _)| count),
            self.messages,
            depth.map_or("?".to_owned(), |depth| depth.to_string()),
        );
        if self.terminal {
            write(&format!("\r\x1b[2K{line}"));
        } else if self.ticks % QUIET == 1 {
            write(&format!("{line}\n"));
        }
    }

    /// Ends the line that is rewritten in place.
    pub(super) fn end(&self) {
        if self.terminal {
            write("\n");
        }
    }
}

/// Progress is a courtesy: a standard error that is gone must not end a run.
fn write(text: &str) {
    let mut stderr = stderr().lock();
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}
