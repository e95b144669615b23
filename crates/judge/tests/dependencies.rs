//! Checks what the judge uses. The compiler allows every crate in its dependency tree, all of `std`, and every function of the
//! two crates that it may use: so these tests check the tree, the parts of `std`, and the list of functions that
//! `clippy.toml` refuses.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the test asks cargo, and reads sources"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crates of this workspace on which the judge may depend. A judge that shares code with the programs that it judges proves
/// nothing.
const OURS: [&str; 3] = ["contract", "evidence", "judge"];

/// Clients, servers and runtimes that it may not use, by the beginning of their names.
const FOREIGN: [&str; 9] = [
    "async-std",
    "aws-lc",
    "azure_",
    "hyper",
    "mio",
    "reqwest",
    "rustls",
    "smol",
    "tokio",
];

/// The judge and all of its dependencies: the name, and whether the crate is of this workspace.
fn tree() -> BTreeSet<(String, bool)> {
    let told = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package=judge", "--prefix=none"])
        .args(["--edges=normal,build", "--format={p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo must start");
    let (text, error) = (told.stdout, String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success(), "{error}");
    let text = String::from_utf8(text).expect("names must be text");
    let lines = text.lines().map(|line| line.trim_end_matches(" (*)"));
    lines
        .filter_map(|line| {
            let (name, rest) = line.split_once(' ')?;
            // Crates of the workspace are listed with their directory.
            let is_ours = rest.contains("(/") || rest.contains(":\\");
            Some((name.to_owned(), is_ours))
        })
        .collect()
}

#[test]
fn the_judge_knows_contract_and_evidence_and_no_client_and_no_runtime() {
    let tree = tree();
    let ours = tree.iter().filter(|(_, is_ours)| *is_ours);
    let ours: Vec<&str> = ours.map(|(name, _)| name.as_str()).collect();
    assert_eq!(ours, OURS);
    let is_foreign = |name: &str| FOREIGN.iter().any(|foreign| name.starts_with(foreign));
    let foreign = tree.iter().filter(|(name, _)| is_foreign(name));
    assert_eq!(foreign.collect::<Vec<_>>(), Vec::<&(String, bool)>::new());
    // Otherwise the list would be empty by mistake.
    assert!(tree.iter().any(|(name, _)| name == "serde"), "{tree:?}");
}

/// The Rust files of `dir` and below, except for tests.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("sources must be there");
    let entries = entries.map(|entry| entry.expect("an entry must be readable").path());
    let is_test = |path: &PathBuf| {
        ["tests", "tests.rs"]
            .iter()
            .any(|name| path.ends_with(name))
    };
    let (dirs, files): (Vec<_>, Vec<_>) = entries
        .filter(|path| !is_test(path))
        .partition(|path| path.is_dir());
    let below = dirs.iter().flat_map(|dir| sources(dir));
    files.into_iter().chain(below).collect()
}

/// The modules of the crate `name` beside the judge, or of the judge, each with its code: without comments, and without the tests
/// at the end of a file.
fn code_of(name: &str) -> Vec<(String, String)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a crate has a directory");
    let sources = sources(&crates.join(name).join("src"));
    let code = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("a source must be text");
        let code = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default();
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        let code = code.lines().filter(is_code).collect::<Vec<_>>().join("\n");
        (
            path.file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            code,
        )
    };
    sources.iter().map(code).collect()
}

/// The parts of `std` that the judge may name: none of them has a clock, a file, a network or a thread.
const PURE: [&str; 14] = [
    "borrow",
    "cmp",
    "collections",
    "error",
    "f64",
    "fmt",
    "hash",
    "iter",
    "mem",
    "num",
    "ops",
    "slice",
    "sync::Arc",
    "time::Duration",
];

/// What `code` names of `std` and is not in [`PURE`].
fn impure(code: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let names = ["std::", "core::", "alloc::"].into_iter().flat_map(|root| {
        code.match_indices(root).filter_map(move |(at, _)| {
            let is_whole = !code[..at].ends_with(|c: char| is_part(c));
            let rest = &code[at + root.len()..];
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            is_whole.then_some(&rest[..end])
        })
    });
    let is_pure = |name: &&str| {
        let is_of = |pure: &&str| {
            let rest = name.strip_prefix(*pure);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        PURE.iter().any(is_of)
    };
    names.filter(|name| !is_pure(name)).collect()
}

#[test]
fn the_judge_names_no_part_of_std_that_has_a_clock_or_does_io() {
    for (module, code) in code_of("judge") {
        assert_eq!(impure(&code), Vec::<&str>::new(), "in {module}");
    }
    for (code, found) in [
        ("use std::time::Duration;", None),
        ("use std::time::Instant;", Some("time::Instant")),
        ("use std::time::{Duration, Instant};", Some("time::")),
        ("use std::{fs, fmt};", Some("")),
        ("std::fs::OpenOptions::new()", Some("fs::OpenOptions::new")),
        (
            "core::sync::atomic::AtomicBool",
            Some("sync::atomic::AtomicBool"),
        ),
        ("std::collections::BTreeMap::new()", None),
        ("let mystd::fs = 1;", None),
    ] {
        assert_eq!(impure(code), Vec::from_iter(found), "{code}");
    }
}

/// What a function names if it reaches outside: files, the network, the process, the clock.
const OUTSIDE: [&str; 10] = [
    "ANY.",
    "File::",
    "HOOK",
    "Instant::now",
    "OpenOptions::",
    "REPLACED",
    "SystemTime::now",
    "env::",
    "fs::",
    ".write_all(",
];

/// The name of the type that the last `impl` before the end of `code` is for; `None` at the top of a file.
fn type_of(code: &str) -> Option<String> {
    let (at, _) = code.match_indices("\nimpl").last()?;
    let line = code[at..].lines().nth(1)?;
    // A free function after the block is not of the type.
    let is_over = code[at..].contains("\n}\n");
    let name = line.split(" for ").last()?.trim_start_matches("impl");
    let name = name.trim_start_matches(|c| c != ' ').trim();
    let end = name.find(|c: char| !c.is_alphanumeric());
    (!is_over).then(|| name[..end.unwrap_or(name.len())].to_owned())
}

/// The public functions of `module` in `code` that name one of `outside`, each with its type, or with the module.
fn reaching(module: &str, code: &str, outside: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, begin) in code.match_indices("pub fn ") {
        let (name, rest) = code[at + begin.len()..]
            .split_once(['(', '<'])
            .expect("a function has parameters");
        // It ends where the next function begins.
        let body = rest.split("fn ").next().unwrap_or_default();
        if outside.iter().any(|it| body.contains(it.as_str())) {
            let of = type_of(&code[..at]).unwrap_or_else(|| module.to_owned());
            found.insert(format!("{of}::{name}"));
        }
    }
    found
}

/// The public functions of the crate `name` that reach outside, by themselves or through each other.
fn reaching_of(name: &str) -> BTreeSet<String> {
    let code = code_of(name);
    let mut outside: BTreeSet<String> = OUTSIDE.map(str::to_owned).into();
    loop {
        let of = |(module, code): &(String, String)| reaching(module, code, &outside);
        let found: BTreeSet<String> = code.iter().flat_map(of).collect();
        let count = outside.len();
        outside.extend(found.iter().map(|path| format!("{path}(")));
        if outside.len() == count {
            return found;
        }
    }
}

#[test]
fn clippy_refuses_every_function_of_contract_and_evidence_that_reaches_outside() {
    let refused = include_str!("../clippy.toml");
    for name in ["contract", "evidence"] {
        let paths = refused.split("path = \"").skip(1);
        let paths = paths.map(|rest| rest.split('"').next().unwrap());
        let of_crate = paths.filter(|path| path.starts_with(&format!("{name}::")));
        let last_two = |path: &str| {
            let parts: Vec<&str> = path.rsplitn(3, "::").collect();
            format!("{}::{}", parts[1], parts[0])
        };
        let refused: BTreeSet<_> = of_crate.map(last_two).collect();
        assert_eq!(refused, reaching_of(name), "{name}");
    }
}
