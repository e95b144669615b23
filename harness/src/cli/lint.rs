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
    /// program [default: the directory `features` if it exists, else builtin:features]
    #[arg(default_values_os_t = [project::features()], hide_default_value = true, env = "EDW_FEATURES")]
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

fn lint_description(path: &Path) -> anyhow::Result<ExitCode> {
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
        "1 description checked, {} problems",
        problems.len()
    ));
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        exit(Exit::Usage)
    })
}

/// Checks the files that `command` names, and prints their problems.
pub(super) fn lint(command: &LintCommand) -> anyhow::Result<ExitCode> {
    if let [path] = &command.features[..]
        && is_description(path)
    {
        return lint_description(path);
    }
    let lint = crate::scenario::check_features(&command.features)?;
    for problem in &lint.problems {
        say(&problem.to_string());
    }
    // Features of one's own are not expected to use every step.
    let unused = lint.unused.iter().filter(|_| command.deny_unused);
    let problems = lint.problems.len() + unused.clone().count();
    for unused in unused {
        say(&unused.to_string());
    }
    say(&format!(
        "{} scenarios checked, {problems} problems",
        lint.scenarios
    ));
    Ok(if problems > 0 {
        exit(Exit::Usage)
    } else {
        ExitCode::SUCCESS
    })
}
