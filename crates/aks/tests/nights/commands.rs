//! Every command of a night, read by the real Azure CLI and by kubectl, where they are.
//!
//! `az` checks the arguments of a command before it asks for a sign-in, kubectl before it looks for a server.
//! `ci/az-check` fetches the Azure CLI, and sets `EDW_REQUIRE_AZ`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Failed, Trial};

use crate::night::Night;

/// What both say of arguments that they do not know.
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

/// The distinct commands of a whole night and a sweep, as they were written down.
fn commands(program: &str) -> BTreeSet<String> {
    let mut night = Night::begin();
    night.in_a_workflow = true;
    night.up().with(0, "next");
    night.plant("keda-bare", 1);
    night.check().with(0, "ready");
    night.plant("assertion-expired", 1);
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
        // To no address: nothing is asked of anybody.
        .envs(
            ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"]
                .map(|name| (name, "http://127.0.0.1:1")),
        )
        .output()
        .expect("a shell must start");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The real `az` where `ci/az-check` puts it, if that is asked for; any other program from PATH.
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
