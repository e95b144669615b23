//! Errors of a load without a verdict.

use std::error::Error as StdError;
use std::fmt;

/// Why there is no verdict: an option is wrong, or the program could not be found or started. A run that has begun always ends with
/// a [`Verdict`](crate::Verdict).
#[derive(Debug)]
pub struct Error(anyhow::Error);

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

// The text includes the chain of causes: a source would repeat them.
impl StdError for Error {}
