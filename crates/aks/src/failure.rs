//! Failures of commands, and their exit codes.

use std::fmt;

/// Exit codes of commands: those of `harness` and of the workload, if they have the same meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Success = 0,
    /// A bug of this program: a part of it panicked.
    Bug = 1,
    /// A flag, a file or the plan is wrong; nothing was done.
    Usage = 2,
    /// Azure or Kubernetes refused, or what was created is not ready.
    NotReady = 3,
    /// Not signed in, or access is denied.
    Denied = 5,
    /// A program or file is missing on this machine.
    Missing = 6,
    /// Something is left that should be gone.
    Partial = 8,
    /// Azure could not give what was asked for: quota or capacity. Neither the workload nor the harness is wrong.
    Inconclusive = 11,
}

impl Exit {
    /// This exit code, or [`Exit::Bug`] if a part of the program has panicked: nothing that it reports can be relied on then.
    pub(crate) const fn unless_panicked(self, has_panicked: bool) -> Self {
        if has_panicked { Self::Bug } else { self }
    }
}

/// An error, and how to mend it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    what: String,
    said: Vec<String>,
    mend: Vec<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
            said: Vec::new(),
            mend: Vec::new(),
        }
    }

    /// Adds the message of a program or an object.
    pub(crate) fn said(mut self, said: impl Into<String>) -> Self {
        self.said.push(said.into());
        self
    }

    /// Adds a step that mends it.
    pub(crate) fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend.push(mend.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "error: {}", self.what)?;
        for (name, lines) in [("said", &self.said), ("mend", &self.mend)] {
            for line in lines.iter().flat_map(|text| text.lines()) {
                writeln!(formatter, "  {name}: {line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_ends_with_its_own_exit_code_after_a_panic() {
        for exit in [Exit::Success, Exit::Usage, Exit::Partial] {
            assert_eq!(exit.unless_panicked(false), exit);
            assert_eq!(exit.unless_panicked(true), Exit::Bug);
        }
    }
}
