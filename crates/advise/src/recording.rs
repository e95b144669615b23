//! `harness recording`: compares a recording of a real cluster with the model of KEDA and the HPA.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use autoscaler::{
    Findings, JobFindings, JobRecording, Recording, RecordingError, Settings, Surroundings,
    Uncertainty,
};
use manifest::{Asked, Manifests};
use workflow::duration;
use workflow::exit::WrongInput;

use evidence::outcome::Outcome;

/// Interval of progress lines.
const EVERY: Duration = Duration::from_secs(2);

const WRONG: WrongInput = WrongInput("hold a recording against the model");

/// A recording, and the settings with which it is compared.
#[derive(Debug, Clone, clap::Args)]
pub struct RecordingArgs {
    /// File of comma-separated values with the header `t_s,visible,leased,replicas`, `t_s,total,replicas`, or for a ScaledJob
    /// `t_s,total,jobs,pending,made`; `t_s` is seconds from the first row. Examples are in crates/autoscaler/tests/recordings
    recording: PathBuf,
    /// File with the ScaledObject or ScaledJob that the cluster had
    #[arg(long, value_name = "FILE")]
    scaled_object: PathBuf,
    /// How late the polls, syncs and writes of the recorded cluster may have been
    #[arg(long, default_value = "2s", value_parser = duration::parse_positive)]
    slack: Duration,
}

/// The result of the comparison.
#[derive(Debug)]
pub struct ModelCheck(Told);

#[derive(Debug)]
enum Told {
    Object(Box<OfObject>),
    Job(JobFindings, Duration),
}

#[derive(Debug)]
struct OfObject {
    settings: Settings,
    recording: Recording,
    findings: Findings,
}

/// Reason why there is nothing to compare.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("find one ScaledObject or ScaledJob in {}: there are {found}; give the file of the one that was in force", path.display())]
    Count { path: PathBuf, found: usize },
    #[error("use the {kind} of {}: {refusals}", path.display())]
    Refused {
        kind: &'static str,
        path: PathBuf,
        refusals: autoscaler::Refusals,
    },
}

/// Reads both files and compares them; `progress` gets the finished part of the work from time to time, from 0 to 1.
///
/// # Errors
///
/// If a file is unreadable or invalid, with [`WrongInput`] as the context.
pub fn judge(args: &RecordingArgs, progress: &mut dyn FnMut(f64)) -> anyhow::Result<ModelCheck> {
    judged(args, progress).map(ModelCheck).context(WRONG)
}

fn judged(args: &RecordingArgs, progress: &mut dyn FnMut(f64)) -> anyhow::Result<Told> {
    let manifests = in_force(&args.scaled_object)?;
    let refused = |kind: &'static str| {
        let path = args.scaled_object.clone();
        move |refusals| Unfit::Refused {
            kind,
            path,
            refusals,
        }
    };
    if let [job] = manifests.scaled_jobs.as_slice() {
        let recording: JobRecording = read(&args.recording)?;
        let settings = manifests.job_settings(job, &asked(recording.surroundings()));
        let settings = settings.map_err(refused("ScaledJob"))?;
        let findings = recording.judge(&settings, args.slack)?;
        return Ok(Told::Job(findings, recording.end()));
    }
    let [object] = manifests.scaled_objects.as_slice() else {
        let (path, found) = (args.scaled_object.clone(), 0);
        return Err(Unfit::Count { path, found }.into());
    };
    let recording: Recording = read(&args.recording)?;
    let settings = manifests.settings_asked(object, &asked(recording.surroundings()));
    let settings = settings.map_err(refused("ScaledObject"))?;
    let uncertainty = Uncertainty {
        slack: args.slack,
        ..Uncertainty::default()
    };
    let findings = recording.judge_with_progress(&settings, &uncertainty, progress)?;
    Ok(Told::Object(Box::new(OfObject {
        settings,
        recording,
        findings,
    })))
}

fn read<T: FromStr<Err = RecordingError>>(path: &Path) -> anyhow::Result<T> {
    let recording = manifest::text_of(path)?.parse::<T>();
    recording.with_context(|| format!("read {}", path.display()))
}

/// The only ScaledObject or ScaledJob in a file.
fn in_force(path: &Path) -> anyhow::Result<Manifests> {
    let mut documents = manifest::read(path)?;
    let kinds = ["ScaledObject", "ScaledJob"];
    documents.retain(|it| {
        it.value["kind"]
            .as_str()
            .is_some_and(|kind| kinds.contains(&kind))
    });
    if documents.len() != 1 {
        let (path, found) = (path.to_owned(), documents.len());
        return Err(Unfit::Count { path, found }.into());
    }
    Ok(Manifests::from_documents(&documents)?)
}

fn asked(around: Surroundings) -> Asked {
    Asked {
        queue: around.load_queue,
        waiting: around.waiting,
    }
}

/// Prints the progress of long work: after two seconds, and then every two seconds.
#[derive(Debug)]
pub struct Progress<W> {
    out: W,
    told: Instant,
}

impl<W: Write> Progress<W> {
    /// Starts at `begun`, with no work done.
    pub fn new(out: W, begun: Instant) -> Self {
        Self { out, told: begun }
    }

    /// Prints that the share `part` of the work, from 0 to 1, is done at `now`, if the last line is old enough.
    pub fn tell(&mut self, part: f64, now: Instant) {
        if now.saturating_duration_since(self.told) >= EVERY {
            self.told = now;
            // A closed output is no reason to stop.
            let percent = part * 100.0;
            let _ = writeln!(self.out, "compared with {percent:.0} % of the model's runs");
        }
    }
}

impl ModelCheck {
    /// Pass if the model can explain the recording, fail if it leaves the envelope.
    pub fn outcome(&self) -> Outcome {
        let is_inside = match &self.0 {
            Told::Object(it) => it.findings.is_inside(),
            Told::Job(findings, _) => findings.excursions.is_empty(),
        };
        if is_inside {
            Outcome::Pass
        } else {
            Outcome::Fail
        }
    }

    /// The result as text, a line for each fact.
    pub fn text(&self) -> String {
        match &self.0 {
            Told::Object(it) => it.text(),
            Told::Job(findings, end) => of_jobs(findings, *end),
        }
    }
}

fn of_jobs(findings: &JobFindings, end: Duration) -> String {
    let (made, polls, idle) = (findings.made, findings.bursts, findings.idle);
    let end = end.as_secs_f64();
    let recorded = format!(
        "recorded  {made} jobs, made by {polls} polls beside {idle} that made none, in {end:.0} s"
    );
    let judged = match findings.excursions.as_slice() {
        [] => "as the model makes them, at every poll".to_owned(),
        [first, more @ ..] => {
            let more = if more.is_empty() {
                String::new()
            } else {
                format!("\nand {} times more", more.len())
            };
            format!("OTHERWISE than the model: {first}{more}")
        }
    };
    format!("{recorded}\n{judged}")
}

impl OfObject {
    fn text(&self) -> String {
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
