//! Files of other projects, which are kept in `docs/field`: `docs/FIELD.md` lists the result of each, and this test checks that the
//! result is still the same. Connection strings are tested in `workflow` (`connection_string/field.rs`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use workflow::contract::Message;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A row of the page's table of kept files.
#[derive(Debug)]
struct Kept {
    /// The file's path below `docs/field`.
    file: String,
    /// The command or check that reads it.
    with: String,
    /// The exit code, or the reason of a message.
    code: String,
    /// Texts of the output.
    texts: Vec<String>,
}

fn kept() -> Vec<Kept> {
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/FIELD.md")).expect("the page");
    let (_, table) = page.split_once("## Kept files").expect("its table");
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let quoted = |cell: &str| {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [file, _source, with, came_out] = cells[..] else {
            panic!("four cells: {line}")
        };
        Kept {
            file: file.trim_matches('`').to_owned(),
            with: with.to_owned(),
            code: came_out.split(':').next().unwrap_or_default().to_owned(),
            texts: quoted(came_out),
        }
    };
    rows.map(row).collect()
}

fn path(file: &str) -> PathBuf {
    Path::new(ROOT).join("docs/field").join(file)
}

/// The exit code or the reason, and the whole output.
fn tried(kept: &Kept, out: &Path) -> (String, String) {
    let file = path(&kept.file);
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    match kept.with.as_str() {
        "lint" => command.arg("lint").arg(file),
        "simulate" => command.arg("simulate").arg(file),
        "trace" => command
            .args(["simulate", "--shape"])
            .arg(format!("trace:{}", file.display()))
            .arg(path("manifests/plain.yaml")),
        "messages" => command
            .arg("init")
            .arg("--messages")
            .arg(file)
            .arg("--rows")
            .arg(path("exports/queried.json")),
        "rows" => command
            .arg("init")
            .arg("--rows")
            .arg(file)
            .arg("--messages")
            .arg(path("exports/peeked.json")),
        "message" => {
            let body = std::fs::read_to_string(file).expect("a message");
            let error = Message::decode(&body).expect_err("no message of ours");
            return (error.reason().to_string(), error.to_string());
        }
        other => panic!("nothing is tried with {other}"),
    };
    if ["simulate", "trace"].contains(&kept.with.as_str()) {
        command.args(["--horizon", "5m", "--out"]).arg(out);
    }
    if kept.with == "simulate" {
        command.args(["--shape", "burst", "--messages", "100"]);
    }
    let output = command.output().expect("the harness must start");
    let code = output.status.code().expect("an exit code").to_string();
    // On one line, since answers are wrapped for a terminal.
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    (code, said.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn every_kept_file_still_does_what_the_page_says() {
    let all: Vec<Kept> = kept()
        .into_iter()
        .filter(|it| it.with != "connection string")
        .collect();
    let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let wrong = |kept: &Kept| {
        let (code, said) = tried(kept, out.path());
        let missing = kept.texts.iter().find(|text| !said.contains(*text));
        assert!(!kept.texts.is_empty(), "{kept:?} promises nothing");
        (code != kept.code || missing.is_some()).then(|| format!("{kept:?}: {code} {said}"))
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let parts = all.chunks(all.len().div_ceil(4));
        let parts: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter().filter_map(wrong).collect::<Vec<_>>()))
            .collect();
        let found = parts
            .into_iter()
            .flat_map(|part| part.join().expect("a part"));
        found.collect()
    });
    assert_eq!(wrong, [""; 0]);
}

/// Every file has a row, every row has a file, and there are as many as required.
#[test]
fn the_page_lists_every_kept_file() {
    let listed: BTreeSet<String> = kept().into_iter().map(|it| it.file).collect();
    let mut found = BTreeSet::new();
    for room in std::fs::read_dir(path("")).expect("the directory") {
        let room = room.expect("an entry").path();
        for file in std::fs::read_dir(&room).expect("a directory") {
            let file = file.expect("an entry").path();
            let name = file.strip_prefix(path("")).expect("below it");
            found.insert(name.to_str().expect("a text").to_owned());
        }
    }
    assert_eq!(listed, found);
    assert!(listed.len() >= 40, "{}", listed.len());
}
