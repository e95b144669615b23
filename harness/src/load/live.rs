//! Shows the progress of a load: one line a second.

use std::collections::VecDeque;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

use crate::events::Sample;
use crate::run::{LostGenerator, Run, Sending};
use views::columns;

/// Time between two lines. The producer counts as often.
const EVERY: Duration = Duration::from_secs(1);

/// When standard error is not a terminal, one of this many lines is printed.
const QUIET: u32 = 10;

/// The rate is an average over this many of the last lines: long enough to be steady, short enough to follow a load that changes.
const WINDOW: usize = 10;

/// The progress display of one load.
pub(super) struct Live {
    start: Instant,
    messages: u64,
    next: Instant,
    ticks: u32,
    terminal: bool,
    is_shown: bool,
    /// The generators that are lost.
    lost: Vec<LostGenerator>,
    /// Points of time in seconds, each with the messages done by then: sent, and no longer in the queue.
    done: VecDeque<(f64, u64)>,
}

impl Live {
    /// A display for a load of `messages` messages. If not `is_shown`, it prints nothing and only keeps the time of the next line.
    pub(super) fn new(messages: u64, is_shown: bool) -> Self {
        let start = Instant::now();
        Self {
            start,
            messages,
            next: start,
            ticks: 0,
            terminal: stderr().is_terminal(),
            is_shown,
            lost: Vec::new(),
            done: VecDeque::new(),
        }
    }

    /// Shows the progress, if the next line is due. Returns whether it was.
    pub(super) fn observe(&mut self, run: &Run, sending: Option<&Sending>) -> bool {
        if Instant::now() < self.next {
            return false;
        }
        self.next += EVERY;
        self.ticks += 1;
        if let Some(sending) = sending {
            self.hear_of_losses(sending.lost());
        }
        self.show(
            run.last_sample(),
            sending.and_then(Sending::lateness_us_p99),
        );
        true
    }

    /// Takes the generators that are lost so far. A new loss is shown at once.
    fn hear_of_losses(&mut self, lost: Vec<LostGenerator>) {
        if lost.len() > self.lost.len() {
            self.ticks = 1;
        }
        self.lost = lost;
    }

    /// How many messages can still be sent, or have been.
    fn expected(&self) -> u64 {
        let unsent = self.lost.iter().map(|it| it.unsent).sum();
        self.messages.saturating_sub(unsent)
    }

    fn show(&mut self, sample: Sample, lateness_us: Option<u64>) {
        if !self.is_shown {
            return;
        }
        let seconds = self.start.elapsed().as_secs_f64();
        let parts = self.parts(seconds, sample, lateness_us);
        if self.terminal {
            // The cursor waits in the first column, so that a line of the log overwrites this one.
            write(&format!("\r\x1b[2K{}\r", fitted(&parts, columns(stderr()))));
        } else if self.ticks % QUIET == 1 {
            write(&format!("{}\n", parts.join(BETWEEN)));
        }
    }

    /// The parts of a line, the most important first: a line that is too long loses its last parts.
    fn parts(&mut self, seconds: f64, sample: Sample, lateness_us: Option<u64>) -> Vec<String> {
        let (depth, sent) = (sample.queue_depth, sample.sent.unwrap_or_default());
        // Sent messages and queue depth are counted at different moments: a message that was received in between may be counted twice.
        if let Some(depth) = depth {
            self.done.push_back((seconds, sent.saturating_sub(depth)));
        }
        if self.done.len() > WINDOW {
            self.done.pop_front();
        }
        let (rate, expected) = (self.rate(), self.expected());
        let mut parts = vec![
            format!("{seconds:6.1} s"),
            format!("sent {sent} of {expected}"),
        ];
        parts.extend(lost(&self.lost));
        parts.push(depth.map_or("queue ?".to_owned(), |depth| format!("queue {depth}")));
        if let Some(rate) = rate.filter(|rate| *rate > 0.0) {
            let done = self.done.back().map_or(0, |(_, done)| *done);
            let left = expected.saturating_sub(done) as f64 / rate;
            parts.push(format!("{rate:.0}/s done"));
            parts.push(format!("{} left", about(left)));
        }
        parts.push(format!(
            "{} consumers",
            sample.consumers.unwrap_or_default()
        ));
        parts.extend(lateness_us.map(|us| format!("lateness p99 {:.1} ms", us as f64 / 1e3)));
        parts
    }

    /// Messages done per second over the last lines.
    fn rate(&self) -> Option<f64> {
        let ((from, before), (to, now)) = (self.done.front()?, self.done.back()?);
        (to > from).then(|| now.saturating_sub(*before) as f64 / (to - from))
    }

    /// Shows the final state, and ends the line that is rewritten in place.
    pub(super) fn end(&mut self, run: &Run) {
        if self.terminal && self.is_shown {
            self.show(run.last_sample(), None);
            write("\n");
        }
    }
}

/// What is lost with generators, if any are.
fn lost(all: &[LostGenerator]) -> Option<String> {
    let unsent: u64 = all.iter().map(|it| it.unsent).sum();
    let who = match all {
        [] => return None,
        [one] => one.name.clone(),
        several => format!("{} generators", several.len()),
    };
    Some(format!("{who} lost with {unsent} unsent"))
}

/// A time in words, rounded because it is only an estimate.
fn about(seconds: f64) -> String {
    if seconds < 90.0 {
        format!("{seconds:.0} s")
    } else if seconds < 5_400.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3_600.0)
    }
}

/// The separator between the parts of a line.
const BETWEEN: &str = " | ";

/// As many of the first `parts` as fit into `columns`. They are ASCII: a byte is a column.
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

/// Writes to standard error. An error is ignored: a closed standard error must not end a run.
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

    #[test]
    fn what_a_lost_generator_has_not_sent_is_said_and_no_longer_waited_for() {
        let mut live = Live::new(1_000, true);
        let sample = |sent| Sample {
            sent: Some(sent),
            queue_depth: Some(0),
            consumers: Some(2),
            ..Sample::default()
        };
        live.parts(0.0, sample(0), None);
        live.ticks = 4;
        let lost = |name: &str, unsent| LostGenerator {
            name: name.to_owned(),
            unsent,
        };
        live.hear_of_losses(vec![lost("producer-2", 400)]);
        assert_eq!(live.ticks, 1, "shown at once");
        // 100 of the 600 messages that can still come are left.
        assert_eq!(
            live.parts(1.0, sample(500), None).join(BETWEEN),
            "   1.0 s | sent 500 of 600 | producer-2 lost with 400 unsent | queue 0 | 500/s done | 0 s left | 2 consumers"
        );
        live.hear_of_losses(vec![lost("producer-1", 100), lost("producer-2", 400)]);
        let told = live.parts(2.0, sample(500), None).join(BETWEEN);
        assert!(
            told.contains("sent 500 of 500 | 2 generators lost with 500 unsent | "),
            "{told}"
        );
    }

    #[test]
    fn rate_and_time_left_are_those_of_messages_that_are_done() {
        let mut live = Live::new(100_000, true);
        let mut told = |seconds: f64, sent, depth| {
            let sample = Sample {
                sent: Some(sent),
                queue_depth: Some(depth),
                consumers: Some(16),
                ..Sample::default()
            };
            live.parts(seconds, sample, None).join(BETWEEN)
        };
        assert_eq!(
            told(0.0, 0, 0),
            "   0.0 s | sent 0 of 100000 | queue 0 | 16 consumers"
        );
        // Half of the sent messages stay in the queue.
        assert_eq!(
            told(1.0, 2_000, 1_000),
            "   1.0 s | sent 2000 of 100000 | queue 1000 | 1000/s done | 2 min left | 16 consumers"
        );
        for second in 2..40 {
            told(f64::from(second), 2_000, 1_000);
        }
        // No more messages are done, so the time left is unknown.
        assert!(!told(40.0, 2_000, 1_000).contains("left"));
        assert_eq!(about(89.0), "89 s");
        assert_eq!(about(7_200.0), "2.0 h");
    }
}
