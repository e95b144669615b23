//! Whether a Docker engine is usable: it answers, and has the image or can pull it.

use std::{env, path::Path, time::Duration};

use testcontainers::{
    GenericImage,
    bollard::{
        Docker, errors::Error as DockerError, query_parameters::RemoveContainerOptionsBuilder,
    },
    core::client::{ClientError, docker_client_instance},
    runners::AsyncRunner as _,
};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep, timeout},
};

use crate::{IMAGE, VERSION};

/// Time limit: an engine on this machine answers a ping in milliseconds.
const PING_LIMIT: Duration = Duration::from_secs(3);

/// Time limit: the image has about 100 MB; with a slower connection, users can pull it once by hand.
const PULL_LIMIT: Duration = Duration::from_secs(180);

/// Time limit: a removal takes tens of milliseconds, on a busy engine seconds.
const REMOVAL_LIMIT: Duration = Duration::from_secs(20);
const REMOVAL_INTERVAL: Duration = Duration::from_millis(20);

/// A client of the engine at `DOCKER_HOST`, or at the usual socket.
pub(crate) async fn client() -> Result<Docker, ClientError> {
    docker_client_instance().await
}

/// Checks that a Docker engine answers and has, or can pull, the image; the error is the reason. Checked once per process,
/// because neither a missing engine nor an unreachable registry changes between two tests, and both checks can take seconds.
pub async fn docker_usable() -> Result<(), String> {
    static USABLE: OnceCell<Result<(), String>> = OnceCell::const_new();
    USABLE.get_or_init(examine).await.clone()
}

async fn examine() -> Result<(), String> {
    let docker = client()
        .await
        .map_err(|error| format!("no Docker engine: {error}"))?;
    match timeout(PING_LIMIT, docker.ping()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            return Err(format!(
                "no Docker engine answers at {}: {error}",
                address()
            ));
        }
        Err(_) => {
            return Err(format!(
                "the Docker engine at {} does not answer within {PING_LIMIT:?}",
                address()
            ));
        }
    }
    let image = format!("{IMAGE}:{VERSION}");
    match docker.inspect_image(&image).await {
        Ok(_) => return Ok(()),
        Err(DockerError::DockerResponseServerError {
            status_code: 404, ..
        }) => {}
        Err(error) => {
            return Err(format!(
                "the Docker engine cannot say whether it has {image}: {error}"
            ));
        }
    }
    tracing::info!(image, "pulling the image, once for this engine");
    match timeout(PULL_LIMIT, GenericImage::new(IMAGE, VERSION).pull_image()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!(
            "the Docker engine has no {image} and cannot pull it: {error}"
        )),
        Err(_) => Err(format!(
            "the Docker engine has no {image} and did not pull it within {PULL_LIMIT:?}"
        )),
    }
}

/// Removes a container, running or not, and returns when the engine no longer knows it, so that its ports are free.
pub(crate) async fn remove(container: &str) {
    let Ok(docker) = client().await else { return };
    let deadline = Instant::now() + REMOVAL_LIMIT;
    while Instant::now() < deadline {
        let force = RemoveContainerOptionsBuilder::new()
            .force(true)
            .v(true)
            .build();
        match docker.remove_container(container, Some(force)).await {
            Err(DockerError::DockerResponseServerError {
                status_code: 404, ..
            }) => return,
            Ok(()) => {}
            // "Removal already in progress", by the engine itself.
            Err(error) => tracing::debug!(%error, container, "not removed yet"),
        }
        sleep(REMOVAL_INTERVAL).await;
    }
    tracing::warn!(
        container,
        "the engine did not remove the container; remove it with `docker rm -f`"
    );
}

fn address() -> String {
    env::var("DOCKER_HOST").unwrap_or_else(|_| "the usual socket".to_owned())
}

/// Whether the engine publishes ports on this process's loopback address: not true for a remote engine, or inside of a
/// container.
pub(crate) fn is_on_this_machine() -> bool {
    let local =
        env::var("DOCKER_HOST").map_or(true, |host| host.is_empty() || host.starts_with("unix:"));
    local && !Path::new("/.dockerenv").exists()
}
