//! Judges when workers reported that they are ready.

use std::time::Duration;

use evidence::outcome::NotPassed;

use crate::{Kept, fail_unless};

/// A running worker, and its last answer to the question whether it is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// Its name.
    pub name: String,
    /// Whether it answered that it is ready.
    pub is_ready: bool,
    /// Its answer in words.
    pub answer: String,
}

/// Fails if a worker reported that it was ready while storage did not let it work; `early` has the names of those that did.
pub fn none_early(early: &[String]) -> Kept {
    fail_unless(early.is_empty(), || {
        let names = early.join(", ");
        format!("{names} said that it was ready while storage did not let it work")
    })
}

/// Inconclusive if storage that refuses has met no request `within` that time, and no worker was ready either: `met` tells whether
/// one of the two has happened.
pub fn was_put_to_the_test(met: bool, within: Duration) -> Kept {
    if met {
        return Ok(());
    }
    Err(NotPassed::inconclusive(format!(
        "no consumer has asked what is busy within {within:?}: nothing can be told"
    )))
}

/// Fails unless so many `consumers` run and are ready, after at most `deadline`.
pub fn all_ready(running: &[Probed], consumers: usize, deadline: Duration) -> Kept {
    let ready = running.iter().filter(|worker| worker.is_ready).count();
    fail_unless(ready >= consumers, || {
        match running.iter().find(|worker| !worker.is_ready) {
            Some(Probed { name, answer, .. }) => {
                format!("{name} does not say that it is ready after {deadline:?}: {answer}")
            }
            None => format!("not all of {consumers} consumers run after {deadline:?}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use evidence::outcome::Outcome;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    #[test]
    fn a_worker_that_is_ready_too_early_is_named() {
        assert_eq!(none_early(&[]), Ok(()));
        let early = ["c-1".to_owned(), "c-2".to_owned()];
        let told = "c-1, c-2 said that it was ready while storage did not let it work";
        assert_eq!(none_early(&early), Err(NotPassed::fail(told)));
    }

    /// A consumer that has yet to ask storage is not ready because it has yet to start.
    #[test]
    fn without_a_request_nothing_was_put_to_the_test() {
        assert_eq!(was_put_to_the_test(true, LIMIT), Ok(()));
        let error = was_put_to_the_test(false, LIMIT).unwrap_err();
        assert_eq!(error.outcome(), Outcome::Inconclusive);
    }

    #[test]
    fn as_many_are_ready_as_must_be_or_the_first_that_is_not_is_quoted() {
        let probed = |name: &str, is_ready| Probed {
            name: name.to_owned(),
            is_ready,
            answer: "it answers 503".to_owned(),
        };
        let (ready, waits) = (probed("c-1", true), probed("c-2", false));
        let all = [ready.clone(), waits];
        assert_eq!(all_ready(&all, 1, LIMIT), Ok(()));
        let told = "c-2 does not say that it is ready after 5s: it answers 503";
        assert_eq!(all_ready(&all, 2, LIMIT), Err(NotPassed::fail(told)));
        let told = "not all of 2 consumers run after 5s";
        assert_eq!(all_ready(&[ready], 2, LIMIT), Err(NotPassed::fail(told)));
    }
}
