//! Waits until an Azurite answers typical requests with the SAS that clients use.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::{Endpoints, options::Options, sas, tls::Https};

/// Time limit: a listening emulator answers its first request within milliseconds; a slow machine needs longer.
pub(crate) const READY_LIMIT: Duration = Duration::from_secs(30);

/// Time limit for a connection to a given address: allows for a short interruption, but reports a wrong address soon. An
/// emulator that accepts the connection may be busy, and gets [`READY_LIMIT`] for its answer.
pub(crate) const ADDRESS_LIMIT: Duration = Duration::from_secs(5);

/// Poll interval: shorter than a person or a test would notice, and much longer than a request takes.
const INTERVAL: Duration = Duration::from_millis(20);

/// Returns when queue and table both list their contents; the error has the last answer. Tries until `limit`.
pub(crate) async fn wait(
    endpoints: &Endpoints,
    options: &Options,
    limit: Duration,
) -> Result<(), String> {
    let sas = sas::account_sas();
    let roots = options.https.iter().map(Https::root);
    let client = Client::builder()
        .no_proxy() // the emulator is next door, whatever the environment says about the way out
        .connect_timeout(limit)
        .tls_certs_merge(roots)
        .build()
        .map_err(|error| format!("make an HTTP client: {error}"))?;
    let start = Instant::now();
    let (deadline, answered) = (start + limit, start + READY_LIMIT);
    for url in [
        format!("{}?comp=list&{sas}", endpoints.queue),
        format!("{}/Tables?{sas}", endpoints.table),
    ] {
        wait_for(&client, &url, deadline, answered).await?;
    }
    Ok(())
}

async fn wait_for(
    client: &Client,
    url: &str,
    deadline: Instant,
    answered: Instant,
) -> Result<(), String> {
    let place = url.split('?').next().unwrap_or(url);
    loop {
        let next = Instant::now() + INTERVAL;
        // Without `Accept` the table service would answer in Atom, which Azurite does not support.
        let request = client
            .get(url)
            .header("accept", "application/json;odata=nometadata");
        let answer = timeout_at(answered, request.send()).await;
        let problem = match answer {
            Ok(Ok(response)) if response.status() == StatusCode::OK => return Ok(()),
            // Waiting does not help against a refusal.
            Ok(Ok(response)) if response.status().is_client_error() => {
                return Err(format!(
                    "{place} answers {}: is it an Azurite, with its published key?",
                    response.status()
                ));
            }
            Ok(Ok(response)) => format!("{place} answers {}", response.status()),
            Ok(Err(error)) => format!(
                "{place} does not answer: {}",
                root_cause(&error.without_url())
            ),
            Err(_) => format!("{place} does not answer in time"),
        };
        if next >= deadline {
            return Err(problem);
        }
        sleep_until(next).await;
    }
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
