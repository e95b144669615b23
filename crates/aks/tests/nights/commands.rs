//! Tests that the real Azure CLI and kubectl, if installed, accept every command of a night.
//!
//! `az` checks the arguments of a command before it needs a sign-in, kubectl before it looks for a server.
//! `ci/az-check` fetches the Azure CLI, and sets `EDW_REQUIRE_AZ`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Failed, Trial};

use crate::night::Night;

/// Parts of both programs' messages about unknown arguments.
const WRONG: [&str; 6] = [
    "unrecognized",
    "required:",
    "invalid choice",
    "misspelled",
    "unknown flag",
    "unknown command",
];

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, program: &'static str| {
        Trial::test(name, move || -> Result<(), Failed> {
            taken(program);
            Ok(())
        })
    };
    vec![
        trial("the_azure_cli_takes_every_command_of_a_night", "az"),
        trial("kubectl_takes_every_command_of_a_night", "kubectl"),
    ]
}

fn taken(program: &str) {
    let Some(real) = real(program) else {
        let insists = program == "az" && std::env::var("EDW_REQUIRE_AZ").as_deref() == Ok("1");
        assert!(!insists, "ci/az-check must have fetched the Azure CLI");
        let note = format!("NOT RUN, commands of {program}: it is not here\n");
        drop(std::io::Write::write_all(
            &mut std::io::stderr(),
            note.as_bytes(),
        ));
        return;
    };
    if program == "az" {
        // Otherwise a shell's error about a program that cannot start would look like the refusal of a command.
        let starts = Command::new(&real).arg("version").output();
        assert!(
            starts.as_ref().is_ok_and(|it| it.status.success()),
            "the Azure CLI at {} does not start, so that no command was judged: a virtual environment that was moved cannot; remove it, \
             and ci/az-check makes it anew: {starts:?}",
            real.display()
        );
    }
    let commands = commands(program);
    assert!(commands.len() > 6, "{commands:?}");
    let home = tempfile::tempdir().expect("a directory");
    for command in commands {
        let said = said(&real, program, &command, home.path());
        assert!(
            !WRONG.iter().any(|word| said.contains(word)),
            "{command}\n{said}"
        );
    }
    let wrong = if program == "az" {
        "az group list --no-such-argument"
    } else {
        "kubectl get pods --no-such-argument"
    };
    let said = said(&real, program, wrong, home.path());
    assert!(
        WRONG.iter().any(|word| said.contains(word)),
        "what is wrong is not refused: {said}"
    );
}

/// Every command of a night, and every command in advice.
fn commands(program: &str) -> BTreeSet<String> {
    let advised = advised(program);
    assert!(advised.len() > 2, "{advised:?}");
    run(program).into_iter().chain(advised).collect()
}

/// The commands in the texts of this crate's sources, each from its program's name to the end of the text. A word replaces a
/// value that a reader or the program fills in. `az login` is left out, because it would sign in.
fn advised(program: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rooms = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(room) = rooms.pop() {
        for entry in std::fs::read_dir(&room).expect("the sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                rooms.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).expect("a source");
            let product = source.split("#[cfg(test)]").next().unwrap_or_default();
            let code = product
                .lines()
                .filter(|it| !it.trim_start().starts_with("//"));
            for text in code.flat_map(|line| line.split('"').skip(1).step_by(2)) {
                let begin = text.find(&format!(": {program} "));
                let begin = begin.map(|at| at + 2);
                let begin = begin.or_else(|| text.starts_with(&format!("{program} ")).then_some(0));
                if let Some(begin) = begin {
                    found.insert(filled(&text[begin..]));
                }
            }
        }
    }
    found.retain(|command| !command.starts_with("az login") && !command.starts_with("az logout"));
    // Part of an error, or the beginning of a command.
    found.retain(|command| command.contains("--") || command.split(' ').count() > 3);
    found
}

/// Replaces `<group>` and `{group}` by a word.
fn filled(command: &str) -> String {
    let mut text = String::new();
    let mut open = false;
    for letter in command.chars() {
        match letter {
            '<' | '{' => open = true,
            '>' | '}' => {
                open = false;
                text.push('x');
            }
            _ if !open => text.push(letter),
            _ => {}
        }
    }
    text
}

/// The distinct commands of a whole night and a sweep, as recorded.
fn run(program: &str) -> BTreeSet<String> {
    let mut night = Night::begin();
    night.in_a_workflow = true;
    night.up().with(0, "next");
    night.plant("keda-bare", 1);
    night.check().with(0, "ready");
    night.plant("assertion-expired", 1);
    night.plant("deletion-given-up", 1);
    night.down().with(0, "removed");
    night.sweep().with(0, "0 over");
    let mut found = BTreeSet::new();
    for file in ["night1/calls.jsonl", "sweep/calls.jsonl"] {
        let text = std::fs::read_to_string(night.out().join(file)).expect("calls");
        for line in text.lines() {
            let call: serde_json::Value = serde_json::from_str(line).expect("a call");
            let command = call["command"].as_str().expect("a command").to_owned();
            if command.split(' ').next() == Some(program) {
                found.insert(command);
            }
        }
    }
    found
}

fn said(real: &Path, program: &str, command: &str, home: &Path) -> String {
    let script = format!("{program}() {{ \"$PROGRAM\" \"$@\"; }}\n{command} </dev/null");
    let output = Command::new("timeout")
        .args(["60", "sh", "-c", &script])
        .env("PROGRAM", real)
        .env("HOME", home)
        .env("AZURE_CONFIG_DIR", home)
        .env("AZURE_CORE_COLLECT_TELEMETRY", "no")
        // An address that does not answer, so that no request is sent.
        .envs(
            ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"]
                .map(|name| (name, "http://127.0.0.1:1")),
        )
        .output()
        .expect("a shell must start");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The real `az` in the place where `ci/az-check` installs it, if it is required; any other program from PATH.
fn real(program: &str) -> Option<PathBuf> {
    if program != "az" {
        let path = std::env::var_os("PATH")?;
        let mut places = std::env::split_paths(&path).map(|place| place.join(program));
        return places.find(|place| place.is_file());
    }
    if std::env::var("EDW_REQUIRE_AZ").as_deref() != Ok("1") {
        return None;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let version = std::fs::read_to_string(root.join("ci/AZURE_CLI_VERSION")).ok()?;
    let az = target.join("azure-cli").join(version.trim()).join("bin/az");
    az.canonicalize().ok()
}
