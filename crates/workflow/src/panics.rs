//! The exit code of a program that has panicked; [`contract::panics`] records the panics.

pub use contract::panics::watch;

use crate::exit::Exit;

/// The exit code of a process that would end with `exit`: [`Exit::Bug`] after a panic.
pub fn exit(exit: Exit) -> Exit {
    if contract::panics::any() {
        Exit::Bug
    } else {
        exit
    }
}
