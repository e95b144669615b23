//! The output of a suite while it runs: a line for each scenario that ends, and on a terminal the names of those that still run.

use std::io::{IsTerminal as _, Write as _, stdout};
use std::time::{Duration, Instant};

use super::play::Played;
use super::selection::Case;
use crate::outcome::Outcome;
use views::columns;

use crate::report::sign;
use crate::say::say;

/// The console output of one suite.
pub(super) struct Console {
    all: usize,
    ended: usize,
    running: Vec<(String, Instant)>,
    terminal: bool,
}

impl Console {
    pub(super) fn new(all: usize) -> Self {
        Self {
            all,
            ended: 0,
            running: Vec::new(),
            terminal: stdout().is_terminal(),
        }
    }

    pub(super) fn started(&mut self, name: &str) {
        self.running.push((name.to_owned(), Instant::now()));
    }

    pub(super) fn ended(&mut self, case: &Case, played: &Played) {
        self.ended += 1;
        self.running.retain(|(name, _)| *name != case.name);
        self.wipe();
        let width = self.all.to_string().len();
        let sign = painted(played.outcome, sign(played.outcome));
        say(&format!(
            "[{:>width$}/{}] {sign} {:>6.1} s  {}",
            self.ended,
            self.all,
            played.took.as_secs_f64(),
            case.name
        ));
        if played.outcome != Outcome::Pass {
            tell(case, played);
        }
        self.show();
    }

    /// Shows the running scenarios on one line, which the next output overwrites.
    pub(super) fn show(&self) {
        let Some((name, since)) = self.running.first() else {
            return;
        };
        if self.terminal {
            let others = match self.running.len() - 1 {
                0 => String::new(),
                others => format!(", and {others} more"),
            };
            let line = format!(
                "{} of {} ended | {:.0} s {name}{others}",
                self.ended,
                self.all,
                since.elapsed().as_secs_f64()
            );
            let line: String = line.chars().take(columns(stdout())).collect();
            let mut stdout = stdout().lock();
            let _ = write!(stdout, "\r\x1b[2K{line}\r").and_then(|()| stdout.flush());
        }
    }

    /// Clears the line of running scenarios.
    pub(super) fn wipe(&self) {
        if self.terminal {
            let mut stdout = stdout().lock();
            let _ = write!(stdout, "\r\x1b[2K").and_then(|()| stdout.flush());
        }
    }

    /// How often the line of running scenarios is rewritten.
    pub(super) const EVERY: Duration = Duration::from_secs(1);
}

/// Prints a scenario that did not pass: its steps, the reason, and where to look.
fn tell(case: &Case, played: &Played) {
    const INDENT: &str = "           ";
    say(&format!("{INDENT}{}", case.location));
    for step in &played.steps {
        let sign = painted(step.outcome, sign(step.outcome));
        say(&format!("{INDENT}{sign} {}", step.sentence));
    }
    for sentence in case.steps.iter().skip(played.steps.len()) {
        let keyword = sentence.keyword.trim();
        say(&format!("{INDENT}  {keyword} {}", sentence.value));
    }
    let outcome = played.outcome;
    let detail = played.detail.as_deref().unwrap_or("it does not say why");
    for line in format!("{outcome}: {detail}").lines() {
        say(&format!("{INDENT}{line}"));
    }
    if let Some(dir) = &played.dir {
        say(&format!("{INDENT}evidence in {}", dir.display()));
    }
}

fn painted(outcome: Outcome, text: &str) -> String {
    let code = match outcome {
        Outcome::Pass => "32",
        Outcome::Fail => "31",
        Outcome::Inconclusive | Outcome::Incomplete => "33",
    };
    if stdout().is_terminal() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}
