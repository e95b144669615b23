//! Recordings of a real Kubernetes with a real KEDA, held against the model. `recordings/README.md` says how they were made.

use std::fs;
use std::path::{Path, PathBuf};

use autoscaler::{Recording, ScaledObject, Settings, Uncertainty};

/// As many as there are at least: fixtures that are not found must not pass for agreement.
const RECORDINGS: usize = 8;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")
}

/// Name, settings and recording of every fixture.
fn fixtures() -> Vec<(String, Settings, Recording)> {
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
        let name = name.expect("a fixture must have a name");
        let read = |path: &Path| fs::read_to_string(path).expect("a fixture must be text");
        let manifest: ScaledObject = serde_saphyr::from_str(&read(&table.with_extension("yaml")))
            .expect("a fixture's settings must be a ScaledObject");
        let recording: Recording = read(&table)
            .parse()
            .unwrap_or_else(|it| panic!("{name}: {it}"));
        let settings = manifest
            .settings_in(&recording.surroundings())
            .unwrap_or_else(|it| panic!("{name}: {it}"));
        (name, settings, recording)
    };
    tables.into_iter().map(fixture).collect()
}

#[test]
fn every_recording_is_inside_the_envelope_and_within_a_sync_period_of_the_nearest_run() {
    let fixtures = fixtures();
    let mut wrong = Vec::new();
    for (name, settings, recording) in &fixtures {
        let findings = recording.judge(settings, &Uncertainty::default()).unwrap();
        let distance = findings.nearest.as_ref().map(|it| it.distance);
        println!(
            "{name}: {:?}, nearest run {distance:?} away",
            recording.replicas().counts()
        );
        for excursion in &findings.excursions {
            wrong.push(format!("{name}: {excursion}"));
        }
        if !findings.is_near(settings) {
            wrong.push(format!("{name}: the nearest run is {distance:?} away"));
        }
    }
    assert!(
        fixtures.len() >= RECORDINGS,
        "only {} recordings",
        fixtures.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What would be true whatever the model says would prove nothing.
#[test]
fn a_recording_of_other_settings_leaves_the_envelope() {
    let mut scaled = 0;
    for (name, settings, recording) in fixtures() {
        if settings.annotations.paused.is_some() {
            continue;
        }
        scaled += 1;
        let queue_length = settings.queue_length * 4;
        let other = Settings {
            queue_length,
            ..settings
        };
        let findings = recording.judge(&other, &Uncertainty::default()).unwrap();
        assert!(
            !findings.is_inside(),
            "{name} with queueLength {queue_length}"
        );
    }
    assert!(scaled >= RECORDINGS, "only {scaled} recordings that scale");
}
