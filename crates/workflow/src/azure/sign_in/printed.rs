//! Tests that run every command in advice with its program: the Azure CLI, kubectl and a shell.
//!
//! `ci/az-check` installs the Azure CLI into the target directory and runs these tests with `EDW_REQUIRE_AZ=1`; otherwise they
//! report that `az` was not run, since it takes a second for each command. `EDW_REQUIRE_KUBECTL=1` requires kubectl.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::access::{Signer, Target, access_mistake, account_sas, emulator_sas};
use super::{Asked, Assertion, mistake};
use crate::azure::credential::ROLES;

/// Entra's codes with advice.
const ENTRA: [&str; 16] = [
    "70021", "700223", "700211", "700212", "700213", "7002138", "700024", "7000272", "50013",
    "700027", "50027", "50166", "90061", "700016", "90002", "900023",
];

/// Storage's codes with advice.
const STORAGE: [(u16, &str); 5] = [
    (403, "AuthenticationFailed"),
    (403, "AuthorizationPermissionMismatch"),
    (403, "AuthorizationFailure"),
    (403, "KeyBasedAuthenticationNotPermitted"),
    (401, "InvalidAuthenticationInfo"),
];

/// Every command that this crate prints, with all values known and with none.
fn commands() -> BTreeSet<String> {
    let mut found = BTreeSet::from([account_sas("<account>"), emulator_sas(), ROLES.to_owned()]);
    let known = |exp| Asked {
        tenant: "tenant-1".to_owned(),
        client: "client-1".to_owned(),
        pod: "pod-1".to_owned(),
        assertion: Assertion {
            iss: "https://issuer/".to_owned(),
            sub: "system:serviceaccount:ns:sa".to_owned(),
            aud: "api://AzureADTokenExchange".to_owned(),
            exp,
        },
    };
    for asked in [known(1), known(i64::MAX), Asked::default()] {
        for code in ENTRA {
            let mistake = mistake(&format!("AADSTS{code}"), &asked).expect(code);
            found.extend(mistake.steps.into_iter().map(|step| step.command));
        }
    }
    let expiry = || "2020-01-01T00:00:00Z".to_owned();
    let client = || "client-1".to_owned();
    let signers = [
        Signer::Sas { expiry: expiry() },
        Signer::Identity { client: client() },
        Signer::Identity {
            client: String::new(),
        },
        Signer::Developer,
    ];
    for (signer, account) in signers
        .iter()
        .flat_map(|signer| [(signer, "mine"), (signer, "")])
    {
        for service in ["queue", "table"] {
            let (name, account) = ("work".to_owned(), account.to_owned());
            let target = Target {
                service,
                name,
                account,
                signer: signer.clone(),
            };
            let mistakes = STORAGE
                .iter()
                .filter_map(|(status, code)| access_mistake(*status, code, &target));
            found.extend(mistakes.flat_map(|m| m.steps).map(|step| step.command));
        }
    }
    found
}

/// The command as a reader would run it, and the commands whose output it uses, separately; each placeholder becomes a word.
fn runnable(command: &str) -> Vec<String> {
    let mut whole = command.to_owned();
    let mut parts = Vec::new();
    while let Some(from) = whole.find("\"$(") {
        let to = from + whole[from..].find(")\"").expect("a substitution must end");
        parts.extend(runnable(&whole[from + 3..to]));
        whole.replace_range(from..to + 2, "output");
    }
    let filled = whole.replace("<YYYY-MM-DDTHH:MMZ>", "2030-01-01T00:00Z");
    let mut text = String::new();
    let mut rest = filled.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        let (name, after) = after.split_once('>').expect("a placeholder must end");
        assert!(
            name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
            "<{name}> would be read as something else"
        );
        text.push_str(before);
        // Signing decodes the key first, so it must be Base64.
        text.push_str(if name == "account-key" { "a2V5" } else { "x" });
        rest = after;
    }
    text.push_str(rest);
    parts.push(text);
    parts
}

/// Runs `command` in a shell in which `program` is the one at `path`, without any sign-in.
fn run(command: &str, program: &str, path: &Path, home: &Path) -> Output {
    let script = format!("{program}() {{ \"$PROGRAM\" \"$@\"; }}\n{command}");
    Command::new("sh")
        .args(["-c", &script])
        .env("PROGRAM", path)
        .env("HOME", home)
        .env("AZURE_CONFIG_DIR", home)
        .env("AZURE_CORE_COLLECT_TELEMETRY", "no")
        .env("KUBECONFIG", home.join("none"))
        .output()
        .expect("a shell must start")
}

/// The commands of `program`.
fn of(program: &str) -> BTreeSet<String> {
    let all = commands();
    let all = all.iter().flat_map(|command| runnable(command));
    let found: BTreeSet<_> = all
        .filter(|command| command.split(' ').next() == Some(program))
        .collect();
    assert!(!found.is_empty(), "no command of {program} is printed");
    found
}

fn not_run(why: &str) {
    eprintln!("NOT RUN: {why}");
}

#[test]
fn every_command_is_one_of_az_or_kubectl_that_a_shell_reads() {
    for command in commands() {
        assert!(
            !command.contains('#') && !command.contains('\n'),
            "{command}"
        );
        for part in runnable(&command) {
            assert!(
                part.starts_with("az ") || part.starts_with("kubectl "),
                "{part}"
            );
            let read = Command::new("sh").args(["-n", "-c", &part]).output();
            let read = read.expect("a shell must start");
            assert!(
                read.status.success(),
                "{part}: {}",
                String::from_utf8_lossy(&read.stderr)
            );
            assert!(!part.contains('$'), "a variable of another process: {part}");
        }
    }
}

/// `az` checks the arguments of a command before it needs a sign-in; without one, it then ends with exit code 1 (2 means wrong
/// usage). A command with the key for signing needs no sign-in, and prints the SAS.
#[test]
fn the_azure_cli_takes_every_command() {
    if std::env::var("EDW_REQUIRE_AZ").as_deref() != Ok("1") {
        return not_run("the Azure CLI was not asked; ci/az-check does so");
    }
    let az = azure_cli().expect("ci/az-check must have fetched the Azure CLI");
    starts(&az).unwrap_or_else(|why| panic!("no command was judged: {why}"));
    let home = tempfile::tempdir().unwrap();
    for command in of("az") {
        let said = run(&command, "az", &az, home.path());
        let text = String::from_utf8_lossy(&said.stderr);
        let asks = text.contains("az login") && said.status.code() == Some(1);
        // A SAS signed with a key, which `az` first looks up: this fails, since there is no sign-in.
        let looks = text.contains("credentials") && command.contains("generate-sas");
        let signs = command.contains("--account-key ")
            && said.status.success()
            && String::from_utf8_lossy(&said.stdout).contains("sig=");
        assert!(asks || looks || signs, "{command}: {} {text}", said.status);
    }
    // A wrong command must be refused, otherwise the check would prove nothing.
    let wrong = run(
        "az identity list --no-such-argument",
        "az",
        &az,
        home.path(),
    );
    assert_eq!(wrong.status.code(), Some(2));
}

/// Whether the Azure CLI at `az` can start at all: otherwise a shell's error would look like a wrong command. The program's
/// first line names the Python of its virtual environment, by an absolute path.
fn starts(az: &Path) -> Result<(), String> {
    let text = std::fs::read(az).map_err(|error| format!("read {}: {error}", az.display()))?;
    let first = text.split(|byte| *byte == b'\n').next();
    let first = String::from_utf8_lossy(first.unwrap_or_default());
    let python = first
        .strip_prefix("#!")
        .and_then(|line| line.split_whitespace().next());
    let python = python.ok_or_else(|| format!("{} names no interpreter", az.display()))?;
    if Path::new(python).is_file() {
        return Ok(());
    }
    let own = az.ancestors().nth(2).unwrap_or(az);
    Err(format!(
        "the Azure CLI in {} cannot start: its virtual environment was moved, and {python} is gone; remove the directory, and ci/az-check \
         makes it anew",
        own.display()
    ))
}

#[test]
fn an_azure_cli_that_was_moved_is_no_broken_command() {
    let dir = tempfile::tempdir().unwrap();
    let (before, after) = (dir.path().join("before"), dir.path().join("after"));
    std::fs::create_dir_all(before.join("bin")).unwrap();
    let python = before.join("bin/python3");
    std::fs::write(&python, "").unwrap();
    let az = |own: &Path| own.join("bin/az");
    std::fs::write(az(&before), format!("#!{}\nimport sys\n", python.display())).unwrap();
    assert_eq!(starts(&az(&before)), Ok(()));
    std::fs::rename(&before, &after).unwrap();
    let why = starts(&az(&after)).unwrap_err();
    assert!(
        why.contains("was moved") && why.contains("remove the directory"),
        "{why}"
    );
    assert!(why.contains(&*after.to_string_lossy()), "{why}");
    assert!(starts(&dir.path().join("none")).is_err());
}

/// kubectl parses its flags before it looks for a server. There is no server, so it ends there.
#[test]
fn kubectl_takes_every_command() {
    let Some(kubectl) = on_path("kubectl") else {
        let insists = std::env::var("EDW_REQUIRE_KUBECTL").as_deref() == Ok("1");
        assert!(!insists, "there is no kubectl");
        return not_run("there is no kubectl");
    };
    let home = tempfile::tempdir().unwrap();
    let no_server = "--server http://127.0.0.1:1";
    for command in of("kubectl") {
        let said = run(
            &format!("{command} {no_server}"),
            "kubectl",
            &kubectl,
            home.path(),
        );
        let text = String::from_utf8_lossy(&said.stderr);
        assert!(text.contains("127.0.0.1:1"), "{command}: {text}");
    }
    let wrong = run(
        &format!("kubectl delete pod x --no-such-flag {no_server}"),
        "kubectl",
        &kubectl,
        home.path(),
    );
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("unknown flag"));
}

/// The path at which `ci/az-check` installs the Azure CLI.
fn azure_cli() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target =
        target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"));
    let version = include_str!("../../../../../ci/AZURE_CLI_VERSION").trim();
    let az = target.join("azure-cli").join(version).join("bin/az");
    az.canonicalize().ok()
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).map(|directory| directory.join(program));
    places.find(|place| place.is_file())
}
