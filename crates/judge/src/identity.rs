//! Judges how workers signed in, and what those that could not have logged.

use std::fmt::Display;

use evidence::outcome::NotPassed;

use crate::index::Refused;
use crate::{Kept, fail_unless};

/// Fails unless each worker, with the number of tokens that it was given, has signed in exactly once.
pub fn signed_in_once(tokens: &[(String, usize)]) -> Kept {
    each_signed_in(tokens, |times| times == 1)
}

/// Fails unless each worker, with the number of tokens that it was given, has signed in at least so often.
pub fn signed_in_at_least(tokens: &[(String, usize)], least: usize) -> Kept {
    each_signed_in(tokens, |times| times >= least)
}

/// Without a worker, nothing has signed in.
fn each_signed_in(tokens: &[(String, usize)], is_right: impl Fn(usize) -> bool) -> Kept {
    fail_unless(!tokens.is_empty(), || {
        "there was never a consumer at all".to_owned()
    })?;
    tokens.iter().try_for_each(|(name, times)| {
        fail_unless(is_right(*times), || match times {
            1 => format!("{name} has signed in once"),
            times => format!("{name} has signed in {times} times"),
        })
    })
}

/// Fails unless the pods' tokens were `replaced` at least so often.
pub fn replaced_at_least(replaced: u64, least: u64) -> Kept {
    fail_unless(replaced >= least, || format!("{replaced} were replaced"))
}

/// Fails unless at least so many requests were `unreached`: they had no answer, since the authority was away.
pub fn unreached_at_least(unreached: u64, least: u64) -> Kept {
    fail_unless(unreached >= least, || {
        format!("requests to Entra without an answer: {unreached}")
    })
}

/// Inconclusive unless a request was `unreached` before the authority could be reached again: then no worker has tried to sign in,
/// and whether one is ready without a token is unknown.
pub fn tried_to_sign_in(unreached: u64) -> Kept {
    if unreached > 0 {
        return Ok(());
    }
    Err(NotPassed::inconclusive(
        "no consumer has tried to sign in: nothing can be told",
    ))
}

/// Fails if storage has `refused` requests of workers for their identity. Inconclusive if it had kept all of these waiting: what was
/// right when it was sent may have ended on its way.
pub fn never_refused(refused: &[Refused]) -> Kept {
    let told = |which: &dyn Fn(&&Refused) -> bool| {
        let told = refused.iter().filter(which).map(|it| it.what.as_str());
        told.collect::<Vec<_>>().join(", ")
    };
    let at_once = told(&|it| it.waited.is_none());
    fail_unless(at_once.is_empty(), || format!("storage refused {at_once}"))?;
    let Some(waited) = refused.iter().filter_map(|it| it.waited).max() else {
        return Ok(());
    };
    Err(NotPassed::inconclusive(format!(
        "storage refused {}, but only after it had kept them waiting, for up to {waited:.1?}: a token may have ended meanwhile",
        told(&|_| true)
    )))
}

/// Fails unless each of the workers that ended without being told to has logged `code` and the `remedy`. `errors`: their names, and
/// what each has logged as errors.
pub fn remedy_is_named(errors: &[(String, String)], code: &str, remedy: &str) -> Kept {
    fail_unless(!errors.is_empty(), || {
        "no consumer has ended by itself".to_owned()
    })?;
    errors.iter().try_for_each(|(name, said)| {
        let is_named = said.contains(code) && said.contains(remedy);
        fail_unless(is_named, || format!("{name} says: {said}"))
    })
}

/// Fails if a secret was found in what the run wrote down; `leaks` names kinds and places.
pub fn nothing_leaked(leaks: &[impl Display]) -> Kept {
    fail_unless(leaks.is_empty(), || {
        let leaks: Vec<_> = leaks.iter().map(ToString::to_string).collect();
        format!("found {}", leaks.join("; "))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use evidence::outcome::Outcome;

    use super::*;

    fn fails(kept: Kept) -> String {
        let error = kept.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Fail, "{error}");
        error.to_string()
    }

    fn named(all: &[(&str, usize)]) -> Vec<(String, usize)> {
        let named = all.iter().map(|(name, times)| ((*name).to_owned(), *times));
        named.collect()
    }

    #[test]
    fn each_worker_signs_in_as_often_as_it_must_and_a_run_without_workers_proves_nothing() {
        let (good, bad) = (named(&[("c-1", 1)]), named(&[("c-1", 1), ("c-2", 2)]));
        assert_eq!(signed_in_once(&good), Ok(()));
        assert_eq!(fails(signed_in_once(&bad)), "c-2 has signed in 2 times");
        assert_eq!(signed_in_at_least(&bad, 1), Ok(()));
        let told = "c-1 has signed in once";
        assert_eq!(fails(signed_in_at_least(&bad, 2)), told);
        for none in [signed_in_once(&[]), signed_in_at_least(&[], 0)] {
            assert_eq!(fails(none), "there was never a consumer at all");
        }
    }

    #[test]
    fn what_the_authority_did_is_counted() {
        assert_eq!(replaced_at_least(3, 3), Ok(()));
        assert_eq!(fails(replaced_at_least(2, 3)), "2 were replaced");
        assert_eq!(unreached_at_least(1, 1), Ok(()));
        assert_eq!(
            fails(unreached_at_least(1, 2)),
            "requests to Entra without an answer: 1"
        );
        assert_eq!(never_refused(&[]), Ok(()));
        let refused = |what: &str, waited| Refused {
            what: what.to_owned(),
            waited,
        };
        let at_once = refused("put of c-1 (x)", None);
        let told = "storage refused put of c-1 (x)";
        assert_eq!(fails(never_refused(std::slice::from_ref(&at_once))), told);
        // While storage keeps a request waiting, its token may end, however good the client is.
        let late = refused("put of c-2 (x)", Some(Duration::from_millis(2_100)));
        let error = never_refused(std::slice::from_ref(&late)).unwrap_err();
        assert_eq!(error.outcome(), Outcome::Inconclusive);
        let told = "storage refused put of c-2 (x), but only after it had kept them waiting, for up to 2.1s";
        assert!(error.to_string().starts_with(told), "{error}");
        assert_eq!(
            fails(never_refused(&[at_once, late])),
            "storage refused put of c-1 (x)"
        );
    }

    /// A consumer that never asks for a token cannot show that it waits for one.
    #[test]
    fn a_worker_that_has_not_tried_to_sign_in_proves_nothing() {
        assert_eq!(tried_to_sign_in(1), Ok(()));
        let error = tried_to_sign_in(0).unwrap_err();
        assert_eq!(error.outcome(), Outcome::Inconclusive);
    }

    #[test]
    fn code_and_remedy_stand_in_the_log_of_each_worker_that_gave_up() {
        let said = |text: &str| ("c-1".to_owned(), text.to_owned());
        let whole = said("AADSTS700213: run az identity show");
        let judged = |all: &[_]| remedy_is_named(all, "AADSTS700213", "az identity show");
        assert_eq!(judged(std::slice::from_ref(&whole)), Ok(()));
        for half in ["AADSTS700213: who knows", "run az identity show"] {
            let all = [whole.clone(), said(half)];
            assert_eq!(fails(judged(&all)), format!("c-1 says: {half}"));
        }
        assert_eq!(fails(judged(&[])), "no consumer has ended by itself");
    }

    #[test]
    fn every_leak_is_named() {
        assert_eq!(nothing_leaked(&[""; 0]), Ok(()));
        let leaks = ["a token in x.log, line 2", "a private key in y, line 1"];
        let told = format!("found {}; {}", leaks[0], leaks[1]);
        assert_eq!(fails(nothing_leaked(&leaks)), told);
    }
}
