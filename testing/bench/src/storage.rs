//! The one Azurite of a run, and the queues and tables of its rounds, which are created for each round and deleted after it.

use anyhow::Context as _;
use azurite::{Azurite, Source};
use bytes::Bytes;
use hyper::Method;

use crate::http::{Call, Connection};

/// Azurite, started, with the addresses and the SAS that both sides use.
#[derive(Debug)]
pub(crate) struct Storage {
    azurite: Azurite,
    pub(crate) queue_url: String,
    pub(crate) table_url: String,
    pub(crate) sas: String,
    rounds: u32,
}

/// A fresh queue and table.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) queue: String,
    pub(crate) table: String,
    /// The run id of its messages.
    pub(crate) run: String,
}

impl Storage {
    /// Starts Azurite from its npm package: with a container, the container's network would be measured as well.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let azurite = Azurite::builder()
            .source(Source::Npm)
            .start()
            .await
            .context("start Azurite")?;
        Ok(Self {
            queue_url: azurite.queue_url(),
            table_url: azurite.table_url(),
            sas: azurite.sas(),
            azurite,
            rounds: 0,
        })
    }

    /// The version of Azurite.
    pub(crate) fn version() -> String {
        format!("Azurite {} (npm), data in memory", azurite::VERSION)
    }

    pub(crate) async fn stop(self) {
        self.azurite.stop().await;
    }

    /// Host and port of the queue service.
    pub(crate) fn queue_authority(&self) -> anyhow::Result<&str> {
        authority(&self.queue_url)
    }

    /// Host and port of the table service.
    pub(crate) fn table_authority(&self) -> anyhow::Result<&str> {
        authority(&self.table_url)
    }

    /// `/account/<rest>?<query>&<sas>`.
    pub(crate) fn target(&self, rest: &str, query: &str) -> String {
        let account = self.azurite.account();
        let and = if query.is_empty() { "" } else { "&" };
        format!("/{account}/{rest}?{query}{and}{}", self.sas)
    }

    /// Creates a new queue and table.
    pub(crate) async fn place(&mut self) -> anyhow::Result<Place> {
        self.rounds += 1;
        let place = Place {
            queue: format!("bench-{}", self.rounds),
            table: format!("bench{}", self.rounds),
            run: format!("bench-{}", self.rounds),
        };
        let target = self.target(&place.queue, "");
        queue_call(self, Method::PUT, &target).await?;
        let target = self.target("Tables", "");
        let body = format!("{{\"TableName\":\"{}\"}}", place.table);
        let mut tables = Connection::open(self.table_authority()?).await?;
        tables
            .call(Call {
                method: Method::POST,
                target: &target,
                headers: &[
                    ("content-type", "application/json"),
                    ("accept", "application/json;odata=nometadata"),
                ],
                body: body.into(),
            })
            .await
            .context("create a table")?;
        Ok(place)
    }

    /// Deletes the queue and the table.
    pub(crate) async fn clear(&self, place: &Place) -> anyhow::Result<()> {
        let target = self.target(&place.queue, "");
        queue_call(self, Method::DELETE, &target).await?;
        let target = self.target(&format!("Tables('{}')", place.table), "");
        let mut tables = Connection::open(self.table_authority()?).await?;
        tables
            .call(Call {
                method: Method::DELETE,
                target: &target,
                headers: &[("accept", "application/json;odata=nometadata")],
                body: Bytes::new(),
            })
            .await
            .context("delete a table")?;
        Ok(())
    }
}

async fn queue_call(storage: &Storage, method: Method, target: &str) -> anyhow::Result<()> {
    let mut queues = Connection::open(storage.queue_authority()?).await?;
    queues
        .call(Call {
            method,
            target,
            headers: &[],
            body: Bytes::new(),
        })
        .await
        .context("create or delete a queue")?;
    Ok(())
}

fn authority(url: &str) -> anyhow::Result<&str> {
    url.split('/')
        .nth(2)
        .with_context(|| format!("find host and port in {url}"))
}
