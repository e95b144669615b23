//! Writes to standard output.

use std::io::{Write as _, stdout};

/// Prints a line; a reader that has closed the pipe, such as `head`, is not an error.
pub(crate) fn say(line: &str) {
    let _ = writeln!(stdout().lock(), "{line}");
}
