use cucumber::gherkin::GherkinEnv;

use super::*;

fn problems(steps: &str) -> Vec<String> {
    let text = format!("Feature: f\n  Scenario: s\n{steps}");
    let feature = Feature::parse(text, GherkinEnv::default()).unwrap();
    scenarios(&feature)
        .flat_map(|(rule, scenario)| of_scenario(&feature, rule, scenario, Path::new("a.feature")))
        .map(|problem| problem.to_string())
        .collect()
}

const GOOD: &str = "    Given 1 consumer\n    When 5 messages are sent at once\n    \
                    Then within 30 s every message has exactly one result\n";

#[test]
fn a_good_scenario_has_no_problem() {
    assert_eq!(problems(GOOD), [""; 0]);
}

#[test]
fn each_problem_is_named_with_its_line() {
    let when = "    When 6 messages are sent at once\n";
    for (steps, expected) in [
        (
            GOOD.replace("1 consumer", "nonsense"),
            "a.feature:3: the step 'Given nonsense' is not defined; the features that 'harness export DIR features' writes",
        ),
        (
            GOOD.replace(
                "    When",
                "    Given 2 consumers\n    When 4 messages are sent at once\n    When",
            ),
            "a.feature:6: a second When",
        ),
        (format!("{GOOD}{when}"), "a.feature:6: When after Then"),
        (
            GOOD.replace("    When 5 messages are sent at once\n", ""),
            "a.feature:2: the scenario \"s\" has no When",
        ),
        (
            "    When 5 messages are sent at once\n".to_owned(),
            "a.feature:2: the scenario \"s\" has no Then",
        ),
        (
            GOOD.replace(
                "within 30 s every message has exactly one result",
                "no message was delivered more than once",
            ),
            "a.feature:2: the scenario \"s\" has no deadline",
        ),
        (
            "    nothing\n".to_owned(),
            "a.feature:2: the scenario \"s\" has no step",
        ),
    ] {
        let found = problems(&steps);
        assert!(
            found.iter().any(|problem| problem.starts_with(expected)),
            "{expected:?} is not in {found:?}"
        );
    }
}

#[test]
fn what_a_step_reads_and_nobody_means_is_named_with_its_line() {
    for (steps, expected) in [
        (
            GOOD.replace("Given", "And"),
            "a.feature:3: the first step begins with And, and no step before it says what it goes on with; write Given, When or Then",
        ),
        (
            GOOD.replace("Given", "*"),
            "a.feature:3: the first step begins with *",
        ),
        (
            GOOD.replace("1 consumer", "0 consumers"),
            "a.feature:3: 'Given 0 consumers': without a consumer nothing is done",
        ),
        (
            GOOD.replace("within 30 s", "within 30s"),
            "a.feature:5: the step 'Then within 30s every message has exactly one result' is not defined; do you mean 'within 30 s every message \
             has exactly one result'?",
        ),
        (
            GOOD.replace(
                "    When",
                "    And no consumer, and the workload's own scaling settings but for these:\n      | setting | value |\n      | polling interval | 0 s |\n    When",
            ),
            "a.feature:4: polling interval of 0 s: write 1 or more",
        ),
        (
            GOOD.replace(
                "    When",
                "    And requests meet this trouble:\n      | requests | trouble |\n      | 120 % of all inserts | no answer |\n    When",
            ),
            "a.feature:4: 120 % is no share of them; write 1 to 100 %",
        ),
        (
            GOOD.replace(
                "    When",
                "    And consumers die:\n      | consumers | moment |\n      | 0 | before an insert reaches storage |\n    When",
            ),
            "a.feature:4: \"0\" is no number of consumers that die; write 1 or more",
        ),
        (
            format!("{GOOD}    And latency stays within these limits:\n      | hop | percentile | limit |\n      | end to end | p90 | 0 ms |\n"),
            "a.feature:6: no message takes 0 ms; write a limit above 0",
        ),
    ] {
        let found = problems(&steps);
        assert!(
            found.iter().any(|problem| problem.starts_with(expected)),
            "{expected:?} is not in {found:?}"
        );
    }
}

#[test]
fn values_that_a_step_cannot_take_are_no_step() {
    let given = |sentence: &str| GOOD.replace("1 consumer", sentence);
    for sentence in [
        "30 % of all requests get 503 ServerBusy",
        "100 % of all receives get an answer 200 ms late",
        "the first 5 inserts get half an answer",
        "3 consumers die before an insert reaches storage",
    ] {
        assert_eq!(problems(&given(sentence)), [""; 0], "{sentence}");
    }
    for sentence in [
        "120 % of all requests get 503 ServerBusy",
        "30 % of all requests get 418 Teapot",
        "the first 5 inserts get an answer late",
        "3 consumers die of boredom",
    ] {
        assert_eq!(problems(&given(sentence)).len(), 1, "{sentence}");
    }
}

#[test]
fn a_deadline_is_a_time_after_within() {
    for (sentence, says) in [
        ("within 30 s every message has exactly one result", true),
        (
            "that consumer ended by itself within 10 s, with exit code 0",
            true,
        ),
        ("each message takes 30 s of work", false),
        ("latency stays within these limits:", false),
    ] {
        assert_eq!(says_by_when(sentence), says, "{sentence}");
    }
}

#[test]
fn a_deadline_is_not_missed_where_a_step_is_not_defined() {
    let steps = GOOD.replace("within 30 s", "within 30s");
    let found = problems(&steps);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn an_unknown_tag_is_told_with_those_that_there_are() {
    let text = format!("Feature: f\n  @seriel\n  Scenario: s\n{GOOD}");
    let lint = crate::scenario::check_feature(Path::new("a.feature"), &text).unwrap();
    let told = lint.problems[0].to_string();
    assert_eq!(
        told,
        "a.feature:3: unknown tag @seriel; there are @serial (runs alone, since it measures time), @smoke (one of the few that --smoke runs), \
         @cluster and @aks (make sense there alone)"
    );
    for tag in crate::scenario::needs::TAGS {
        assert!(told.contains(&format!("@{tag} ")), "{tag}");
    }
}
