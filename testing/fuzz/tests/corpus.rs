//! Gives every kept input of a fuzzer to its target again. Inputs that once broke something are files like the others; their names
//! say what they broke.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fuzz::TARGETS;

/// How long one input may take, without optimisation on a busy machine; usually it takes a thousandth of that.
const LIMIT: Duration = Duration::from_secs(5);

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn names_in(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("the corpus must be readable").file_name()
    };
    entries
        .map(|entry| {
            name(entry)
                .into_string()
                .expect("a name of the corpus must be text")
        })
        .collect()
}

#[test]
fn every_target_has_inputs_and_every_input_has_a_target() {
    let targets: BTreeSet<_> = TARGETS
        .iter()
        .map(|target| target.name.to_owned())
        .collect();
    assert_eq!(names_in(&corpus()), targets);
    for target in &targets {
        let inputs = names_in(&corpus().join(target)).len();
        assert!(inputs >= 3, "{target} has {inputs} inputs");
    }
}

#[test]
fn no_input_of_the_corpus_breaks_its_target() {
    let mut broken = Vec::new();
    for target in TARGETS {
        let dir = corpus().join(target.name);
        for name in names_in(&dir) {
            let input = fs::read(dir.join(&name)).unwrap();
            let began = Instant::now();
            let ended = catch_unwind(|| (target.run)(&input));
            let took = began.elapsed();
            if ended.is_err() || took > LIMIT {
                broken.push(format!("{}/{name} ({took:?})", target.name));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
