//! `harness recording`: holds what a real cluster did against the model of KEDA and the HPA.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use autoscaler::{Findings, Recording, ScaledObject, Settings, Uncertainty};
use serde::Deserialize as _;
use workflow::duration;

use crate::exit::WrongInput;
use crate::outcome::Outcome;

/// From one line that tells of progress to the next.
const EVERY: Duration = Duration::from_secs(2);

const WRONG: WrongInput = WrongInput("hold a recording against the model");

/// What is held against what.
#[derive(Debug, Clone, clap::Args)]
pub struct RecordingArgs {
    /// Comma-separated values: `t_s,visible,leased,replicas` or `t_s,total,replicas`, `t_s` counted from the first row; crates/autoscaler/tests/recordings has some
    recording: PathBuf,
    /// The file of the ScaledObject that was in force
    #[arg(long, value_name = "FILE")]
    scaled_object: PathBuf,
    /// How late polls, syncs and writes of that cluster can be
    #[arg(long, default_value = "2s", value_parser = duration::parse_positive)]
    slack: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Answer {
    settings: Settings,
    recording: Recording,
    findings: Findings,
}

/// Why there is nothing to compare.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("find one ScaledObject in {}: there are {found}", path.display())]
    Count { path: PathBuf, found: usize },
    #[error("use the ScaledObject of {}: {refusals}", path.display())]
    Refused {
        path: PathBuf,
        refusals: autoscaler::Refusals,
    },
}

/// Reads both files and compares them; `progress` is told from time to time which part of the work is done, from 0 to 1.
///
/// # Errors
///
/// Either cannot be read or says what it must not, with [`WrongInput`] as the context.
pub fn judge(args: &RecordingArgs, progress: &mut dyn FnMut(f64)) -> anyhow::Result<Answer> {
    let settings = settings(&args.scaled_object).context(WRONG)?;
    let recording = recording(&args.recording).context(WRONG)?;
    let uncertainty = Uncertainty {
        slack: args.slack,
        ..Uncertainty::default()
    };
    let findings = recording.judge_with_progress(&settings, &uncertainty, progress);
    let findings = findings.context(WRONG)?;
    Ok(Answer {
        settings,
        recording,
        findings,
    })
}

fn recording(path: &Path) -> anyhow::Result<Recording> {
    let recording = crate::manifest::text_of(path)?.parse::<Recording>();
    recording.with_context(|| format!("read {}", path.display()))
}

fn settings(path: &Path) -> anyhow::Result<Settings> {
    let documents = crate::manifest::read(path)?;
    let of_kind = |it: &&crate::manifest::Document| it.value["kind"] == "ScaledObject";
    let found: Vec<_> = documents.iter().filter(of_kind).collect();
    let [only] = found.as_slice() else {
        let (path, found) = (path.to_owned(), found.len());
        return Err(Unfit::Count { path, found }.into());
    };
    let object = ScaledObject::deserialize(&only.value)
        .with_context(|| format!("read the ScaledObject of {}", path.display()))?;
    let settings = object.settings().map_err(|refusals| Unfit::Refused {
        path: path.to_owned(),
        refusals,
    })?;
    Ok(settings)
}

/// Tells how far long work is: after two seconds, and then every two.
#[derive(Debug)]
pub struct Progress<W> {
    out: W,
    told: Instant,
}

impl<W: Write> Progress<W> {
    /// Nothing is done at `begun`.
    pub fn new(out: W, begun: Instant) -> Self {
        Self { out, told: begun }
    }

    /// Such a part is done, from 0 to 1, at `now`.
    pub fn tell(&mut self, part: f64, now: Instant) {
        if now.saturating_duration_since(self.told) >= EVERY {
            self.told = now;
            // Whether somebody reads it is no reason to stop.
            let percent = part * 100.0;
            let _ = writeln!(self.out, "compared with {percent:.0} % of the model's runs");
        }
    }
}

impl Answer {
    /// Pass if the recording can be explained, fail if it leaves the envelope.
    pub fn outcome(&self) -> Outcome {
        if self.findings.is_inside() {
            Outcome::Pass
        } else {
            Outcome::Fail
        }
    }

    /// For people, a line for each thing.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let counts = self.recording.replicas().counts();
        let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
        let end = self.recording.end().as_secs_f64();
        let _ = writeln!(text, "recorded  {} in {end:.0} s", counts.join(", "));
        match self.findings.excursions.as_slice() {
            [] => text.push_str("inside the envelope of the model, all the time\n"),
            [first, more @ ..] => {
                let _ = writeln!(text, "OUTSIDE the envelope of the model: {first}");
                if !more.is_empty() {
                    let _ = writeln!(text, "and {} times more", more.len());
                }
            }
        }
        text.push_str(&self.nearest());
        text
    }

    fn nearest(&self) -> String {
        let Some(nearest) = &self.findings.nearest else {
            return "no run of the model has such counts".to_owned();
        };
        let period = self.settings.controller.sync_period.as_secs_f64();
        let distance = nearest.distance.as_secs_f64();
        let than = if self.findings.is_near(&self.settings) {
            "within"
        } else {
            "more than"
        };
        format!(
            "the nearest run of the model is {distance:.1} s away, {than} one sync period ({period:.0} s); it polls from {:.1} s \
             and syncs from {:.1} s on",
            nearest.phases.poll.as_secs_f64(),
            nearest.phases.sync.as_secs_f64(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_every_two_seconds_and_not_of_short_work() {
        let (mut out, begun) = (Vec::new(), Instant::now());
        let mut progress = Progress::new(&mut out, begun);
        for tenths in 0..50_u32 {
            let now = begun + Duration::from_millis(100) * tenths;
            progress.tell(f64::from(tenths) / 100.0, now);
        }
        let told = String::from_utf8(out).unwrap();
        let lines: Vec<_> = told.lines().collect();
        assert_eq!(
            lines,
            [
                "compared with 20 % of the model's runs",
                "compared with 40 % of the model's runs"
            ]
        );
    }
}
