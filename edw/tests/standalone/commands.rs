//! What the commands do in a directory without the repository.

use std::fs;

use crate::place::Place;

/// A load that takes a second or two.
const LOAD: [&str; 7] = [
    "load",
    "--messages",
    "300",
    "--shape",
    "constant:300/s",
    "--consumers",
    "2",
];

#[test]
fn two_loads_of_a_user_without_rights_get_their_verdicts_in_an_empty_directory() {
    let place = Place::new();
    for said in place.run_as_nobody(&[&LOAD, &LOAD]) {
        said.expect(0, &["PASS", "edw load --messages 300", "edw-out/runs/"]);
        assert!(!said.out.contains("cargo"), "{}", said.out);
    }
    let out = place.directory().join("edw-out");
    let entries = |dir| fs::read_dir(dir).expect("a directory").flatten();
    let runs: Vec<_> = entries(out.join("runs"))
        .map(|entry| entry.path())
        .collect();
    assert_eq!(runs.len(), 2, "{runs:?}");
    for run in &runs {
        assert!(run.join("report.html").is_file(), "{}", run.display());
    }
    let ignored = fs::read_to_string(out.join(".gitignore")).expect("a .gitignore");
    assert_eq!(ignored, "*\n");
    let beside: Vec<_> = entries(place.directory())
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(
        beside,
        ["edw-out"],
        "nothing else may be left in the project"
    );
}

#[test]
fn the_features_and_manifests_that_it_carries_are_judged_by() {
    let place = Place::new();
    let lint = place.run(&["lint", "--deny-unused"]);
    lint.expect(0, &["scenarios checked, 0 problems"]);
    let name = "One message brings one consumer";
    let run = place.run(&["run", "--storage", "engine", name]);
    run.expect(0, &["1 passed, 0 failed", "edw-out/runs/"]);
}

#[test]
fn settings_that_it_carries_are_simulated_without_kubectl() {
    let place = Place::new();
    let simulated = place.run(&["simulate", "builtin:k8s/base"]);
    simulated.expect(0, &["builtin:prices.yaml", "edw-out/simulations"]);
}

#[test]
fn an_exported_feature_is_the_projects_own_and_may_be_edited() {
    let place = Place::new();
    place.write("edw.yaml", "");
    let exported = place.run(&["export", ".", "features"]);
    exported.expect(0, &["files written, 0 were there already"]);
    for other in [
        "aks",
        "faults",
        "identity",
        "latency",
        "node_drain",
        "scale_out",
        "spot_eviction",
    ] {
        let file = format!("features/{other}.feature");
        fs::remove_file(place.directory().join(file)).expect("an exported file");
    }
    let mine = "Feature: Mine\n  Scenario: My own\n    Given 2 consumers\n    \
        When 20 messages are sent at 100 per second\n    Then within 30 s every message has exactly one result\n";
    place.write("features/exactly_once.feature", mine);
    // In a directory below, the project is still the one with the description.
    let listed = place.run_in("src/deep", &["run", "--list"]);
    assert_eq!(listed.expect(0, &[]).out, "My own: test\n");
    // Both features, by their names.
    let both = [
        "run",
        "--list",
        "--features",
        "features",
        "--features",
        "builtin:features",
    ];
    place.run(&both).expect(
        0,
        &["My own: test", "One message brings one consumer: test"],
    );

    let refused = place.run(&["export", ".", "features"]);
    refused.expect(2, &["features/exactly_once.feature", "--overwrite"]);
    let kept = fs::read_to_string(place.directory().join("features/exactly_once.feature"));
    assert_eq!(kept.expect("a file"), mine);
}

#[test]
fn another_tools_features_are_not_taken_for_its_own() {
    let place = Place::new();
    place.write("features/steps/steps.py", "");
    let lint = place.run(&["lint"]);
    lint.expect(0, &["0 problems"]);
}

#[test]
fn an_export_writes_what_can_be_edited_and_the_guides_where_they_are_named() {
    let place = Place::new();
    place.run(&["export", "own"]).expect(0, &["files written"]);
    place
        .run(&["export", "guides", "docs"])
        .expect(0, &["LOAD.md"]);
    let is_there = |path: &str| place.directory().join(path).exists();
    for path in [
        "own/features",
        "own/k8s",
        "own/prices.yaml",
        "guides/docs/README.md",
    ] {
        assert!(is_there(path), "{path}");
    }
    assert!(!is_there("own/docs") && !is_there("guides/k8s"));
}

/// The description is as much the project's as its features.
#[test]
fn lint_without_a_name_checks_the_description_of_the_project_too() {
    let place = Place::new();
    place.write("edw.yaml", "messages: 5\n");
    let lint = place.run_in("src/deep", &["lint"]);
    let said = lint.expect(
        2,
        &["1 description checked", "scenarios checked, 0 problems"],
    );
    assert!(said.out.contains("edw.yaml:1: "), "{}", said.out);
}

#[test]
fn a_shell_completes_its_commands_and_man_shows_each() {
    let place = Place::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let said = place.run(&["completions", shell]);
        said.expect(0, &["edw", "simulate", "consumer-command"]);
        assert!(
            !said.out.contains("guard"),
            "hidden commands are not for people: {shell}"
        );
    }
    place.run(&["man", "man1"]).expect(0, &["man1"]);
    let help = place.run(&["help"]);
    let commands = help.out.lines().filter_map(|line| {
        let line = line.strip_prefix("  ")?;
        let word = line.split(' ').next()?;
        let is_command = word.starts_with(|first: char| first.is_ascii_lowercase());
        (is_command && word != "help").then_some(word)
    });
    let commands: Vec<_> = commands.collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let page = place.directory().join(format!("man1/edw-{command}.1"));
        let text = fs::read_to_string(&page);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        assert!(text.contains(".SH SYNOPSIS"), "{command}: {text}");
    }
}
