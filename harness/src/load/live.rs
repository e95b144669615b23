//! Watching a load: a line a second for whoever waits.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

use crate::events::Sample;
use crate::report::columns;
use crate::run::{Run, Sending};

/// From one line to the next. The producer counts as often.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// Looks from one printed line to the next, when standard error is no terminal.
const QUIET: u32 = 10;

/// The observer of one load.
pub(super) struct Live {
    start: Instant,
    messages: u64,
    ticks: u32,
    terminal: bool,
}

impl Live {
    pub(super) fn new(messages: u64) -> Self {
        Self {
            start: Instant::now(),
            messages,
            ticks: 0,
            terminal: stderr().is_terminal(),
        }
    }

    /// Shows how things stand.
    pub(super) fn observe(&mut self, run: &Run, sending: Option<&Sending>) {
        self.ticks += 1;
        let progress = sending.and_then(Sending::progress);
        let lateness = progress.and_then(|progress| progress.lateness_us_p99);
        self.show(run.last_sample(), lateness);
    }

    fn show(&self, sample: Sample, lateness_us: Option<u64>) {
        let depth = sample.queue_depth;
        // The most important first: what does not fit is left out from the end.
        let mut parts = vec![
            format!("{:6.1} s", self.start.elapsed().as_secs_f64()),
            format!(
                "sent {} of {}",
                sample.sent.unwrap_or_default(),
                self.messages
            ),
            depth.map_or("queue ?".to_owned(), |depth| format!("queue {depth}")),
            format!("{} consumers", sample.consumers.unwrap_or_default()),
        ];
        parts.extend(lateness_us.map(|us| format!("lateness p99 {:.1} ms", us as f64 / 1e3)));
        if self.terminal {
            // The cursor waits in the first column, so that a line of the log overwrites this one.
            write(&format!("\r\x1b[2K{}\r", fitted(&parts, columns(stderr()))));
        } else if self.ticks % QUIET == 1 {
            write(&format!("{}\n", parts.join(BETWEEN)));
        }
    }

    /// Ends the line that is rewritten in place.
    pub(super) fn end(&self) {
        if self.terminal {
            write("\n");
        }
    }
}

/// What stands between the parts of a line.
const BETWEEN: &str = " | ";

/// The first of `parts`, as many as fit into `columns`. They are ASCII: a byte is a column.
fn fitted(parts: &[String], columns: usize) -> String {
    let mut line = String::new();
    for part in parts {
        let between = if line.is_empty() { "" } else { BETWEEN };
        if line.len() + between.len() + part.len() > columns {
            break;
        }
        line.extend([between, part]);
    }
    line
}

/// Progress is a courtesy: a standard error that is gone must not end a run.
fn write(text: &str) {
    let mut stderr = stderr().lock();
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_never_wider_than_the_terminal_and_keeps_what_matters_most() {
        let parts = ["  12.3 s", "sent 7 of 20", "queue 5", "16 consumers"].map(String::from);
        let lines = [
            (80, "  12.3 s | sent 7 of 20 | queue 5 | 16 consumers"),
            (48, "  12.3 s | sent 7 of 20 | queue 5 | 16 consumers"),
            (47, "  12.3 s | sent 7 of 20 | queue 5"),
            (23, "  12.3 s | sent 7 of 20"),
            (22, "  12.3 s"),
            (3, ""),
        ];
        for (columns, line) in lines {
            assert_eq!(fitted(&parts, columns), line, "{columns} columns");
        }
    }
}
