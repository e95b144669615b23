//! The wall clock. A simulation replaces it on its own thread, so that time stamps tell the simulated time.

use std::cell::Cell;
use std::time::SystemTime;

thread_local! {
    static REPLACED: Cell<Option<fn() -> SystemTime>> = const { Cell::new(None) };
}

/// The time, now.
pub fn now() -> SystemTime {
    REPLACED.get().map_or_else(SystemTime::now, |clock| clock())
}

/// From now on [`now`] asks `clock` on this thread; `None`: the wall clock again.
pub fn replace(clock: Option<fn() -> SystemTime>) {
    REPLACED.set(clock);
}
