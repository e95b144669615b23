//! A suite that is asked to stop, and one that is killed: both have a true report.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use harness::events::{Event, Log};
use harness::outcome::Outcome;
use nix::sys::signal::{Signal, kill};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{interval, timeout};

use super::{DEADLINE, LOOK, pid};

/// A suite of one scenario that takes half a minute.
struct Running {
    child: Child,
    dir: PathBuf,
    _out: TempDir,
}

impl Running {
    /// Starts the suite, and returns when its scenario has begun to send.
    async fn start() -> Self {
        let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let mut child = Command::new(env!("CARGO_BIN_EXE_harness"))
            .args([
                "run",
                "--storage=engine",
                "Work that takes longer than a lease",
            ])
            .arg("--features")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../features"))
            .env("EDW_OUT", out.path())
            .process_group(0)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the harness must start");
        let mut said = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let dir = loop {
            let line = said.next_line().await.expect("text");
            let line = line.expect("it must say where its evidence goes");
            if let Some(dir) = line.strip_prefix("evidence ") {
                break PathBuf::from(dir);
            }
        };
        // Reads the further output, so that the suite never waits for a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
        let suite = Self {
            child,
            dir,
            _out: out,
        };
        let mut look = interval(LOOK);
        while !suite.sends() {
            look.tick().await;
        }
        suite
    }

    fn sends(&self) -> bool {
        let sends = |event: &Event| matches!(event, Event::ProcessStarted { role, .. } if role == "producer");
        self.run().is_some_and(|run| events(&run).iter().any(sends))
    }

    /// The directory of its scenario's run.
    fn run(&self) -> Option<PathBuf> {
        let run = events(&self.dir)
            .into_iter()
            .find_map(|event| match event {
                Event::ScenarioStarted(scenario) => Some(self.dir.join(scenario.run_dir)),
                _ => None,
            })?;
        run.join("events.jsonl").is_file().then_some(run)
    }

    async fn end_by(&mut self, signal: Signal) -> ExitStatus {
        let id = pid(self.child.id().expect("it was not waited for"));
        kill(id, signal).expect("it must still run");
        self.child.wait().await.expect("it must end")
    }
}

fn events(dir: &Path) -> Vec<Event> {
    let log = Log::read(dir).expect("the log must be readable");
    log.entries.into_iter().map(|entry| entry.event).collect()
}

fn finished(dir: &Path) -> Option<(Outcome, Vec<String>)> {
    events(dir).into_iter().find_map(|event| match event {
        Event::Finished {
            outcome, reasons, ..
        } => Some((outcome, reasons)),
        _ => None,
    })
}

async fn a_stopped_suite_cleans_up_and_says_that_it_was_cut_off() {
    let mut suite = Running::start().await;
    let run = suite.run().expect("a run");
    // SIGTERM, because a suite in the background of a shell ignores SIGINT.
    let status = suite.end_by(Signal::SIGTERM).await;
    assert_eq!(status.code(), Some(12));
    let (outcome, reasons) = finished(&suite.dir).expect("an end");
    assert_eq!(outcome, Outcome::Incomplete);
    assert_eq!(reasons, ["stopped by a signal: 0 of 1 scenarios had ended"]);
    let of_run = finished(&run).expect("an end of the scenario's run");
    assert_eq!(of_run.0, Outcome::Incomplete);
    for dir in [&suite.dir, &run] {
        let page = std::fs::read_to_string(dir.join("report.html")).expect("a report");
        assert!(page.contains("INCOMPLETE"), "{}", dir.display());
    }
}

async fn a_killed_suite_is_reported_as_cut_off() {
    let mut suite = Running::start().await;
    let run = suite.run().expect("a run");
    suite.end_by(Signal::SIGKILL).await;
    assert!(!suite.dir.join("report.html").exists());
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .arg("report")
        .arg(&suite.dir)
        .output()
        .await
        .expect("the harness must start");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(12), "{said}");
    assert!(
        said.contains("it had begun when the suite was cut off"),
        "{said}"
    );
    for dir in [&suite.dir, &run] {
        let page = std::fs::read_to_string(dir.join("report.html")).expect("a report");
        assert!(page.contains("INCOMPLETE"), "{}", dir.display());
    }
}

#[tokio::test]
async fn a_suite_that_is_stopped_or_killed_has_a_true_report() {
    let both = async {
        tokio::join!(
            a_stopped_suite_cleans_up_and_says_that_it_was_cut_off(),
            a_killed_suite_is_reported_as_cut_off()
        )
    };
    timeout(DEADLINE, both).await.expect("both must end");
}
