//! The wall clock. A simulation replaces it on its own thread, so that time stamps show the simulated time.

use std::cell::Cell;
use std::time::SystemTime;

thread_local! {
    static REPLACED: Cell<Option<fn() -> SystemTime>> = const { Cell::new(None) };
}

/// The present time.
pub fn now() -> SystemTime {
    REPLACED.get().map_or_else(SystemTime::now, |clock| clock())
}

/// Makes [`now`] on this thread ask `clock`; `None`: the wall clock again.
pub fn replace(clock: Option<fn() -> SystemTime>) {
    REPLACED.set(clock);
}
