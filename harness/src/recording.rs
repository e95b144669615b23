//! `harness recording`: holds what a real cluster did against the model of KEDA and the HPA.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use autoscaler::{Findings, Recording, ScaledObject, Settings, Uncertainty};
use serde::Deserialize as _;
use workflow::duration;

use crate::exit::WrongInput;
use crate::outcome::Outcome;

const WRONG: WrongInput = WrongInput("hold a recording against the model");

/// What is held against what.
#[derive(Debug, Clone, clap::Args)]
pub struct RecordingArgs {
    /// Comma-separated values: `t_s,visible,leased,replicas` or `t_s,total,replicas`; crates/autoscaler/tests/recordings has some
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

/// Reads both files and compares them.
///
/// # Errors
///
/// Either cannot be read or says what it must not, with [`WrongInput`] as the context.
pub fn judge(args: &RecordingArgs) -> anyhow::Result<Answer> {
    let settings = settings(&args.scaled_object).context(WRONG)?;
    let recording = recording(&args.recording).context(WRONG)?;
    let uncertainty = Uncertainty {
        slack: args.slack,
        ..Uncertainty::default()
    };
    let findings = recording.judge(&settings, &uncertainty).context(WRONG)?;
    Ok(Answer {
        settings,
        recording,
        findings,
    })
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

fn recording(path: &Path) -> anyhow::Result<Recording> {
    let recording = read(path)?.parse::<Recording>();
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
