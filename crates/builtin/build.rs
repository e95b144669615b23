//! Writes the table of the files that the program contains: their names and contents.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The contained files: the name in the program, and the path in the repository.
const PARTS: [(&str, &str); 4] = [
    ("docs", "docs"),
    ("features", "features"),
    ("k8s", "k8s"),
    ("prices.yaml", "docs/prices.yaml"),
];

/// Files of these parts that only tests read.
const OF_TESTS: &str = "docs/field";

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for (name, place) in PARTS {
        let place = root.join(place);
        // cargo watches every file in a directory.
        println!("cargo::rerun-if-changed={}", place.display());
        add(name, &place, &mut files)?;
    }
    files.sort();
    let mut table = String::from("&[\n");
    for (name, place) in files {
        let place = place.canonicalize()?;
        let place = place
            .to_str()
            .expect("the path of the repository must be text");
        writeln!(table, "    ({name:?}, include_bytes!({place:?})),").expect("a string must grow");
    }
    table.push(']');
    fs::write(Path::new(&variable("OUT_DIR")).join("files.rs"), table)
}

/// Adds `place`, or every file below it, without hidden files, which are an editor's.
fn add(name: &str, place: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    if place.is_file() {
        files.push((name.to_owned(), place.to_owned()));
        return Ok(());
    }
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        let part = entry
            .file_name()
            .into_string()
            .expect("a file's name must be text");
        let name = format!("{name}/{part}");
        if !part.starts_with('.') && name != OF_TESTS {
            add(&name, &entry.path(), files)?;
        }
    }
    Ok(())
}

fn variable(name: &str) -> String {
    env::var(name).expect("cargo must set its variables")
}
