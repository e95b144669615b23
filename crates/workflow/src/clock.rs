//! The wall clock; on a thread that follows it, tokio's clock instead, which a simulation may pause.
//!
//! Producer, consumer and storage in one process, on a runtime whose clock is paused, live through an hour in a second. Their time
//! stamps must then tell that hour. Left out: threads that the runtime starts, such as those for blocking work.

use std::cell::Cell;
use std::marker::PhantomData;
use std::time::SystemTime;

use tokio::time::Instant;

thread_local! {
    /// A moment of tokio's clock, and what the wall clock said then.
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

/// Follows tokio's clock on this thread until it is dropped.
#[derive(Debug)]
#[must_use = "dropping it goes back to the wall clock"]
pub struct Followed(PhantomData<*const ()>);

/// From now on [`now`] follows tokio's clock on this thread. Call it in the runtime whose clock it is.
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
