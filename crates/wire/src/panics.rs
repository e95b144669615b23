//! Whether any task of the wire has panicked where it is a program: its status says so, and its exit code. In the harness, which notes
//! every panic of its process, this is never asked to watch.

use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static ANY: AtomicBool = AtomicBool::new(false);

/// Notes every panic of this process from now on. What was done with a panic before is still done.
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

/// Whether there was one since.
pub fn any() -> bool {
    ANY.load(Ordering::Relaxed)
}
