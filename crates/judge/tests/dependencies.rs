//! Checks the judge's dependencies: the compiler allows every crate in its dependency tree, so this test checks the tree.

use std::collections::BTreeSet;
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
