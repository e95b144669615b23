//! Exit codes shared by `producer` and `consumer`; `harness` adds its own for verdicts.

use std::process::{ExitCode, Termination};

/// How a process of the workload ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Did what it was asked to; for a consumer also: drained after SIGTERM or a Spot notice.
    Success = 0,
    /// A bug: a broken invariant or a panic. Please report it.
    Bug = 1,
    /// The command line, an environment variable or an input file is wrong; nothing was done. (2 is clap's own.)
    Usage = 2,
    /// Storage is unreachable, or kept failing until the process gave up.
    StorageUnavailable = 3,
    /// The queue or table does not exist and may not be created.
    NoSuchResource = 4,
    /// Storage denied access: credential, role or SAS.
    Denied = 5,
    /// A local resource is missing: a port in use, a file not writable.
    LocalResource = 6,
    /// The work did not finish within the grace period; unfinished messages reappear after their visibility timeout.
    GraceExceeded = 7,
    /// Finished, but not everything succeeded: some sends failed or are unknown. The summary counts them.
    Partial = 8,
    /// A second signal asked to exit at once. 128 + SIGTERM, as a shell reports it.
    Forced = 143,
}

/// An error that the user can mend by changing the command line or its input. Added to an error as its context; the text says
/// what was being done.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongInput(pub &'static str);

impl Exit {
    /// The code.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The exit code for a storage error that retries cannot overcome.
    pub const fn of(error: &crate::ports::StorageError) -> Self {
        use crate::ports::ErrorKind;
        match error.kind() {
            ErrorKind::NoSuchResource => Self::NoSuchResource,
            ErrorKind::Denied => Self::Denied,
            _ => Self::StorageUnavailable,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
