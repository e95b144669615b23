//! The only loop that waits: a number of polls, with a pause between two.
//!
//! The bound is the number of polls, not a time: `--poll-seconds` scales all waits together.

use std::thread::sleep;
use std::time::Duration;

use crate::failure::{Exit, Failure};

/// The result of a poll.
pub(crate) enum Look<T> {
    Done(T),
    /// The condition does not hold yet; with the present state.
    Not(String),
}

/// Polls until the condition holds, at most `looks` times. The failure has the last state.
pub(crate) fn until<T>(
    what: &str,
    (looks, pause): (u32, Duration),
    mut look: impl FnMut() -> Result<Look<T>, Failure>,
) -> Result<T, Failure> {
    let mut seen = String::new();
    for turn in 0..looks {
        if turn > 0 {
            sleep(pause);
        }
        match look()? {
            Look::Done(value) => return Ok(value),
            Look::Not(now) => {
                if now != seen {
                    crate::say(&format!("  waiting: {what}: {now}"));
                }
                seen = now;
            }
        }
    }
    let waited = pause * looks.saturating_sub(1);
    Err(Failure::new(
        Exit::NotReady,
        format!("{what}: not within {} s", waited.as_secs()),
    )
    .said(seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_counted_and_the_last_one_is_told() {
        let mut turns = 0;
        let mut look = |done| {
            turns += 1;
            Ok(if turns == done {
                Look::Done(turns)
            } else {
                Look::Not(format!("look {turns}"))
            })
        };
        assert_eq!(until("x", (3, Duration::ZERO), || look(3)).unwrap(), 3);
        let failure = until("x", (3, Duration::ZERO), || look(9)).unwrap_err();
        assert_eq!(failure.exit, Exit::NotReady);
        assert!(failure.to_string().contains("said: look 6"), "{failure}");
    }
}
