//! The wall clock, or, on a thread that follows it, tokio's clock, which a simulation may pause.
//!
//! With producer, consumer and storage in one process, on a runtime whose clock is paused, an hour passes in a second. Their
//! time stamps must then show that hour. Left out: threads that the runtime starts, such as those for blocking work.

use std::cell::Cell;
use std::marker::PhantomData;
use std::time::SystemTime;

use tokio::time::Instant;

thread_local! {
    /// A time of tokio's clock, and the wall clock's time at that moment.
    static FOLLOWED: Cell<Option<(Instant, SystemTime)>> = const { Cell::new(None) };
}

/// The time, now.
pub use contract::clock::now;

fn followed() -> SystemTime {
    match FOLLOWED.get() {
        None => SystemTime::now(),
        Some((since, at)) => at + since.elapsed(),
    }
}

/// Makes this thread follow tokio's clock until it is dropped.
#[derive(Debug)]
#[must_use = "dropping it goes back to the wall clock"]
pub struct Followed(PhantomData<*const ()>);

/// Makes [`now`] follow tokio's clock on this thread. Call it in the runtime that has the clock.
pub fn follow_tokio() -> Followed {
    FOLLOWED.set(Some((Instant::now(), SystemTime::now())));
    contract::clock::replace(Some(followed));
    Followed(PhantomData)
}

impl Drop for Followed {
    fn drop(&mut self) {
        contract::clock::replace(None);
        FOLLOWED.set(None);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paused_hour_is_an_hour() {
        let hour = Duration::from_secs(3600);
        let followed = follow_tokio();
        let before = now();
        tokio::time::sleep(hour).await;
        let passed = now().duration_since(before).unwrap();
        assert!(
            (hour..hour + Duration::from_secs(1)).contains(&passed),
            "{passed:?}"
        );
        drop(followed);
        assert!(now() < before + hour, "the wall clock again");
    }
}
