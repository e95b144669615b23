//! Runs one scenario with something broken, and finds which of its sentences failed.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use azurite::Azurite;
use libtest_mimic::Failed;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::sentences::fits;
use crate::table::{Broken, Mutant};

const MUTANT: &str = env!("CARGO_BIN_EXE_mutant");

/// Mutations that connect to storage around the wire.
const AROUND_THE_WIRE: [&str; 2] = ["deletes-around-the-wire", "stores-around-the-wire"];

pub(crate) const FEATURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../features");

/// The storage of the runs: an engine for each run, and one emulator for mutants that go around the wire. The harness has the
/// emulator's address in its environment, where these mutants find it.
pub(crate) struct Suite {
    runtime: Runtime,
    azurite: OnceLock<Azurite>,
}

/// The result of a command of the harness.
struct Ended {
    code: Option<i32>,
    said: String,
}

impl Ended {
    /// The sentence of the scenario that failed.
    fn failed(&self) -> Option<&str> {
        self.said.lines().find_map(|line| {
            let step = line.trim_start().strip_prefix("✗ ")?;
            let (keyword, sentence) = step.split_once(' ')?;
            ["Given", "When", "Then", "And", "But"]
                .contains(&keyword)
                .then_some(sentence)
        })
    }

    fn names(&self, reason: &str) -> bool {
        reason.split('|').any(|reason| self.said.contains(reason))
    }

    fn error(&self, what: &str) -> Failed {
        format!("{what}, exit code {:?}: {}", self.code, self.said).into()
    }
}

impl Suite {
    pub(crate) fn new() -> Self {
        Self {
            runtime: Runtime::new().expect("a runtime"),
            azurite: OnceLock::new(),
        }
    }

    fn azurite(&self) -> &Azurite {
        self.azurite.get_or_init(|| {
            let started = self.runtime.block_on(Azurite::start());
            started.expect("Azurite must start")
        })
    }

    /// Checks that `mutant` fails its scenario in the sentence `says`, for its reason.
    pub(crate) fn caught(&self, says: &str, mutant: Mutant) -> Result<(), Failed> {
        let ended = self.play(mutant.broken, mutant.scenario);
        if ended.code != Some(10) || !ended.said.contains("[1/1] ✗") {
            return Err(ended.error("the scenario did not catch it"));
        }
        match ended.failed() {
            Some(sentence) if fits(says, sentence) => {}
            other => return Err(ended.error(&format!("{other:?} failed, and not {says:?}"))),
        }
        if !ended.names(mutant.reason) {
            return Err(ended.error(&format!("it failed, and not for {:?}", mutant.reason)));
        }
        Ok(())
    }

    /// Checks that `scenario` passes when nothing is broken, so that a failure is due to the mutant.
    pub(crate) fn passes(&self, broken: Broken, scenario: &str) -> Result<(), Failed> {
        let ended = self.play(broken, scenario);
        if ended.code != Some(0) || !ended.said.contains("[1/1] ✓") {
            return Err(ended.error("it must pass"));
        }
        Ok(())
    }

    /// Checks that a load with the consumer `mutation` and this limit ends with `code`, for `reason`.
    pub(crate) fn limited(
        mutation: &str,
        limit: &str,
        code: i32,
        reason: &str,
    ) -> Result<(), Failed> {
        let mut command = on_engine("load");
        command
            .args(["--messages", "60", "--consumers", "2"])
            .args(["--shape", "constant:30/s", "--limit", limit])
            .args(with_consumer(mutation));
        let ended = end(command);
        if ended.code != Some(code) || !ended.names(reason) {
            return Err(ended.error(&format!("it did not end with {code} for {reason:?}")));
        }
        Ok(())
    }

    fn play(&self, broken: Broken, scenario: &str) -> Ended {
        let copy;
        let (mut command, features) = match broken {
            Broken::Consumer(mutation) => {
                let mut command = if AROUND_THE_WIRE.contains(&mutation) {
                    self.on_azurite("run")
                } else {
                    on_engine("run")
                };
                command.args(with_consumer(mutation));
                (command, Path::new(FEATURES))
            }
            Broken::Scaled(fault) => {
                let mut command = Command::new(MUTANT);
                command.args(["scaled", fault]);
                (command, Path::new(FEATURES))
            }
            Broken::Harness(changes) => {
                copy = rewritten(changes);
                (on_engine("run"), copy.path())
            }
        };
        command.arg("--features").arg(features).arg(scenario);
        end(command)
    }

    fn on_azurite(&self, subcommand: &str) -> Command {
        let azurite = self.azurite();
        let mut command = Command::new(MUTANT);
        command
            .arg(subcommand)
            .env("EDW_AZURITE_QUEUE_URL", azurite.queue_url())
            .env("EDW_AZURITE_TABLE_URL", azurite.table_url())
            .env("EDW_AZURITE_BLOB_URL", azurite.blob_url())
            .env_remove("EDW_AZURITE_SOURCE");
        command
    }
}

fn on_engine(subcommand: &str) -> Command {
    let mut command = Command::new(MUTANT);
    command.args([subcommand, "--storage", "engine"]);
    command
}

fn with_consumer(mutation: &str) -> [String; 2] {
    let command = format!("'{MUTANT}' broken {mutation}");
    ["--consumer-command".to_owned(), command]
}

/// Runs `command` to its end, with a temporary directory for its evidence.
fn end(mut command: Command) -> Ended {
    let out = directory();
    // A debug build takes seconds to print the backtrace of a panic. Until it has ended, a consumer that died early may still
    // be there when the scenario ends, and the failure is then told in other words.
    command.env("RUST_BACKTRACE", "0");
    let output = command.arg("--out").arg(out.path()).output();
    let output = output.expect("the mutant must start");
    let said = [output.stdout, output.stderr].concat();
    Ended {
        code: output.status.code(),
        said: String::from_utf8_lossy(&said).into_owned(),
    }
}

/// A copy of the features, in which each of `changes` replaces one text by another.
fn rewritten(changes: &[(&str, &str)]) -> TempDir {
    let directory = directory();
    let mut found = vec![false; changes.len()];
    for entry in std::fs::read_dir(FEATURES).expect("the features must be there") {
        let path = entry.expect("an entry").path();
        let mut text = std::fs::read_to_string(&path).expect("a feature must be readable");
        for ((from, to), found) in changes.iter().zip(&mut found) {
            *found |= text.contains(from);
            text = text.replace(from, to);
        }
        let name = path.file_name().expect("a file has a name");
        std::fs::write(directory.path().join(name), text).expect("a feature must be writable");
    }
    assert!(
        !found.contains(&false),
        "nowhere in the features: {changes:?}"
    );
    directory
}

fn directory() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory")
}

/// The values that `mutant WORD` accepts, from its own help.
pub(crate) fn known(word: &str) -> Result<Vec<String>, Failed> {
    let output = Command::new(MUTANT).args([word, "nonsense"]).output()?;
    let help = String::from_utf8_lossy(&output.stderr);
    let (_, values) = help.split_once("possible values: ").ok_or("no mutations")?;
    let (values, _) = values.split_once(']').ok_or("no end of the mutations")?;
    let names = values.split(',').map(|name| name.trim().to_owned());
    Ok(names.filter(|name| name != "none").collect())
}
