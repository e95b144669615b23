//! Tests the structure of the workspace: the rooms of each crate, its top-level modules, use each other in one direction only, so that
//! each room can be read, or moved, without the rooms that use it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms that it uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// The Rust files of `dir` and below.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let (dirs, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let below = dirs.iter().flat_map(|dir| sources(dir));
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|it| it == "rs");
    files.into_iter().filter(is_rust).chain(below).collect()
}

/// The room that the file at `path` below the sources belongs to.
fn room_of(path: &Path) -> String {
    let first = path.components().next().unwrap();
    let name = first.as_os_str().to_str().unwrap();
    name.trim_end_matches(".rs").to_owned()
}

/// The names after each `crate::` in `code`; of a list in braces, the first name of each entry.
fn names(code: &str) -> BTreeSet<String> {
    let name = |text: &str| {
        let is_part = |each: char| each.is_alphanumeric() || each == '_';
        let end = text.find(|each| !is_part(each)).unwrap_or(text.len());
        text[..end].to_owned()
    };
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            names.insert(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut is_first = true;
        for (at, each) in list.char_indices() {
            match each {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => is_first = true,
                _ if is_first && !each.is_whitespace() => {
                    names.insert(name(&list[at..]));
                    is_first = false;
                }
                _ => {}
            }
        }
    }
    names
}

/// The rooms that `files` use, each file with its path below the sources. Comments and tests do not count.
fn uses(files: impl IntoIterator<Item = (PathBuf, String)>) -> Uses {
    let mut uses = Uses::new();
    for (path, text) in files {
        let others = uses.entry(room_of(&path)).or_default();
        others.extend(names(&code(&text)));
    }
    let rooms: BTreeSet<String> = uses.keys().cloned().collect();
    for (room, others) in &mut uses {
        others.retain(|other| other != room && rooms.contains(other));
    }
    uses
}

/// The rooms that are part of a cycle; empty if they use each other in one direction only.
fn circles(mut uses: Uses) -> Uses {
    loop {
        let left: BTreeSet<String> = uses.keys().cloned().collect();
        for others in uses.values_mut() {
            others.retain(|other| left.contains(other));
        }
        uses.retain(|_, others| !others.is_empty());
        if uses.len() == left.len() {
            return uses;
        }
    }
}

/// Whether the file at `path` below the sources belongs to a room and is no test. The files in the list join the rooms, and this file
/// names them.
fn is_room(path: &Path) -> bool {
    let joins = ["lib.rs", "main.rs", "rooms.rs"].map(Path::new);
    let is_test = |name: &OsStr| name == "tests" || name == "tests.rs";
    !joins.contains(&path) && !path.iter().any(is_test)
}

/// The crates of the workspace.
fn crates() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let below = ["crates", "testing"].map(|below| fs::read_dir(root.join(below)).unwrap());
    let below = below.into_iter().flatten().map(|it| it.unwrap().path());
    let above = ["consumer", "edw", "harness", "producer"].map(|name| root.join(name));
    let all = below.chain(above);
    all.filter(|it| it.join("src").is_dir()).collect()
}

#[test]
fn rooms_use_each_other_in_one_direction() {
    let mut count = 0;
    for of in crates() {
        let dir = of.join("src");
        let all = sources(&dir).into_iter().map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(&dir).unwrap().to_owned(), text)
        });
        let uses = uses(all.filter(|(path, _)| is_room(path)));
        count += uses.values().map(BTreeSet::len).sum::<usize>();
        assert_eq!(circles(uses), Uses::new(), "{}", of.display());
    }
    assert!(count > 300, "{count} uses were found");
}

#[test]
fn a_circle_is_found_whichever_way_it_is_written() {
    let found = |files: &[(&str, &str)]| {
        let files = files
            .iter()
            .map(|(path, text)| (path.into(), (*text).to_owned()));
        circles(uses(files)).into_keys().collect::<Vec<_>>()
    };
    let run = ("run/mod.rs", "use crate::report::Report;");
    let verify = ("verify.rs", "// a comment that names crate::run");
    assert!(found(&[run, verify, ("report.rs", "use crate::verify;")]).is_empty());
    for circle in [
        "use crate::run::Run;",
        "use crate::{verify::{self, Verified}, run::Run};",
        "fn f() { crate::run::start() }",
    ] {
        let found = found(&[run, verify, ("report/html/mod.rs", circle)]);
        assert_eq!(found, ["report", "run"], "{circle}");
    }
}

/// What a step must not name: it translates a sentence into one call of `run`, or into a question to `judge`, and hands the answer
/// back. Waits, chance, comparisons and outcomes are elsewhere, and so are storage, the clock and reports.
const NOT_IN_STEPS: [&str; 18] = [
    "NotPassed",
    "Outcome",
    "StdRng",
    "StorageTime",
    "Unmet",
    "\n    loop {",
    "sleep",
    "until::",
    "is_starved",
    "anyhow!",
    "assert!",
    "assert_eq!",
    "assert_ne!",
    "bail!",
    "ensure!",
    "Stamp::now",
    ".store()",
    "report::",
];

/// What a `Then` step must not contain, beyond what no step may: comparisons, by which it would decide for itself.
const NOT_IN_THENS: [&str; 10] = [
    " == ",
    " != ",
    " < ",
    " <= ",
    " > ",
    " >= ",
    "if ",
    "Err(anyhow",
    "matches!",
    "panic!",
];

/// What `run` must not name: it measures, and returns what `judge` makes of it.
const NOT_IN_RUN: [&str; 3] = ["NotPassed", "Outcome", "Unmet"];

/// The code in `text`: without comments, and without the tests at its end.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    code.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

/// Those of `names` that the code in `text` names.
fn named<'a>(text: &str, names: &[&'a str]) -> Vec<&'a str> {
    let code = code(text);
    let names = names.iter().filter(|name| code.contains(**name));
    names.copied().collect()
}

/// Whether the step file at `path` has sentences that are judged, and no others.
fn has_thens(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.starts_with("then_")
}

/// The functions in `code` with an attribute that begins like this, each with its attribute.
fn functions<'a>(code: &'a str, attribute: &str) -> Vec<&'a str> {
    let begins = code.match_indices(attribute).map(|(at, _)| &code[at..]);
    begins
        .map(|rest| {
            rest.split_once("\n}")
                .map_or(rest, |(function, _)| function)
        })
        .collect()
}

#[test]
fn steps_translate_and_leave_waiting_chance_and_judgement_to_others() {
    let steps = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scenario/steps");
    let mut count = 0;
    for path in sources(&steps) {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(named(&text, &NOT_IN_STEPS), [""; 0], "{}", path.display());
        let code = code(&text);
        let thens = functions(&code, "#[then(");
        count += thens.len();
        // A file of nothing else has helpers of them, too.
        let judged = if has_thens(&path) {
            vec![&*code]
        } else {
            thens
        };
        for judged in judged {
            assert_eq!(named(judged, &NOT_IN_THENS), [""; 0], "{judged}");
        }
    }
    assert!(count >= 40, "{count} judged sentences");
}

#[test]
fn each_judged_sentence_of_a_file_is_found() {
    let file = "#[given(a)]\nfn a() {\n    if b {\n    }\n}\n#[then(b)]\nfn b() {\n    c == d\n}\n#[then(e)]\nasync fn e() {\n}\nfn f() {\n    g != h\n}\n";
    let thens = functions(file, "#[then(");
    let found = thens.iter().map(|then| named(then, &NOT_IN_THENS));
    assert_eq!(found.collect::<Vec<_>>(), [vec![" == "], vec![]]);
}

#[test]
fn a_run_measures_and_leaves_outcomes_to_the_judge() {
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/run");
    let files = sources(&run);
    assert!(files.len() > 10, "{files:?}");
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(named(&text, &NOT_IN_RUN), [""; 0], "{}", path.display());
    }
}

#[test]
fn a_step_that_compares_is_found_whichever_way_it_is_written() {
    for judgement in [
        "ensure!(found >= requests, \"{found} were hit\");",
        "anyhow::ensure!(leaks.is_empty(), \"leaks\");",
        "if found > most { bail!(\"{found} died\") }",
        "return Err(anyhow::anyhow!(\"late\").into());",
        "assert_eq!(found, 3);",
    ] {
        let found = [
            named(judgement, &NOT_IN_STEPS),
            named(judgement, &NOT_IN_THENS),
        ];
        assert_ne!(found.concat(), [""; 0], "{judgement}");
    }
    let told = "// ensure! is not here\nfn f() {}\n#[cfg(test)]\nmod tests { assert_eq!(1, 1) }";
    assert_eq!(named(told, &NOT_IN_STEPS), [""; 0]);
}

/// The programs of the workspace whose parts are the workload's, its storage's or its environment's; `edw` is the harness.
#[test]
fn every_program_watches_for_panics() {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = harness.parent().unwrap();
    let crates = fs::read_dir(root.join("crates")).unwrap();
    let crates = crates.map(|entry| entry.unwrap().path());
    let programs = ["consumer", "producer"].map(|name| root.join(name));
    let mut found = Vec::new();
    for program in crates.chain(programs) {
        if !program.join("src/main.rs").is_file() {
            continue;
        }
        let mut texts = sources(&program.join("src")).into_iter();
        let watches = texts.any(|path| {
            fs::read_to_string(path)
                .unwrap()
                .contains("panics::watch()")
        });
        assert!(watches, "{} has no panic hook", program.display());
        found.push(program);
    }
    assert!(found.len() >= 6, "{found:?}");
    // The hook of the harness is another one: it also ends a load or a suite.
    let cli = fs::read_to_string(harness.join("src/cli.rs")).unwrap();
    assert!(cli.contains("Stray::watch()"));
}
