//! What a killed load leaves in a storage that outlives it, and how it is swept.

use std::path::Path;
use std::process::Command;

use engine::Engine;
use futures::TryStreamExt as _;
use harness::events::{Event, Resource};
use nix::sys::signal::Signal;
use tokio::time::timeout;
use workflow::azure::credential::CredentialChoice;
use workflow::azure::{AccountArgs, QueueArgs, Secret, Storage, TableArgs};
use workflow::ports::{ErrorKind, ResultTable as _, StorageError, WorkQueue as _};

use super::DEADLINE;
use super::load::Running;
use crate::storage::shared_engine;

/// Which of `resources` exist.
async fn existing(engine: &Engine, resources: &[Resource]) -> Vec<bool> {
    let storage = Storage::open(&AccountArgs {
        account: None,
        endpoint_suffix: "core.windows.net".to_owned(),
        credential: CredentialChoice::Sas,
        sas: Some(Secret::new(engine.sas())),
        connection_string: None,
    });
    let storage = storage.expect("a storage");
    let mut existing = Vec::new();
    for Resource { kind, name, .. } in resources {
        let found = if kind == "queue" {
            let queue = storage.queue(&QueueArgs {
                queue: name.parse().expect("a queue's name"),
                queue_endpoint: Some(engine.queue_url().parse().expect("a URL")),
            });
            let count = queue.expect("a queue").approximate_count().await;
            count.map(drop)
        } else {
            let table = storage.table(&TableArgs {
                table: name.parse().expect("a table's name"),
                table_endpoint: Some(engine.table_url().parse().expect("a URL")),
            });
            let row = table.expect("a table").all_entities().try_next().await;
            row.map(drop)
        };
        existing.push(exists(found));
    }
    existing
}

fn exists(found: Result<(), StorageError>) -> bool {
    match found {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::NoSuchResource, "{error}");
            false
        }
    }
}

/// Sweeps the runs of `out`. Returns the exit code, and the first word of each printed line.
pub(super) fn sweep(
    out: &Path,
    flags: &[&str],
    variables: &[(&str, String)],
) -> (Option<i32>, Vec<String>) {
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .arg("sweep")
        .args(flags)
        .env_remove("EDW_AZURITE_QUEUE_URL")
        .env_remove("EDW_AZURITE_TABLE_URL")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .env("EDW_OUT", out)
        .output()
        .expect("the harness must start");
    let said = String::from_utf8(output.stdout).expect("text");
    let words = said.lines().filter_map(|line| line.split(' ').next());
    (output.status.code(), words.map(str::to_owned).collect())
}

async fn a_killed_load_is_swept() {
    let engine = shared_engine();
    let address = [
        ("EDW_AZURITE_SOURCE", "address".to_owned()),
        ("EDW_AZURITE_QUEUE_URL", engine.queue_url()),
        ("EDW_AZURITE_TABLE_URL", engine.table_url()),
    ];
    let mut load = Running::start(&address).await;
    let out = load.out().to_owned();
    let created = load.events().into_iter().filter_map(|event| match event {
        Event::ResourceCreated(resource) => Some(resource),
        _ => None,
    });
    let created: Vec<Resource> = created.collect();
    assert_eq!(existing(engine, &created).await, [true; 3]);

    let in_use = ["in", "nothing"].map(String::from).to_vec();
    assert_eq!(sweep(&out, &[], &address), (Some(0), in_use));
    load.signal(Signal::SIGKILL);
    load.end().await;
    let three = |word: &str| vec![word.to_owned(); 3];
    assert_eq!(
        sweep(&out, &["--dry-run"], &address),
        (Some(8), three("would"))
    );
    assert_eq!(sweep(&out, &[], &[]), (Some(2), three("left")));
    let elsewhere = engine.queue_url().replace("127.0.0.1", "localhost");
    let [source, _, table] = address.clone();
    let elsewhere = [source, ("EDW_AZURITE_QUEUE_URL", elsewhere), table];
    let (code, said) = sweep(&out, &[], &elsewhere);
    assert_eq!(
        (code, said),
        (
            Some(8),
            ["left", "left", "removed"].map(String::from).to_vec()
        )
    );
    assert_eq!(existing(engine, &created).await, [true, true, false]);

    let removed = vec!["removed".to_owned(); 2];
    assert_eq!(sweep(&out, &[], &address), (Some(0), removed));
    assert_eq!(existing(engine, &created).await, [false; 3]);
    let nothing = vec!["nothing".to_owned()];
    assert_eq!(sweep(&out, &[], &address), (Some(0), nothing));
}

#[tokio::test]
async fn what_a_killed_load_has_left_in_storage_is_swept_and_nothing_of_a_living_one() {
    let swept = Box::pin(a_killed_load_is_swept());
    timeout(DEADLINE, swept).await.expect("it must end");
}
