//! The published image in a container. Where no engine can be used the test says so and does nothing else, unless
//! `EDW_REQUIRE_DOCKER=1` makes that a failure.

use std::io::{Write as _, stderr};

use azurite::{Azurite, Error, Ports, Source};
use testcontainers::{
    bollard::query_parameters::InspectContainerOptions, core::client::docker_client_instance,
};

use crate::support::{
    assert_goes_away, create_queue_and_table, listings,
    up::{announced, azurite_up, kill},
};

/// A container, or `None` (told on the way) when there is no engine to run it.
async fn start(test: &str) -> Option<Azurite> {
    match Azurite::builder().source(Source::Docker).start().await {
        Ok(azurite) => Some(azurite),
        Err(error) if std::env::var("EDW_REQUIRE_DOCKER").as_deref() == Ok("1") => {
            panic!("{error}")
        }
        Err(Error::Forced { reason, .. }) => {
            // Past the test runner's capture: a pass that ran nothing must not look like one.
            writeln!(stderr(), "{test} NOT RUN: {reason}").unwrap();
            None
        }
        Err(error) => panic!("{error}"),
    }
}

async fn exists(container: &str) -> bool {
    let docker = docker_client_instance().await.unwrap();
    docker
        .inspect_container(container, None::<InspectContainerOptions>)
        .await
        .is_ok()
}

#[tokio::test]
async fn its_sas_is_accepted_and_another_refused_and_stopping_removes_the_container() {
    let Some(azurite) = start("docker: SAS and stop").await else {
        return;
    };
    assert!(azurite.why().contains("from Docker"), "{}", azurite.why());
    assert_eq!(
        create_queue_and_table(&azurite, &azurite.sas(), "accepted").await,
        (201, 201)
    );
    let forged = azurite.sas().replace("sig=", "sig=A");
    assert_eq!(
        create_queue_and_table(&azurite, &forged, "refused").await,
        (403, 403)
    );
    let id = azurite.container_id().unwrap();
    assert!(exists(&id).await);
    azurite.stop().await;
    assert!(!exists(&id).await);
}

#[tokio::test]
async fn dropping_it_removes_the_container() {
    let Some(azurite) = start("docker: drop").await else {
        return;
    };
    let id = azurite.container_id().unwrap();
    drop(azurite);
    assert!(!exists(&id).await);
}

#[test]
fn dropping_it_outside_a_runtime_removes_the_container() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let Some(azurite) = runtime.block_on(start("docker: drop outside a runtime")) else {
        return;
    };
    drop(runtime);
    let id = azurite.container_id().unwrap();
    drop(azurite);
    assert!(
        !tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(exists(&id))
    );
}

#[tokio::test]
async fn the_container_goes_when_its_starter_is_killed() {
    let Some(probe) = start("docker: killed starter").await else {
        return;
    };
    probe.stop().await;
    let mut child = azurite_up(&[("EDW_AZURITE_SOURCE", "docker")])
        .spawn()
        .unwrap();
    let said = announced(&mut child);
    assert!(!said["why"].contains("outlive"), "{}", said["why"]);
    kill(child);
    assert_goes_away(&said["EDW_AZURITE_QUEUE_URL"]);
    assert_goes_away(&said["EDW_AZURITE_TABLE_URL"]);
}

#[tokio::test]
async fn what_was_stored_survives_a_restart_on_the_same_ports() {
    let Some(probe) = start("docker: restart").await else {
        return;
    };
    probe.stop().await;
    let directory = tempfile::tempdir().unwrap();
    let builder = Azurite::builder()
        .source(Source::Docker)
        .directory(directory.path());
    let mut azurite = builder.start().await.unwrap();
    assert_eq!(
        create_queue_and_table(&azurite, &azurite.sas(), "kept").await,
        (201, 201)
    );
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
async fn a_port_that_is_taken_is_named() {
    let Some(azurite) = start("docker: taken port").await else {
        return;
    };
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
    let error = Azurite::builder()
        .source(Source::Docker)
        .ports(ports)
        .start()
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::PortInUse { port: named } if named == port),
        "{error}"
    );
}

#[tokio::test]
async fn a_start_that_fails_says_what_azurite_said_and_leaves_no_container() {
    let Some(probe) = start("docker: failing start").await else {
        return;
    };
    probe.stop().await;
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
}
