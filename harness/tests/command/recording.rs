//! `harness recording`: the recording of a real cluster is within the model; the same recording under other settings is not; other
//! files are wrong input.

use std::path::{Path, PathBuf};
use std::process::Command;

fn fixture(name: &str) -> PathBuf {
    let fixtures = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/autoscaler/tests/recordings"
    );
    Path::new(fixtures).join(name)
}

/// The exit code and the whole output.
fn judge(scaled_object: &Path, recording: &Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .arg("recording")
        .arg("--scaled-object")
        .args([scaled_object, recording])
        .output()
        .expect("the harness must start");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn a_recording_is_inside_with_its_own_settings_and_outside_with_others() {
    let recording = fixture("sample-burst.csv");
    let (code, said) = judge(&fixture("sample-burst.yaml"), &recording);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("0, 1, 4, 8, 15, 0"), "{said}");
    assert!(said.contains("inside the envelope"), "{said}");
    assert!(said.contains("within one sync period"), "{said}");

    let (code, said) = judge(&fixture("policies-steps.yaml"), &recording);
    assert_eq!(code, Some(10), "{said}");
    assert!(said.contains("OUTSIDE"), "{said}");
}

#[test]
fn files_that_say_nothing_of_a_cluster_are_wrong_input() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let (object, recording) = (fixture("sample-burst.yaml"), fixture("sample-burst.csv"));
    let manifest = std::fs::read_to_string(&object).expect("a fixture");
    let negative = manifest.replace("pollingInterval: 30", "pollingInterval: 0");
    for (object, recording, expected) in [
        (object.clone(), fixture("none.csv"), "none.csv"),
        (object.clone(), file("text.csv", "hello\n"), "line 1"),
        (object, file("empty.csv", ""), "two rows or more"),
        (
            file("two.yaml", &format!("{manifest}---\n{manifest}")),
            recording.clone(),
            "there are 2",
        ),
        (
            file("other.yaml", "kind: Deployment\n"),
            recording.clone(),
            "there are 0",
        ),
        (
            file("refused.yaml", &negative),
            recording,
            "spec.pollingInterval",
        ),
    ] {
        let (code, said) = judge(&object, &recording);
        assert_eq!(code, Some(2), "{expected}: {said}");
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

/// 12 messages: one poll creates 12 jobs, and later polls none as long as these work (KEDA `scale_jobs.go`, `defaultScalingStrategy`).
const JOBS: &str = "t_s,total,jobs,pending,made\n0,0,0,0,0\n4,12,0,0,0\n9,12,12,12,12\n15,12,12,0,12\n50,12,12,0,12\n";

#[test]
fn jobs_are_held_against_the_scaled_job_that_makes_them() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let job = |strategy: &str| {
        format!(
            "apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\nmetadata: {{name: a}}\nspec:\n  pollingInterval: 10\n  \
             jobTargetRef: {{template: {{spec: {{containers: [{{name: w, image: w, env: [{{name: C, value: AccountName=a;AccountKey=b}}]}}]}}}}}}\n  scalingStrategy: {{strategy: {strategy}}}\n  \
             triggers:\n  - type: azure-queue\n    metadata: {{queueName: orders, queueLength: \"1\", connectionFromEnv: C}}\n"
        )
    };
    let recording = file("a.csv", JOBS);
    let (code, said) = judge(&file("default.yaml", &job("default")), &recording);
    assert_eq!(code, Some(0), "{said}");
    let expected = "recorded  12 jobs, made by 1 polls beside 3 that made none, in 50 s";
    assert!(said.contains(expected), "{said}");
    assert!(
        said.contains("as the model makes them, at every poll"),
        "{said}"
    );
    let (code, said) = judge(&file("accurate.yaml", &job("accurate")), &recording);
    assert_eq!(code, Some(10), "{said}");
    assert!(
        said.contains("OTHERWISE than the model: 0 jobs made at 19.0 s, where the model makes 12"),
        "{said}"
    );
    let replicas = file("replicas.csv", "t_s,total,replicas\n0,0,0\n9,0,0\n");
    let (code, said) = judge(&file("default.yaml", &job("default")), &replicas);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("t_s,total,jobs,pending,made"), "{said}");
}
