//! Tests of the GitHub action's scripts, as a laptop and a job run them: their outputs, and their exit codes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("a workspace").to_owned()
}

/// A job: a directory with a project, and the files into which GitHub has outputs and the summary written.
struct Job {
    dir: TempDir,
}

impl Job {
    /// A job whose `edw` is this shell script, or the real program.
    fn new(edw: Option<&str>) -> Self {
        let dir = TempDir::with_prefix("edw job-").expect("a directory");
        let job = Self { dir };
        for directory in ["bin", "project dir"] {
            fs::create_dir(job.path(directory)).expect("a directory");
        }
        let program = job.path("bin/edw");
        match edw {
            None => std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_edw"), program).expect("a link"),
            Some(script) => script_at(&program, script),
        }
        job
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn judge(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let mut command = Command::new(repository().join("ci/action/judge"));
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", "/")
            .env("EDW_PROJECT", "project dir")
            .env("GITHUB_OUTPUT", self.path("output"))
            .env("GITHUB_STEP_SUMMARY", self.path("summary"))
            .envs(variables.iter().copied());
        command.output().expect("the script must start")
    }

    fn written(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

fn script_at(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[test]
fn each_outcome_ends_a_job_in_its_own_way_and_inconclusive_as_it_is_chosen() {
    for (code, inconclusive, expected, outcome) in [
        (0, "fail", 0, "pass"),
        (10, "pass", 10, "fail"),
        (11, "fail", 11, "inconclusive"),
        (11, "pass", 0, "inconclusive"),
        (12, "pass", 12, "incomplete"),
        (2, "pass", 2, "none"),
    ] {
        let job = Job::new(Some(&format!("exit {code}")));
        let output = job.judge(&["run"], &[("EDW_INCONCLUSIVE", inconclusive)]);
        let said = text(&output);
        assert_eq!(
            output.status.code(),
            Some(expected),
            "{code} {inconclusive}: {said}"
        );
        let line = format!("outcome={outcome}\n");
        assert!(
            job.written("output").contains(&line),
            "{code}: {}",
            job.written("output")
        );
        assert_eq!(
            said.contains("::warning"),
            code == 11 && inconclusive == "pass",
            "{said}"
        );
    }
}

#[test]
fn a_choice_that_there_is_not_is_refused_before_anything_runs() {
    let job = Job::new(Some("touch ../ran"));
    let output = job.judge(&["run"], &[("EDW_INCONCLUSIVE", "ignore")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("must be fail or pass"));
    assert!(!job.path("ran").exists());
}

#[test]
fn arguments_are_lines_and_empty_variables_are_not_given() {
    let job = Job::new(Some("for each; do echo \"[$each]\"; done; env; pwd"));
    let variables = [
        (
            "EDW_ARGUMENTS",
            "run\n\nOne message brings\n--storage\nengine\n",
        ),
        ("EDW_CONTEXT", ""),
        ("EDW_ENV", "cluster"),
    ];
    let output = job.judge(&[], &variables);
    let said = text(&output);
    assert!(
        said.starts_with("[run]\n[One message brings]\n[--storage]\n[engine]\n"),
        "{said}"
    );
    assert!(
        said.contains("EDW_ENV=cluster") && said.contains("/project dir\n"),
        "{said}"
    );
    for gone in [
        "EDW_CONTEXT",
        "EDW_ARGUMENTS",
        "EDW_PROJECT",
        "EDW_INCONCLUSIVE",
    ] {
        assert!(!said.contains(gone), "{gone}: {said}");
    }
}

#[test]
fn a_real_load_gives_its_outcome_its_report_and_a_summary() {
    let job = Job::new(None);
    let load = [
        "load",
        "--messages=100",
        "--shape=constant:200/s",
        "--consumers=1",
    ];
    let output = job.judge(&load, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let written = job.written("output");
    let value = |name: &str| {
        let line = written.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} in {written}"))
            .to_owned()
    };
    assert_eq!(value("outcome="), "pass");
    assert!(job.path(&value("report=")).ends_with("report.html"));
    assert!(job.path(&value("report=")).is_file(), "{written}");
    assert!(
        job.path(&value("evidence=")).join("events.jsonl").is_file(),
        "{written}"
    );
    assert!(
        job.written("summary").contains("PASS"),
        "{}",
        job.written("summary")
    );
}

/// Creates a release of a program that reports `version`, with a checksum that is right if `holds`.
fn release(directory: &Path, version: &str, holds: bool) {
    let name = format!("edw-{version}-test");
    let place = directory.join(format!("v{version}"));
    let inside = place.join(&name);
    fs::create_dir_all(&inside).expect("a directory");
    script_at(&inside.join("edw"), &format!("echo edw {version}"));
    let script =
        format!("tar -czf {name}.tar.gz {name} && sha256sum {name}.tar.gz >{name}.tar.gz.sha256");
    let made = Command::new("sh")
        .args(["-c", &script])
        .current_dir(&place)
        .status();
    assert!(made.expect("a shell").success());
    if !holds {
        fs::write(place.join(format!("{name}.tar.gz")), "other").expect("a file");
    }
}

#[test]
fn a_release_is_installed_once_and_never_with_a_wrong_checksum() {
    let dir = TempDir::with_prefix("edw release-").expect("a directory");
    let (releases, place) = (dir.path().join("releases"), dir.path().join("a b/bin"));
    release(&releases, "1.2.3", true);
    release(&releases, "1.2.4", false);
    let install = |version: &str| {
        let mut command = Command::new(repository().join("ci/action/install"));
        command
            .arg(version)
            .arg(&place)
            .env("EDW_TARGET", "test")
            .env(
                "EDW_RELEASES",
                format!("file://{}", releases.display()).replace(' ', "%20"),
            )
            .env("GITHUB_PATH", dir.path().join("path"));
        let output = command.output().expect("the script must start");
        (output.status.code(), text(&output))
    };
    let (code, said) = install("v1.2.3");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = install("1.2.3");
    assert!(code == Some(0) && said.contains("already"), "{said}");
    let (code, said) = install("1.2.4");
    assert!(
        code == Some(2) && said.contains("nothing was installed"),
        "{said}"
    );
    let (code, said) = install("1.2.5");
    assert!(
        code == Some(2) && said.contains("is 1.2.5 a release"),
        "{said}"
    );
    let there = Command::new(place.join("edw"))
        .output()
        .expect("it is installed");
    assert_eq!(text(&there), "edw 1.2.3\n");
    let paths = fs::read_to_string(dir.path().join("path")).expect("paths");
    assert_eq!(paths.lines().next(), place.to_str());
}

#[test]
fn the_action_uses_each_of_its_inputs_and_scripts_that_there_are() {
    let path = repository().join("action.yml");
    let source = fs::read_to_string(&path).expect("the action");
    let action: Value = serde_saphyr::from_str(&source).expect("YAML");
    let inputs = action["inputs"].as_object().expect("inputs");
    let runs = action["runs"].to_string();
    for name in inputs.keys() {
        assert!(
            runs.contains(&format!("inputs.{name}")),
            "the input {name} is not used"
        );
    }
    let steps = action["runs"]["steps"].as_array().expect("steps");
    let scripts = steps.iter().filter_map(|step| step["run"].as_str());
    let mut called = 0;
    for script in scripts {
        assert!(
            !script.contains("${{"),
            "an expression in a script can be more than a value: {script}"
        );
        for word in script
            .split(['"', ' '])
            .filter(|word| word.starts_with("$HERE/ci/"))
        {
            let file = repository().join(word.trim_start_matches("$HERE/"));
            assert!(file.is_file(), "{}", file.display());
            called += 1;
        }
    }
    assert_eq!(called, 2);
}
