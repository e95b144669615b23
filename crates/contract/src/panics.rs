//! Records whether any thread or task of this process has panicked.
//!
//! A panic ends only its task, and possibly nothing awaits that task. So a panic hook records each panic, and the program reports
//! it in its exit code and its status. The programs producer, consumer and wire use this hook. The harness has its own, which
//! also records where each panic was, and so has the engine, which shares no code with its clients.

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

/// Whether any thread or task has panicked since [`watch`].
pub fn any() -> bool {
    ANY.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_any_thread_is_recorded() {
        watch();
        std::thread::scope(|scope| {
            let panics = scope.spawn(|| panic!("on purpose, in a test"));
            assert!(panics.join().is_err());
        });
        assert!(any());
    }
}
