//! Compares recordings of a real Kubernetes with a real KEDA with the model. `recordings/README.md` says how they were made.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use autoscaler::{
    JobRecording, JobSettings, JobStrategy, Modifiers, Recording, RecordingError, Refusals,
    ScaledJob, ScaledObject, Settings, Uncertainty,
};

/// Minimum number of recordings: missing fixtures must not pass as agreement.
const RECORDINGS: usize = 8;
/// Minimum number of recordings of `ScaledJob`s.
const JOBS: usize = 4;
/// How late polls of a cluster may be.
const SLACK: Duration = Duration::from_secs(2);

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")
}

/// A fixture and its text.
struct Fixture {
    name: String,
    manifest: String,
    table: String,
}

impl Fixture {
    fn is_job(&self) -> bool {
        self.manifest.lines().any(|line| line == "kind: ScaledJob")
    }
}

/// All fixtures, in the order of their names.
fn fixtures() -> Vec<Fixture> {
    let mut tables: Vec<PathBuf> = fs::read_dir(directory())
        .expect("the fixtures must be there")
        .map(|entry| entry.expect("a fixture must be readable").path())
        .filter(|path| path.extension().is_some_and(|it| it == "csv"))
        .collect();
    tables.sort();
    let fixture = |table: PathBuf| {
        let name = table
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        let read = |path: &Path| fs::read_to_string(path).expect("a fixture must be text");
        Fixture {
            name: name.expect("a fixture must have a name"),
            manifest: read(&table.with_extension("yaml")),
            table: read(&table),
        }
    };
    tables.into_iter().map(fixture).collect()
}

/// Name, settings and recording of each of `fixtures`; `settings` parses a manifest, with the recording's facts about its
/// surroundings.
fn read<S, R>(
    fixtures: impl Iterator<Item = Fixture>,
    settings: fn(&str, &R) -> Result<S, Refusals>,
) -> Vec<(String, S, R)>
where
    R: FromStr<Err = RecordingError>,
{
    let read = |fixture: Fixture| {
        let name = fixture.name;
        let recording: R = fixture
            .table
            .parse()
            .unwrap_or_else(|it| panic!("{name}: {it}"));
        let settings =
            settings(&fixture.manifest, &recording).unwrap_or_else(|it| panic!("{name}: {it}"));
        (name, settings, recording)
    };
    fixtures.map(read).collect()
}

/// The recordings of a `ScaledObject`.
fn objects() -> Vec<(String, Settings, Recording)> {
    let all = fixtures().into_iter().filter(|it| !it.is_job());
    read(all, |manifest, recording: &Recording| {
        let object: ScaledObject =
            serde_saphyr::from_str(manifest).expect("a fixture's settings must be a ScaledObject");
        object.settings_in(&recording.surroundings())
    })
}

/// The recordings of a `ScaledJob`.
fn jobs() -> Vec<(String, JobSettings, JobRecording)> {
    let all = fixtures().into_iter().filter(Fixture::is_job);
    read(all, |manifest, recording: &JobRecording| {
        let job: ScaledJob =
            serde_saphyr::from_str(manifest).expect("a fixture's settings must be a ScaledJob");
        job.settings_in(&recording.surroundings())
    })
}

#[test]
fn every_recording_is_inside_the_envelope_and_within_a_sync_period_of_the_nearest_run() {
    let fixtures = objects();
    let judged = |(name, settings, recording): &(String, Settings, Recording)| {
        let findings = recording.judge(settings, &Uncertainty::default()).unwrap();
        let distance = findings.nearest.as_ref().map(|it| it.distance);
        println!(
            "{name}: {:?}, nearest run {distance:?} away",
            recording.replicas().counts()
        );
        let outside = findings.excursions.iter();
        let mut wrong: Vec<_> = outside.map(|it| format!("{name}: {it}")).collect();
        if !findings.is_near(settings) {
            wrong.push(format!("{name}: the nearest run is {distance:?} away"));
        }
        wrong
    };
    // Each takes a second or more.
    let wrong: Vec<String> = thread::scope(|scope| {
        let judging = fixtures.iter().map(|it| scope.spawn(|| judged(it)));
        let judging: Vec<_> = judging.collect();
        let ended = judging.into_iter();
        ended.flat_map(|it| it.join().unwrap()).collect()
    });
    assert!(
        fixtures.len() >= RECORDINGS,
        "only {} recordings",
        fixtures.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A check that any recording passes would prove nothing.
#[test]
fn a_recording_of_other_settings_leaves_the_envelope() {
    // A coarse grid makes a wider envelope of fewer runs: these recordings leave even that.
    let coarse = Uncertainty {
        step: Duration::from_secs(2),
        ..Uncertainty::default()
    };
    let mut scaled = 0;
    for (name, settings, recording) in objects() {
        if settings.annotations.paused.is_some() {
            continue;
        }
        scaled += 1;
        let queue_length = settings.queue_length * 4;
        // With a formula, the formula's target counts.
        let modifiers = settings.modifiers.clone().map(|modifiers| Modifiers {
            target: modifiers.target * 4.0,
            ..modifiers
        });
        let other = Settings {
            queue_length,
            modifiers,
            ..settings
        };
        let findings = recording.judge(&other, &coarse).unwrap();
        assert!(
            !findings.is_inside(),
            "{name} with queueLength {queue_length}"
        );
    }
    assert!(scaled >= RECORDINGS, "only {scaled} recordings that scale");
}

#[test]
fn each_poll_of_a_scaled_job_made_what_the_model_makes() {
    let fixtures = jobs();
    let mut wrong = Vec::new();
    for (name, settings, recording) in &fixtures {
        let findings = recording.judge(settings, SLACK).unwrap();
        println!("{name}: {} polls made jobs", findings.bursts);
        assert!(findings.bursts >= 2, "{name}");
        let excursions = findings.excursions.iter();
        wrong.extend(excursions.map(|it| format!("{name}: {it}")));
    }
    assert!(fixtures.len() >= JOBS, "only {} recordings", fixtures.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A check that any strategy passes would prove nothing.
#[test]
fn a_scaled_job_of_another_strategy_makes_other_jobs() {
    for (name, settings, recording) in jobs() {
        let strategy = match settings.strategy {
            JobStrategy::Default => JobStrategy::Accurate,
            _ => JobStrategy::Default,
        };
        let other = JobSettings {
            strategy,
            ..settings
        };
        let findings = recording.judge(&other, SLACK).unwrap();
        assert!(!findings.excursions.is_empty(), "{name}");
    }
}
