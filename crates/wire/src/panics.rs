//! Records whether any task of the wire has panicked when it runs as a program, for its status and its exit code. Inside the
//! harness, which records every panic itself, this is not used.

use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static ANY: AtomicBool = AtomicBool::new(false);

/// Records every panic of this process from now on. The previous panic hook still runs.
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

/// Whether there was a panic since.
pub fn any() -> bool {
    ANY.load(Ordering::Relaxed)
}
