//! Tests of the published image in a container. If no engine is usable, a test reports this and does nothing else, unless
//! `EDW_REQUIRE_DOCKER=1` makes it a failure.

use std::{
    collections::HashMap,
    io::{Write as _, stderr},
    path::Path,
};

use azurite::{Azurite, Error, Ports, Source};
use testcontainers::{
    bollard::query_parameters::{InspectContainerOptions, ListContainersOptionsBuilder},
    core::client::docker_client_instance,
};
use tokio::runtime::Runtime;

use crate::support::{assert_goes_away, create_queue_and_table, listings, up::Up};

/// Whether an engine is usable; if not, this is reported or, with `EDW_REQUIRE_DOCKER=1`, a failure.
async fn usable(test: &str) -> bool {
    let Err(reason) = azurite::docker_usable().await else {
        return true;
    };
    let required = std::env::var("EDW_REQUIRE_DOCKER").as_deref() == Ok("1");
    assert!(!required, "EDW_REQUIRE_DOCKER=1, and {reason}");
    // Not captured by the test runner, so that a test that ran nothing does not look like a pass.
    writeln!(stderr(), "{test} NOT RUN: {reason}").unwrap();
    false
}

async fn containers_mounting(directory: &Path) -> usize {
    let filters = HashMap::from([("volume", vec![directory.to_str().unwrap()])]);
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&filters)
        .build();
    let docker = docker_client_instance().await.unwrap();
    docker.list_containers(Some(options)).await.unwrap().len()
}

async fn start() -> Azurite {
    Azurite::builder()
        .source(Source::Docker)
        .start()
        .await
        .unwrap()
}

async fn exists(container: &str) -> bool {
    let docker = docker_client_instance().await.unwrap();
    docker
        .inspect_container(container, None::<InspectContainerOptions>)
        .await
        .is_ok()
}

#[tokio::test]
async fn its_sas_is_accepted_its_ports_are_taken_and_stopping_removes_the_container() {
    if !usable("docker: SAS, ports and stop").await {
        return;
    }
    let azurite = start().await;
    assert!(azurite.why().contains("from Docker"), "{}", azurite.why());
    let created = create_queue_and_table(&azurite, &azurite.sas(), "accepted").await;
    assert_eq!(created, (201, 201));
    let forged = azurite.sas().replace("sig=", "sig=A");
    let refused = create_queue_and_table(&azurite, &forged, "refused").await;
    assert_eq!(refused, (403, 403));

    let port: u16 = azurite
        .queue_url()
        .rsplit([':', '/'])
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let ports = Ports {
        queue: port,
        ..Ports::default()
    };
    let directory = tempfile::tempdir().unwrap();
    let second = Azurite::builder()
        .source(Source::Docker)
        .ports(ports)
        .directory(directory.path());
    let error = second.start().await.unwrap_err();
    assert!(
        matches!(error, Error::PortInUse { port: named } if named == port),
        "{error}"
    );
    assert_eq!(containers_mounting(directory.path()).await, 0);

    let id = azurite.container_id().unwrap();
    assert!(exists(&id).await);
    azurite.stop().await;
    assert!(!exists(&id).await);
}

#[tokio::test]
async fn dropping_it_removes_the_container() {
    if !usable("docker: drop").await {
        return;
    }
    let azurite = start().await;
    let id = azurite.container_id().unwrap();
    drop(azurite);
    assert!(!exists(&id).await);
}

#[test]
fn dropping_it_outside_a_runtime_removes_the_container() {
    let runtime = Runtime::new().unwrap();
    if !runtime.block_on(usable("docker: drop outside a runtime")) {
        return;
    }
    let azurite = runtime.block_on(start());
    drop(runtime);
    let id = azurite.container_id().unwrap();
    drop(azurite);
    assert!(!Runtime::new().unwrap().block_on(exists(&id)));
}

#[tokio::test]
async fn the_container_goes_when_its_starter_is_killed() {
    if !usable("docker: killed starter").await {
        return;
    }
    let mut child = Up::start(&[("EDW_AZURITE_SOURCE", "docker")]);
    let said = child.announced();
    assert!(!said["why"].contains("outlive"), "{}", said["why"]);
    drop(child);
    assert_goes_away(&said["EDW_AZURITE_QUEUE_URL"]);
    assert_goes_away(&said["EDW_AZURITE_TABLE_URL"]);
}

#[tokio::test]
async fn what_was_stored_survives_a_restart_on_the_same_ports() {
    if !usable("docker: restart").await {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let builder = Azurite::builder()
        .source(Source::Docker)
        .directory(directory.path());
    let mut azurite = builder.start().await.unwrap();
    let created = create_queue_and_table(&azurite, &azurite.sas(), "kept").await;
    assert_eq!(created, (201, 201));
    let (urls, id) = (
        (azurite.queue_url(), azurite.table_url()),
        azurite.container_id(),
    );
    azurite.restart().await.unwrap();
    assert_eq!((azurite.queue_url(), azurite.table_url()), urls);
    assert_ne!(azurite.container_id(), id);
    assert_eq!(listings(&azurite).await.matches("kept").count(), 2);
}

#[tokio::test]
async fn a_start_that_fails_says_what_azurite_said_and_leaves_no_container() {
    if !usable("docker: failing start").await {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("__azurite_db_queue__.json"),
        "not JSON",
    )
    .unwrap();
    let builder = Azurite::builder()
        .source(Source::Docker)
        .directory(directory.path());
    let error = builder.start().await.unwrap_err().to_string();
    assert!(error.contains("JSON"), "{error}");
    assert_eq!(containers_mounting(directory.path()).await, 0);
}
