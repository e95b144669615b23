//! Records whether any thread or task of the program has panicked. A panic ends only its thread or task, and possibly nothing
//! waits for that; the exit code reports it at the end.

use std::{
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
};

static ANY: AtomicBool = AtomicBool::new(false);

/// Records every panic of this process from now on. The previous panic hook still runs.
pub(super) fn watch() {
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
pub(super) fn any() -> bool {
    ANY.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_any_thread_is_noted() {
        watch();
        std::thread::scope(|scope| {
            let panics = scope.spawn(|| panic!("on purpose, in a test"));
            assert!(panics.join().is_err());
        });
        assert!(any());
    }
}
