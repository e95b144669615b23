//! Records panics of the harness, so that none is lost, whichever thread or task it happens on.
//!
//! A panic in a task ends only that task, and code that waits for the task would wait forever. So a hook records every panic; a
//! load or a suite ends at the next panic, as inconclusive. Scenarios report the panics of their own steps.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic;
use std::pin::pin;
use std::sync::{LazyLock, Once};

use tokio::sync::watch;

thread_local! {
    /// Whether this thread polls a future whose panics are reported elsewhere.
    static KEPT: Cell<bool> = const { Cell::new(false) };
    /// The place of the last panic within such a future.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The places of panics that no scenario reports.
static STRAY: LazyLock<watch::Sender<Vec<String>>> = LazyLock::new(watch::Sender::default);

/// Panics from a certain time on that no scenario reports.
#[derive(Debug)]
pub(crate) struct Stray {
    told: watch::Receiver<Vec<String>>,
    before: usize,
}

impl Stray {
    /// Watches for panics from now on.
    pub(crate) fn watch() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(install);
        let told = STRAY.subscribe();
        let before = told.borrow().len();
        Self { told, before }
    }

    /// The reason for the outcome, if there were panics.
    pub(crate) fn reason(&self) -> Option<String> {
        match &self.told.borrow()[self.before..] {
            [] => None,
            [at] => Some(format!(
                "a task of the harness panicked at {at}, which is a bug of it"
            )),
            [first, more @ ..] => Some(format!(
                "{} tasks of the harness panicked, the first at {first}, which are bugs of it",
                more.len() + 1
            )),
        }
    }

    /// Resolves at the first panic, with the reason for the outcome.
    pub(crate) async fn any(&self) -> String {
        let mut told = self.told.clone();
        // The sender is never dropped.
        let _ = told.wait_for(|all| all.len() > self.before).await;
        self.reason().unwrap_or_default()
    }
}

/// Runs `future`; its panics are reported by the caller, who gets the place from [`last_place`]. Panics of tasks that it spawns are
/// not included, even if they run on the same thread.
pub(crate) async fn kept<F: Future>(future: F) -> F::Output {
    /// Marks the thread as within the future until this is dropped, also by a panic.
    struct Within;

    impl Drop for Within {
        fn drop(&mut self) {
            KEPT.set(false);
        }
    }

    let mut future = pin!(future);
    poll_fn(move |context| {
        let _within = Within;
        KEPT.set(true);
        future.as_mut().poll(context)
    })
    .await
}

/// The place of this thread's last panic within [`kept`]; the second call returns `None`.
pub(crate) fn last_place() -> Option<String> {
    LAST.take()
}

fn install() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let at = panic.location().map(ToString::to_string);
        if KEPT.get() {
            LAST.set(at);
        } else {
            STRAY.send_modify(|all| all.push(at.unwrap_or_default()));
            before(panic);
        }
    }));
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use futures::FutureExt as _;

    use super::*;

    /// How many panics in this file `stray` has seen: other tests panic at the same time.
    fn own(stray: &Stray) -> usize {
        let all = stray.told.borrow();
        let since = all[stray.before..].iter();
        since.filter(|at| at.contains("panics.rs:")).count()
    }

    #[tokio::test]
    async fn the_panic_of_any_task_is_told_and_a_step_tells_of_its_own() {
        let stray = Stray::watch();
        let task = workflow::task::spawn(async { panic!("on purpose, in a test") });
        assert!(task.await.is_err());
        assert!(stray.any().await.contains("of the harness panicked"));
        assert_eq!(own(&stray), 1);

        let step = AssertUnwindSafe(kept(async {
            tokio::task::yield_now().await;
            panic!("on purpose, in a test")
        }));
        let ended: Result<(), _> = step.catch_unwind().await;
        assert!(ended.is_err());
        assert!(last_place().is_some_and(|at| at.contains("panics.rs:")));
        assert_eq!(own(&stray), 1);

        // On the same thread, since the runtime of a test has no other.
        let beside =
            kept(async { workflow::task::spawn(async { panic!("on purpose, in a test") }).await });
        assert!(beside.await.is_err());
        assert_eq!(own(&stray), 2);
        assert_eq!(own(&Stray::watch()), 0, "what was before is not told again");
    }
}
