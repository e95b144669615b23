//! The standard output.

use std::io::{Write as _, stdout};

/// Prints a line; a reader that has gone away, such as `head`, is no error.
pub(crate) fn say(line: &str) {
    let _ = writeln!(stdout().lock(), "{line}");
}
