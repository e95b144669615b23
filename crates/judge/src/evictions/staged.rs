//! Judges whether an eviction could be brought about as a scenario says: consumers at work, a node to evict, a machine that ends. If
//! Azure gives no node, or does not take one back, that says nothing about the workload.

use std::fmt::Display;
use std::time::Duration;

use contract::Stamp;
use evidence::evictions::Evicted;
use evidence::outcome::NotPassed;

use crate::{Kept, fail_unless};

/// The lack of a machine says nothing about the workload.
fn denied(why: String) -> NotPassed {
    NotPassed::inconclusive(why)
}

/// Fails unless as many `consumers` as `wanted` have asked for messages, after at most `patience`. Inconclusive if they could not start:
/// `shortage` says why.
pub fn at_work(
    consumers: usize,
    wanted: usize,
    shortage: Option<&str>,
    patience: Duration,
) -> Kept {
    if consumers >= wanted {
        return Ok(());
    }
    Err(match shortage {
        Some(why) => denied(format!("{consumers} consumers have come: {why}")),
        None => NotPassed::fail(format!(
            "{consumers} consumers had asked for messages after {patience:?}"
        )),
    })
}

/// Fails unless the first `consumers` have `come` to a node that can be evicted, after at most `patience`.
pub fn first_have_come(come: bool, consumers: usize, patience: Duration) -> Kept {
    fail_unless(come, || {
        format!("{consumers} consumers did not come within {patience:?}")
    })
}

/// Inconclusive unless `some` node can be evicted, after at most `patience`; `why` says what stands against it.
pub fn evictable(some: bool, patience: Duration, why: impl Display) -> Kept {
    let reason = || denied(format!("no node can be evicted after {patience:?}: {why}"));
    some.then_some(()).ok_or_else(reason)
}

/// Inconclusive if there is no node to choose among the `nodes` that have consumers.
pub fn chosen(nodes: &[String]) -> Kept {
    let none = || denied("there is no Spot node with a consumer to evict".to_owned());
    (!nodes.is_empty()).then_some(()).ok_or_else(none)
}

/// Inconclusive if workers on `node` are still `idle` after `patience`: its eviction would show nothing.
pub fn all_busy(idle: &[String], node: &str, patience: Duration) -> Kept {
    if idle.is_empty() {
        return Ok(());
    }
    let idle = idle.join(", ");
    Err(denied(format!(
        "{idle} on {node} had no message in hand for {patience:?}, so that its eviction would show nothing"
    )))
}

/// How machines that were to be taken back have ended, at the end of a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MachinesEnd {
    /// All of them have ended, or are empty.
    Over,
    /// The platform could not evict one, for this reason.
    Failed(String),
    /// At least one has not ended after this time.
    Late(Duration),
}

impl MachinesEnd {
    /// Inconclusive unless all have ended.
    pub fn kept(self) -> Kept {
        match self {
            Self::Over => Ok(()),
            Self::Failed(why) => Err(denied(format!("a node could not be taken back: {why}"))),
            Self::Late(after) => Err(denied(format!("no node has ended after {after:?}"))),
        }
    }
}

/// Inconclusive unless each eviction began before the load had `ended`: without work, the loss of a machine shows nothing.
pub fn while_sending(evictions: &[Evicted], ended: Stamp) -> Kept {
    let Some(late) = evictions.iter().find(|it| it.is_asked && it.since > ended) else {
        return Ok(());
    };
    let micros = late.since.micros_since(ended).unsigned_abs();
    Err(denied(format!(
        "{} was taken back {:.1?} after the last message had been sent, so that its eviction shows nothing",
        late.node,
        Duration::from_micros(micros)
    )))
}

/// Fails unless as many consumers as before the first eviction `are_back` at work, after at most `patience`. Inconclusive if they could
/// not start: `shortage` says why.
pub fn first_made_good(are_back: bool, shortage: Option<&str>, patience: Duration) -> Kept {
    if are_back {
        return Ok(());
    }
    let reason = "the first eviction is not made good";
    Err(match shortage {
        Some(why) => denied(format!("{reason}: {why}")),
        None => NotPassed::fail(format!("{reason} after {patience:?}")),
    })
}

/// Fails unless `node` `is_back` with consumers at work, after at most `patience`.
pub fn came_back(is_back: bool, node: &str, patience: Duration) -> Kept {
    fail_unless(is_back, || {
        format!("{node} was not back with consumers after {patience:?}")
    })
}

#[cfg(test)]
mod tests {
    use evidence::outcome::Outcome;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(90);

    fn found(kept: Kept) -> (Outcome, String) {
        let error = kept.unwrap_err();
        (error.outcome(), error.to_string())
    }

    fn untold(reason: &str) -> (Outcome, String) {
        (Outcome::Inconclusive, reason.to_owned())
    }

    fn broken(reason: &str) -> (Outcome, String) {
        (Outcome::Fail, reason.to_owned())
    }

    #[test]
    fn consumers_that_do_not_come_break_a_promise_unless_they_have_no_machine() {
        assert_eq!(at_work(4, 4, Some("no quota"), PATIENCE), Ok(()));
        let late = found(at_work(3, 4, None, PATIENCE));
        let told = "3 consumers had asked for messages after 90s";
        assert_eq!(late, broken(told));
        let told = "3 consumers have come: no quota";
        let short = found(at_work(3, 4, Some("no quota"), PATIENCE));
        assert_eq!(short, untold(told));
        assert_eq!(first_made_good(true, Some("no quota"), PATIENCE), Ok(()));
        let told = "the first eviction is not made good";
        assert_eq!(
            found(first_made_good(false, None, PATIENCE)),
            broken(&format!("{told} after 90s"))
        );
        assert_eq!(
            found(first_made_good(false, Some("no quota"), PATIENCE)),
            untold(&format!("{told}: no quota"))
        );
    }

    #[test]
    fn an_eviction_after_the_load_shows_nothing() {
        let at = |seconds: i64| Stamp::from_micros(1_000_000 * seconds);
        let evicted = |is_asked| Evicted {
            since: at(12),
            is_asked,
            ..crate::evictions::tests::evicted()
        };
        assert_eq!(while_sending(&[evicted(true)], at(12)), Ok(()));
        assert_eq!(while_sending(&[evicted(false)], at(11)), Ok(()));
        let told = "n-1 was taken back 1.0s after the last message had been sent, so that its eviction shows nothing";
        let late = while_sending(&[evicted(true)], at(11));
        assert_eq!(found(late), untold(told));
    }

    #[test]
    fn consumers_that_had_a_machine_come_in_time() {
        assert_eq!(first_have_come(true, 3, PATIENCE), Ok(()));
        let told = "3 consumers did not come within 90s";
        assert_eq!(found(first_have_come(false, 3, PATIENCE)), broken(told));
        assert_eq!(came_back(true, "n-1", PATIENCE), Ok(()));
        let told = "n-1 was not back with consumers after 90s";
        assert_eq!(found(came_back(false, "n-1", PATIENCE)), broken(told));
    }

    #[test]
    fn an_eviction_that_azure_does_not_carry_out_says_nothing_about_the_workload() {
        let idle = ["c-1".to_owned(), "c-2".to_owned()];
        assert_eq!(evictable(true, PATIENCE, "too young"), Ok(()));
        assert_eq!(chosen(&idle), Ok(()));
        assert_eq!(all_busy(&[], "n-1", PATIENCE), Ok(()));
        assert_eq!(MachinesEnd::Over.kept(), Ok(()));
        for (kept, told) in [
            (
                evictable(false, PATIENCE, "too young"),
                "no node can be evicted after 90s: too young",
            ),
            (
                chosen(&[]),
                "there is no Spot node with a consumer to evict",
            ),
            (
                all_busy(&idle, "n-1", PATIENCE),
                "c-1, c-2 on n-1 had no message in hand for 90s, so that its eviction would show nothing",
            ),
            (
                MachinesEnd::Failed("409".to_owned()).kept(),
                "a node could not be taken back: 409",
            ),
            (
                MachinesEnd::Late(PATIENCE).kept(),
                "no node has ended after 90s",
            ),
        ] {
            assert_eq!(found(kept), untold(told));
        }
    }
}
