//! Tests of what counts as a difference, and of how often that is wrong.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::*;

fn of(of_runs: &[f64]) -> Values {
    Values {
        of_runs: of_runs.to_vec(),
        ..Values::default()
    }
}

fn only(value: f64, within: (f64, f64)) -> Values {
    Values {
        of_runs: vec![value],
        within: Some(within),
        steps: None,
    }
}

/// What searches found: each the rate that kept the limits, and the lowest that broke one, if any did.
fn found(runs: &[(f64, Option<f64>)]) -> Values {
    let within = runs.iter().map(|(kept, broken)| Some((*kept, (*broken)?)));
    let within: Vec<_> = within.collect();
    Values {
        of_runs: runs.iter().map(|(kept, _)| *kept).collect(),
        within: if within.len() == 1 { within[0] } else { None },
        steps: Some(runs.iter().map(|(_, broken)| *broken).collect()),
    }
}

fn told(base: &Values, new: &Values, better: Better) -> Difference {
    difference(base, new, better, &Rule::default(), 1).expect("both sides have a value")
}

#[test]
fn more_is_worse_or_better_by_what_the_figure_is() {
    let (base, more) = (of(&[100.0, 101.0, 99.0]), of(&[130.0, 131.0]));
    assert_eq!(told(&base, &more, Better::Less).change, Change::Worse);
    assert_eq!(told(&more, &base, Better::Less).change, Change::Better);
    assert_eq!(told(&base, &more, Better::More).change, Change::Better);
    assert_eq!(told(&more, &base, Better::More).change, Change::Worse);
    let same = of(&[100.5, 99.5]);
    assert_eq!(told(&base, &same, Better::Less).change, Change::Alike);
}

#[test]
fn a_difference_within_the_scatter_of_the_runs_cannot_be_told() {
    let (base, new) = (of(&[100.0, 160.0, 80.0]), of(&[150.0]));
    let found = told(&base, &new, Better::Less);
    assert_eq!(found.change, Change::CannotTell);
    assert!(found.low.unwrap() < 1.0 && found.high.unwrap() > 1.1);
}

#[test]
fn the_interval_is_that_of_the_textbook() {
    // Logarithms 0, 1, 2 and 4: mean 1 against 4, pooled variance 1 with 2 degrees of freedom, 1/3 + 1 runs, t = 4.3027.
    let logs = [0.0_f64, 1.0, 2.0].map(f64::exp);
    let found = told(&of(&logs), &of(&[4.0_f64.exp()]), Better::Less);
    let half = 4.302_65 * (4.0_f64 / 3.0).sqrt();
    assert!((found.low.unwrap().ln() - (3.0 - half)).abs() < 1e-3);
    assert!((found.high.unwrap().ln() - (3.0 + half)).abs() < 1e-3);
}

#[test]
fn one_run_with_one_other_must_differ_by_much_more() {
    let base = only(100.0, (95.0, 105.0));
    let third_more = only(130.0, (126.0, 134.0));
    assert_eq!(told(&base, &third_more, Better::Less).change, Change::Alike);
    let twice = only(200.0, (190.0, 210.0));
    assert_eq!(told(&base, &twice, Better::Less).change, Change::Worse);
    let near = only(170.0, (150.0, 190.0));
    assert_eq!(told(&base, &near, Better::Less).change, Change::CannotTell);
}

#[test]
fn a_figure_that_is_found_in_steps_is_as_exact_as_its_steps() {
    let at = |kept: f64, broken| found(&[(kept, Some(broken))]);
    let base = at(4_000.0, 4_300.0);
    let one = |new: Values| told(&base, &new, Better::More);
    assert_eq!(one(at(4_000.0, 4_300.0)).change, Change::Alike);
    assert_eq!(one(at(2_000.0, 2_200.0)).change, Change::Worse);
    assert_eq!(one(at(8_000.0, 8_700.0)).change, Change::Better);
    // A quarter less is not alike; but one search with one other does not show that it is worse.
    let less = one(at(3_000.0, 3_200.0));
    assert_eq!((less.change, less.tolerance), (Change::CannotTell, 0.5));
    assert!((less.low.unwrap() - 3_000.0 / 4_300.0).abs() < 1e-9);
    assert!((less.high.unwrap() - 3_200.0 / 4_000.0).abs() < 1e-9);
    // Only where both are found in steps is a tolerance below that of two runs of any use.
    let measured = one(only(3_000.0, (3_000.0, 3_200.0)));
    assert_eq!((measured.change, measured.tolerance), (Change::Alike, 0.5));
    // No rate broke a limit: how high the true one is, is unknown.
    let open = one(found(&[(8_000.0, None)]));
    assert_eq!((open.change, open.high), (Change::CannotTell, None));
    // Three searches that all found the same rate know it no better than one.
    let thrice = |kept, broken| found(&[(kept, Some(broken)); 3]);
    let several = |new: Values| told(&thrice(4_000.0, 4_300.0), &new, Better::More);
    let less = several(thrice(3_700.0, 4_000.0));
    assert_eq!(less.change, Change::CannotTell, "{less:?}");
    assert!(less.low.unwrap() < 3_700.0 / 4_300.0 + 1e-9, "{less:?}");
    assert_eq!(several(thrice(3_000.0, 3_200.0)).change, Change::Worse);
    assert_eq!(several(found(&[(3_000.0, None)])).low, None);
}

#[test]
fn without_an_interval_nothing_is_told() {
    let found = told(&of(&[1.0]), &of(&[100.0]), Better::Less);
    assert_eq!((found.change, found.low), (Change::CannotTell, None));
    assert!(difference(&of(&[]), &of(&[1.0]), Better::Less, &Rule::default(), 1).is_none());
}

#[test]
fn values_that_are_all_the_same_or_zero_have_a_difference() {
    let found = told(&of(&[0.0, 0.0]), &of(&[0.0]), Better::Less);
    assert_eq!(found.change, Change::Alike);
    let found = told(&of(&[100.0, 100.0]), &of(&[115.0]), Better::Less);
    assert_eq!(found.change, Change::Worse);
}

/// A run's figures: each varies by `spread` around its middle, and all vary a little together, as whole runs are faster or
/// slower.
fn run(random: &mut StdRng, middles: &[f64], spread: f64) -> Vec<f64> {
    let mut normal = || {
        let sum: f64 = (0..12).map(|_| random.random::<f64>()).sum();
        sum - 6.0
    };
    let moment = normal();
    let values = middles.iter().map(|middle| {
        let own = normal();
        middle * (spread * (0.6 * moment + 0.8 * own)).exp()
    });
    values.collect()
}

/// In how many of `tries` comparisons of 7 runs with one, any figure is called `change`, if figures of the new run are `slower`
/// times as large.
fn called(change: Change, tries: usize, slower: f64, spread: f64) -> usize {
    const FIGURES: usize = 16;
    let mut random = StdRng::seed_from_u64(20_261_129);
    let (old, new) = ([100.0; FIGURES], [100.0 * slower; FIGURES]);
    let rule = Rule {
        tolerance: 0.0,
        ..Rule::default()
    };
    let is_called = |_: &usize| {
        let nights: Vec<_> = (0..7).map(|_| run(&mut random, &old, spread)).collect();
        let tonight = run(&mut random, &new, spread);
        (0..FIGURES).any(|at| {
            let base: Vec<_> = nights.iter().map(|night| night[at]).collect();
            let found = difference(
                &of(&base),
                &of(&[tonight[at]]),
                Better::Less,
                &rule,
                FIGURES,
            );
            found.expect("values").change == change
        })
    };
    (0..tries).filter(is_called).count()
}

#[test]
fn runs_that_differ_in_nothing_are_called_worse_no_more_often_than_stated() {
    // Without a tolerance, 5 % for both directions together, so 2.5 % for each: 50 of 2,000, plus three standard deviations.
    for change in [Change::Worse, Change::Better] {
        let called = called(change, 2_000, 1.0, 0.2);
        assert!(called <= 50 + 21, "{change:?}: {called} of 2,000");
    }
}

#[test]
fn a_night_that_is_a_fifth_slower_is_found() {
    // Runs that vary by 3 %.
    let found = called(Change::Worse, 200, 1.2, 0.03);
    assert!(found >= 190, "{found} of 200");
}

#[test]
fn what_lies_on_the_tolerance_is_within_it() {
    let most = 1.25;
    let least = 1.0 / most;
    for (low, high, less, more) in [
        (least, most, Change::Alike, Change::Alike),
        (0.5, 0.7, Change::Better, Change::Worse),
        (1.3, 1.4, Change::Worse, Change::Better),
        (least, 1.4, Change::CannotTell, Change::CannotTell),
        (most, 1.4, Change::CannotTell, Change::CannotTell),
        (0.7, most, Change::CannotTell, Change::CannotTell),
        (0.7, least, Change::CannotTell, Change::CannotTell),
    ] {
        let found = |better| change((low, high), better, 0.25, 0.25);
        assert_eq!(found(Better::Less), less, "{low} to {high}");
        assert_eq!(found(Better::More), more, "{low} to {high}");
    }
}

#[test]
fn scatter_on_both_sides_is_pooled_and_means_are_known_better_by_more_runs() {
    // Sums of squares 2 and 8, 2 + 2 degrees of freedom: pooled variance 2.5.
    let (old, new) = ([0.0, 1.0, 2.0], [0.0, 2.0, 4.0]);
    let half = half_width(&old, &new, 0.95);
    // t for 4 degrees of freedom: 2.7764.
    assert!(
        (half - 2.7764 * (2.5_f64 * 2.0 / 3.0).sqrt()).abs() < 1e-3,
        "{half}"
    );
    // Equal values are not known more exactly than a figure's resolution.
    assert!(half_width(&[1.0, 1.0], &[1.0], 0.95) > 0.0);
}

#[test]
fn a_difference_is_that_of_the_middles() {
    let found = told(&of(&[2.0, 8.0]), &of(&[8.0, 8.0]), Better::Less);
    assert!((found.base - 4.0).abs() < 1e-9 && (found.new - 8.0).abs() < 1e-9);
    assert!((found.factor - 2.0).abs() < 1e-9);
    let (low, high) = (found.low.unwrap(), found.high.unwrap());
    assert!(((low * high).sqrt() - 2.0).abs() < 1e-9, "{low} to {high}");
}

#[test]
fn an_outcome_that_nobody_could_tell_is_not_compared() {
    let (pass, fail) = (Outcome::Pass, Outcome::Fail);
    let untold = Outcome::Inconclusive;
    for (base, new, change) in [
        (vec![pass], vec![untold], Change::CannotTell),
        (vec![untold], vec![pass], Change::CannotTell),
        (vec![untold], vec![fail], Change::CannotTell),
        (vec![pass, untold], vec![fail], Change::Worse),
        (vec![fail, pass], vec![pass, pass], Change::Better),
        (vec![fail], vec![pass, untold], Change::CannotTell),
        (vec![fail], vec![fail], Change::Alike),
        (vec![pass, pass], vec![pass], Change::Alike),
    ] {
        assert_eq!(change_of_outcomes(&base, &new), change, "{base:?} {new:?}");
    }
}

#[test]
fn a_comparison_fails_for_one_worse_figure_and_passes_for_one_that_could_be_told() {
    use Change::{Alike, Better, CannotTell, Worse};
    for (changes, outcome) in [
        (&[Better, Worse, CannotTell][..], Outcome::Fail),
        (&[CannotTell, Alike], Outcome::Pass),
        (&[Better, CannotTell], Outcome::Pass),
        (&[CannotTell], Outcome::Inconclusive),
        (&[], Outcome::Inconclusive),
    ] {
        assert_eq!(outcome_of(changes.iter().copied()), outcome, "{changes:?}");
    }
}

#[test]
fn only_runs_that_were_judged_to_their_end_are_compared() {
    for outcome in Outcome::WORST_FIRST {
        let is_judged = [Outcome::Pass, Outcome::Fail].contains(&outcome);
        assert_eq!(is_comparable(outcome), is_judged, "{outcome}");
    }
}
