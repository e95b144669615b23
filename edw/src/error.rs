//! Why there is no verdict.

use std::error::Error as StdError;
use std::fmt;

/// Why there is no verdict: what was asked for makes no sense, or the program could not be found or started. A run that began always
/// ends with a [`Verdict`](crate::Verdict), however it went.
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

// The chain of causes is in the text: a source would be told twice.
impl StdError for Error {}
