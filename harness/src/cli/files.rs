//! Commands that write files of the program itself: its embedded files, completions, manual pages.

use std::io::{ErrorKind, Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use builtin::ExportError;
use clap_complete::Shell;
use workflow::exit::WrongInput;

use crate::say::say;

/// What to write out, and where.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// Directory to write to
    dir: PathBuf,
    /// What to write: docs (the guides), features, k8s, prices.yaml
    #[arg(default_values = ["features", "k8s", "prices.yaml"])]
    parts: Vec<String>,
    /// Overwrite existing files whose content differs
    #[arg(long)]
    overwrite: bool,
}

const EXPORT: WrongInput = WrongInput("write out the files of this program");

pub(super) fn export(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let done =
        builtin::export(&args.dir, &args.parts, args.overwrite).map_err(|error| match error {
            error @ ExportError::Write { .. } => error.into(),
            wrong => anyhow::Error::new(wrong).context(EXPORT),
        })?;
    for path in &done.written {
        say(&path.display().to_string());
    }
    say(&format!(
        "{} files written, {} were there already",
        done.written.len(),
        done.same
    ));
    Ok(ExitCode::SUCCESS)
}

/// It is an error if the script cannot be written: a shell would read half of it, or none, at each start.
pub(super) fn completions(mut command: clap::Command, shell: Shell) -> anyhow::Result<ExitCode> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    let mut out = stdout().lock();
    match out.write_all(&script).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("write the completions to standard output")
        }
        // A reader such as `head` has had enough.
        _ => Ok(ExitCode::SUCCESS),
    }
}

pub(super) fn man(command: clap::Command, dir: &Path) -> anyhow::Result<ExitCode> {
    let written = || {
        format!(
            "write manual pages to {}; give a directory in which you may write",
            dir.display()
        )
    };
    std::fs::create_dir_all(dir).with_context(written)?;
    clap_mangen::generate_to(command, dir).with_context(written)?;
    say(&format!("manual pages are in {}", dir.display()));
    Ok(ExitCode::SUCCESS)
}
