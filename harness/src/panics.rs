//! Panics of the harness: none is lost, whichever thread or task it happens on.
//!
//! A task's panic ends nobody but the task, and whoever waits for its work waits for nothing. So a hook notes every panic as it
//! happens; what conducts a run ends it at the next one, as inconclusive. Scenarios tell of the panics of their own steps.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic;
use std::pin::pin;
use std::sync::{LazyLock, Once};

use tokio::sync::watch;

thread_local! {
    /// Whether this thread is within a future whose panics others tell of.
    static KEPT: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic within one happened.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Where panics happened that no scenario tells of.
static STRAY: LazyLock<watch::Sender<Vec<String>>> = LazyLock::new(watch::Sender::default);

/// Panics from a moment on that no scenario tells of.
#[derive(Debug)]
pub(crate) struct Stray {
    told: watch::Receiver<Vec<String>>,
    before: usize,
}

impl Stray {
    /// Those from now on.
    pub(crate) fn watch() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(install);
        let told = STRAY.subscribe();
        let before = told.borrow().len();
        Self { told, before }
    }

    /// What they are the reason of, if there are any.
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

    /// Resolves at the first of them, with what it is the reason of.
    pub(crate) async fn any(&self) -> String {
        let mut told = self.told.clone();
        // The sender is never dropped.
        let _ = told.wait_for(|all| all.len() > self.before).await;
        self.reason().unwrap_or_default()
    }
}

/// `future`, whose panic is told by whoever polls it: [`last_place`] has where it happened. That of a task which it has spawned
/// is not, also where that runs on the same thread.
pub(crate) async fn kept<F: Future>(future: F) -> F::Output {
    /// Within the future, until it is dropped: also when that panics.
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

/// Where this thread's last panic within [`kept`] happened; asked once.
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

    /// How many panics in this file `stray` has seen: other tests have theirs at the same time.
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
