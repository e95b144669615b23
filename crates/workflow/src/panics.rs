//! Records whether any thread or task of this process has panicked.
//!
//! A panic ends only its task, and possibly nothing awaits that task. So a panic hook records each panic, and the exit code of
//! the process shows it.

use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Exit;

static ANY: AtomicBool = AtomicBool::new(false);

/// Records every panic from now on. The previous panic hook still runs.
pub fn watch() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            ANY.store(true, Ordering::Relaxed);
            before(panic);
        }));
    });
}

/// The exit code of a process that would end with `exit`: [`Exit::Bug`] after a panic.
pub fn exit(exit: Exit) -> Exit {
    if ANY.load(Ordering::Relaxed) {
        Exit::Bug
    } else {
        exit
    }
}
