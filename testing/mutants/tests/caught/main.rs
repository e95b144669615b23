//! Each mutant is judged by a published scenario, and must fail it: in the sentence under which [`map`] lists the mutant, and for
//! the reason that names its fault. Without a fault, all of these scenarios pass.
//!
//! The map has every `Then` of the features: a new one needs a mutant that fails it.

mod map;
mod sentences;
mod suite;
mod table;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Conclusion, Failed, Trial};

use map::{LONGEST_FIRST, THENS, TIMED, WHENS};
use sentences::{fits, thens};
use suite::{FEATURES, Suite, known};
use table::{Broken, Mutant, Sentence};

/// The default number of trials at the same time: they mostly wait, for leases, drains and promises that a mutant breaks.
const AT_A_TIME: usize = 24;

/// As [`AT_A_TIME`], for trials that measure time: beside many others, storage would answer so late that no verdict could be had.
const TIMED_AT_A_TIME: usize = 4;

/// Exit codes of a limit that is missed, and of a limit that cannot be judged.
const MISSED: i32 = 10;
const UNTOLD: i32 = 11;

/// Mutations, or none, that miss a limit of `harness load`, with the limit, the exit code, and the reason. The whole confidence
/// interval is beyond the limit, however busy the machine is.
const LOADS: [(&str, &str, i32, &str); 7] = [
    (
        "stamps-before-its-work",
        "end to end p50 1s",
        MISSED,
        "end to end p50 at most 1.00 s: found",
    ),
    (
        "stamps-before-its-work",
        "work p50 1s",
        UNTOLD,
        "only the rows say so",
    ),
    (
        "stamps-its-receipt-late",
        "work p50 1s",
        UNTOLD,
        "only the rows say so",
    ),
    (
        "sends-a-refused-row-first",
        "work p50 1s",
        UNTOLD,
        "only the rows say so",
    ),
    (
        "repeats-an-insert-while-it-works",
        "work p50 1s",
        UNTOLD,
        "only the rows say so",
    ),
    (
        "rests-before-it-receives",
        "queue wait p50 500ms",
        MISSED,
        "queue wait p50 at most 500 ms: found",
    ),
    // The producer is the harness's own, and the connection to storage cannot be slowed down here, so the limit is lower than any
    // real send.
    (
        "none",
        "send p50 20us",
        MISSED,
        "send p50 at most 20 µs: found",
    ),
];

fn main() -> ExitCode {
    let suite = Arc::new(Suite::new());
    let (mut trials, mut timed) = (Vec::new(), Vec::new());
    for (sentence, mutant) in in_order() {
        let suite = suite.clone();
        let trials = if is_timed(mutant.broken, mutant.scenario) {
            &mut timed
        } else {
            &mut trials
        };
        trials.push(Trial::test(name_of(sentence, mutant), move || {
            suite.caught(sentence.says, mutant)
        }));
    }
    for (broken, scenario) in unbroken() {
        let suite = suite.clone();
        let on = match broken {
            Broken::Scaled(_) => " (paused)",
            _ => "",
        };
        trials.push(Trial::test(
            format!("unbroken: {scenario}{on}"),
            move || suite.passes(broken, scenario),
        ));
    }
    for (mutation, limit, code, reason) in LOADS {
        timed.push(Trial::test(
            format!("load: {mutation}: {limit}"),
            move || Suite::limited(mutation, limit, code, reason),
        ));
    }
    trials.push(Trial::test(
        "every-then-is-in-the-map",
        every_then_is_in_the_map,
    ));
    trials.push(Trial::test(
        "every-mutant-is-judged",
        every_mutant_is_judged,
    ));
    let arguments = Arguments::from_args();
    let ended = [(trials, AT_A_TIME), (timed, TIMED_AT_A_TIME)].map(|(trials, at_a_time)| {
        let mut arguments = arguments.clone();
        arguments.test_threads.get_or_insert(at_a_time);
        libtest_mimic::run(&arguments, trials)
    });
    let failed = ended.iter().find(|ended| ended.has_failed());
    failed.map_or(ExitCode::SUCCESS, Conclusion::exit_code)
}

/// Whether a trial measures time. Mutants of autoscalers and fleets run on a paused clock.
fn is_timed(broken: Broken, scenario: &str) -> bool {
    TIMED.contains(&scenario) && !matches!(broken, Broken::Scaled(_))
}

/// All mutants with their sentences.
fn mutants() -> impl Iterator<Item = (&'static Sentence, Mutant)> {
    let sentences = THENS.iter().chain(WHENS);
    sentences.flat_map(|sentence| sentence.fails.iter().map(move |mutant| (sentence, *mutant)))
}

/// All mutants, those with the longest scenarios first.
fn in_order() -> Vec<(&'static Sentence, Mutant)> {
    let mut all: Vec<_> = mutants().collect();
    let place = |scenario| LONGEST_FIRST.iter().position(|it| *it == scenario);
    all.sort_by_key(|(_, mutant)| place(mutant.scenario).unwrap_or(LONGEST_FIRST.len()));
    all
}

fn name_of(sentence: &Sentence, mutant: Mutant) -> String {
    let broken = match mutant.broken {
        Broken::Consumer(name) | Broken::Scaled(name) => name,
        Broken::Harness(_) => "another load",
    };
    format!("{broken}: {}", sentence.says)
}

/// Each scenario that a mutant fails, once for consumers and once for autoscalers and fleets, with nothing broken. For mutants that
/// change a sentence of a scenario, the suite of the features plays the original scenario.
fn unbroken() -> Vec<(Broken, &'static str)> {
    let mut seen = BTreeSet::new();
    let unbroken = |mutant: Mutant| match mutant.broken {
        Broken::Consumer(_) => Some((Broken::Consumer("none"), mutant.scenario)),
        Broken::Scaled(_) => Some((Broken::Scaled("none"), mutant.scenario)),
        Broken::Harness(_) => None,
    };
    (in_order().into_iter())
        .filter_map(|(_, mutant)| unbroken(mutant))
        .filter(|(broken, scenario)| !is_timed(*broken, scenario))
        .filter(|(broken, scenario)| seen.insert((format!("{broken:?}"), *scenario)))
        .collect()
}

/// Every `Then` of the features fits one sentence of the map, every sentence of the map fits at least one `Then`, and each of them
/// has a mutant that fails it.
fn every_then_is_in_the_map() -> Result<(), Failed> {
    let thens = thens(Path::new(FEATURES));
    for then in &thens {
        let entries = THENS.iter().filter(|entry| fits(entry.says, then));
        match entries.count() {
            1 => {}
            0 => {
                return Err(
                    format!("nothing is known to fail {then:?}: add a mutant to map.rs").into(),
                );
            }
            several => return Err(format!("{several} entries of map.rs fit {then:?}").into()),
        }
    }
    for Sentence { says, fails } in THENS {
        if !thens.iter().any(|then| fits(says, then)) {
            return Err(format!("no feature says {says:?}").into());
        }
        if fails.is_empty() {
            return Err(format!("nothing fails {says:?}").into());
        }
    }
    Ok(())
}

/// Every mutation of consumers, autoscalers and fleets is in the map.
fn every_mutant_is_judged() -> Result<(), Failed> {
    let mut judged: BTreeSet<&str> = LOADS.iter().map(|(mutation, ..)| *mutation).collect();
    judged.extend(mutants().filter_map(|(_, mutant)| match mutant.broken {
        Broken::Consumer(name) | Broken::Scaled(name) => Some(name),
        Broken::Harness(_) => None,
    }));
    for word in ["broken", "scaled"] {
        for name in known(word)? {
            if !judged.contains(&*name) {
                return Err(format!("{word} {name} is judged by no scenario").into());
            }
        }
    }
    Ok(())
}
