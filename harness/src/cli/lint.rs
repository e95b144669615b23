//! `harness lint`: reports problems of feature files, or of the description of a workload.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use manifest::text_of;
use workflow::contract::workload::Description;
use workflow::exit::Exit;
use workflow::exit::WrongInput;

use super::exit;
use crate::say::say;

#[derive(Debug, clap::Args)]
pub(super) struct LintCommand {
    /// Feature files, directories of feature files, or a workload description (.yaml). `builtin:features` are those inside this
    /// program [default: the directory `features` if it exists, else builtin:features; and edw.yaml here or in a directory above,
    /// if there is one]
    #[arg(env = "EDW_FEATURES")]
    pub(super) features: Vec<PathBuf>,
    /// Report steps that no scenario uses as problems, too
    #[arg(long)]
    pub(super) deny_unused: bool,
}

/// Whether `path` is the description of a workload.
fn is_description(path: &Path) -> bool {
    let extension = path.extension().and_then(std::ffi::OsStr::to_str);
    matches!(extension, Some("yaml" | "yml"))
}

/// Checks a description, prints its problems, and returns their number.
fn lint_description(path: &Path) -> anyhow::Result<usize> {
    let text = text_of(path).context(WrongInput("check the description of a workload"))?;
    let problems = Description::read(&text).err().unwrap_or_default();
    for problem in &problems {
        let file = path.display();
        match problem.line {
            0 => say(&format!("{file}: {}", problem.text)),
            line => say(&format!("{file}:{line}: {}", problem.text)),
        }
    }
    say(&format!(
        "1 description checked, {}",
        counted(problems.len(), "problem")
    ));
    Ok(problems.len())
}

/// Checks features, prints their problems, and returns their number.
fn lint_features(features: &[PathBuf], deny_unused: bool) -> anyhow::Result<usize> {
    let lint = crate::scenario::check_features(features)?;
    for problem in &lint.problems {
        say(&problem.to_string());
    }
    // Features of one's own are not expected to use every step.
    let unused = lint.unused.iter().filter(|_| deny_unused);
    let problems = lint.problems.len() + unused.clone().count();
    for unused in unused {
        say(&unused.to_string());
    }
    say(&format!(
        "{} checked, {}",
        counted(lint.scenarios, "scenario"),
        counted(problems, "problem")
    ));
    Ok(problems)
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// Checks the files that `command` names, or those of the project, and prints their problems.
pub(super) fn lint(command: &LintCommand) -> anyhow::Result<ExitCode> {
    let problems = match &command.features[..] {
        [] => {
            let described = project::description().as_deref().map(lint_description);
            described.unwrap_or(Ok(0))?
                + lint_features(&[project::features()], command.deny_unused)?
        }
        [path] if is_description(path) => lint_description(path)?,
        features => lint_features(features, command.deny_unused)?,
    };
    Ok(if problems > 0 {
        exit(Exit::Usage)
    } else {
        ExitCode::SUCCESS
    })
}
