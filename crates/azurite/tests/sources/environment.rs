//! Tests of the choice by environment variables, and of the error if nothing works, in a process with its own environment.

use std::{env, fs, os::unix::fs::PermissionsExt as _, path::Path};

use azurite::VERSION;

use crate::support::{
    assert_goes_away, create_queue_and_table, shared,
    up::{Up, error_of},
};

/// A `DOCKER_HOST` at which nothing answers: port 1 is reserved and unused.
const NO_ENGINE: (&str, &str) = ("DOCKER_HOST", "tcp://127.0.0.1:1");

#[tokio::test]
async fn an_address_given_is_used_and_left_running() {
    let azurite = shared().await;
    let (queue, table) = (azurite.queue_url(), azurite.table_url());
    let mut child = Up::start(&[
        ("EDW_AZURITE_QUEUE_URL", &queue),
        ("EDW_AZURITE_TABLE_URL", &table),
    ]);
    let said = child.announced();
    assert_eq!(
        said["why"],
        format!("Azurite at {queue} and {table} (address given)")
    );
    assert_eq!(said["EDW_AZURITE_QUEUE_URL"], queue);
    drop(child);
    assert_eq!(
        create_queue_and_table(azurite, &azurite.sas(), "still").await,
        (201, 201)
    );
}

#[test]
fn an_address_where_nothing_answers_is_an_error_and_not_a_reason_for_docker() {
    let nobody = "http://127.0.0.1:1/devstoreaccount1";
    let error = error_of(&[
        ("EDW_AZURITE_QUEUE_URL", nobody),
        ("EDW_AZURITE_TABLE_URL", nobody),
    ]);
    assert!(
        error.contains("at the address given: http://127.0.0.1:1/devstoreaccount1 does not answer"),
        "{error}"
    );
}

#[test]
fn one_address_without_the_other_is_an_error() {
    let error = error_of(&[(
        "EDW_AZURITE_TABLE_URL",
        "http://127.0.0.1:1/devstoreaccount1",
    )]);
    assert!(
        error.contains("EDW_AZURITE_TABLE_URL is set and EDW_AZURITE_QUEUE_URL is not"),
        "{error}"
    );
}

#[test]
fn a_source_that_does_not_exist_is_an_error() {
    let error = error_of(&[("EDW_AZURITE_SOURCE", "podman")]);
    assert!(
        error.contains("must be auto, address, docker or npm"),
        "{error}"
    );
}

#[test]
fn when_nothing_works_one_error_names_all_three_and_what_to_do() {
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().to_str().unwrap();
    let error = error_of(&[NO_ENGINE, ("PATH", path), ("CARGO_TARGET_DIR", path)]);
    for part in [
        "address: no EDW_AZURITE_QUEUE_URL",
        "docker:  no Docker engine answers at tcp://127.0.0.1:1",
        "npm:     npm is not on PATH",
        "Do one of these: set EDW_AZURITE_QUEUE_URL",
        "start a Docker engine",
        "install Node.js",
    ] {
        assert!(error.contains(part), "{part:?} is missing in: {error}");
    }
}

#[test]
fn a_source_that_is_forced_is_not_fallen_back_from() {
    let error = error_of(&[NO_ENGINE, ("EDW_AZURITE_SOURCE", "docker")]);
    assert!(
        error.contains("from docker, the only source allowed here: no Docker engine answers"),
        "{error}"
    );
    let error = error_of(&[("EDW_AZURITE_SOURCE", "address")]);
    assert!(
        error.contains("from address, the only source allowed here"),
        "{error}"
    );
}

#[test]
fn without_an_engine_npm_is_used_and_ends_when_its_starter_is_killed() {
    let mut child = Up::start(&[NO_ENGINE]);
    let said = child.announced();
    let why = format!("Azurite {VERSION} from npm (no Docker engine answers at tcp://127.0.0.1:1)");
    assert_eq!(said["why"], why);
    drop(child);
    assert_goes_away(&said["EDW_AZURITE_QUEUE_URL"]);
    assert_goes_away(&said["EDW_AZURITE_TABLE_URL"]);
}

#[tokio::test]
async fn processes_that_start_together_install_once() {
    shared().await; // so that there is an installation to stand in for npm's work
    let installation = format!("azurite-{VERSION}");
    let installed = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(&installation);
    let directory = tempfile::tempdir().unwrap();
    let (cache, calls) = (
        directory.path().join("cache"),
        directory.path().join("calls"),
    );
    let npm = directory.path().join("npm");
    // `--prefix <directory>` is npm's installation directory.
    let script = format!(
        "#!/bin/sh\necho called >>{}\nwhile [ \"$1\" != --prefix ]; do shift; done\nln -s {}/node_modules \"$2\"\n",
        calls.display(),
        installed.display()
    );
    fs::write(&npm, script).unwrap();
    fs::set_permissions(&npm, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        directory.path().display(),
        env::var("PATH").unwrap()
    );
    let settings = [
        ("EDW_AZURITE_SOURCE", "npm"),
        ("EDW_CACHE", cache.to_str().unwrap()),
        ("PATH", &path),
    ];

    let mut children: Vec<Up> = (0..2).map(|_| Up::start(&settings)).collect();
    for child in &mut children {
        assert!(child.announced()["why"].contains("from npm"));
    }
    drop(children);
    assert_eq!(fs::read_to_string(&calls).unwrap(), "called\n");
    let home = cache.join(installation);
    assert!(home.is_dir());

    // What the first start has compiled serves the next one; a file that cannot be read is made anew.
    let compiled = || {
        let entries = fs::read_dir(&home).unwrap().map(|it| it.unwrap().path());
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let found: Vec<_> = entries
            .filter(|it| name(it).starts_with("compiled-"))
            .collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    let good = fs::read(compiled()).unwrap();
    fs::write(compiled(), &good[..good.len() / 2]).unwrap();
    let mut child = Up::start(&settings);
    assert!(child.announced()["why"].contains("from npm"));
    drop(child);
    let again = fs::metadata(compiled()).unwrap().len();
    assert!(
        again > good.len() as u64 / 4 * 3,
        "{again} of {}",
        good.len()
    );
}
