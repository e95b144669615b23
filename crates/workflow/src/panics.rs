//! Whether any thread or task of this process has panicked.
//!
//! A panic ends its task alone, and nobody may wait for that task. So a hook notes each panic as it happens, and the exit code of the process
//! says so at its end.

use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Exit;

static ANY: AtomicBool = AtomicBool::new(false);

/// Notes every panic from now on. What was done with a panic before is still done.
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
