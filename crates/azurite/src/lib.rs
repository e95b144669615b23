//! Starts [Azurite](https://github.com/Azure/Azurite), the Azure Storage emulator, for tests and laptops.
//!
//! ```no_run
//! # async fn example() -> Result<(), azurite::Error> {
//! let azurite = azurite::Azurite::start().await?;
//! println!("{}", azurite.why());
//! let queues = format!("{}?{}", azurite.queue_url(), azurite.sas());
//! # Ok(()) }
//! ```
//!
//! # Sources
//!
//! The first of these that works, or the one that `EDW_AZURITE_SOURCE` (`auto`, `address`, `docker`, `npm`) names:
//!
//! 1. **An address given**: `EDW_AZURITE_QUEUE_URL` and `EDW_AZURITE_TABLE_URL`, each like
//!    `http://127.0.0.1:10001/devstoreaccount1` (`EDW_AZURITE_BLOB_URL` too, for programs that need it). If
//!    they are given, no other source is tried.
//! 2. **Docker**: the published image, through testcontainers, when an engine answers and has or can pull it.
//! 3. **npm**: the package, installed once into `azurite-<version>/` and run by `node`. It lies in `EDW_CACHE`; else, for a
//!    program that cargo has built and that still lies there, in its target directory; else in the user's cache directory,
//!    `edw/` in `$XDG_CACHE_HOME` or `~/.cache`.
//!
//! [`Azurite::why`] says in one line which it was and why. The version is pinned in `azurite/VERSION`, for all of them.
//!
//! # End
//!
//! It ends with [`Azurite::stop`], when the value is dropped, and also when this process is killed, because the process or
//! container is on a leash that the kernel then releases. Nothing is left behind.
//!
//! # HTTPS and bearer tokens
//!
//! With [`Builder::https`] it serves HTTPS, with a certificate made for the run, and accepts bearer tokens as well as a SAS. It
//! checks a token's issuer, audience and times, but neither its signature nor permissions (`--oauth basic`).

mod address;
mod builder;
mod cache;
mod docker;
mod engine;
mod error;
mod node;
mod npm;
mod options;
mod ready;
mod running;
mod sas;
mod source;
mod tls;

pub use builder::Builder;
pub use engine::docker_usable;
pub use error::Error;
pub use options::Ports;
pub use sas::{ACCOUNT, KEY as ACCOUNT_KEY, account_sas};
pub use source::Source;
pub use tls::{CertificateAuthority, Certified};

use options::Options;
use running::Running;

/// The version of all sources: `azurite/VERSION`, which scripts and Dockerfiles read too.
pub const VERSION: &str = include_str!("../VERSION").trim_ascii();

/// The published image, without its tag, which is [`VERSION`].
pub const IMAGE: &str = include_str!("../IMAGE").trim_ascii();

/// The addresses of the three services: scheme, host, port and account, without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoints {
    queue: String,
    table: String,
    blob: String,
}

/// A running Azurite. It ends when this is dropped, unless it runs at a given address.
#[derive(Debug)]
pub struct Azurite {
    running: Running,
    source: Source,
    why: String,
    endpoints: Endpoints,
    options: Options,
}

impl Azurite {
    /// Starts one with all defaults: data in memory, free ports, the first source that works.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// Makes a builder, which sets source, ports, data directory and debug log.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The address of the Queue service, like `http://127.0.0.1:10001/devstoreaccount1`.
    pub fn queue_url(&self) -> String {
        self.endpoints.queue.clone()
    }

    /// The address of the Table service, like `http://127.0.0.1:10002/devstoreaccount1`.
    pub fn table_url(&self) -> String {
        self.endpoints.table.clone()
    }

    /// The address of the Blob service, like `http://127.0.0.1:10000/devstoreaccount1`. With a given address it is
    /// `EDW_AZURITE_BLOB_URL` or Azurite's default port, and it was not checked.
    pub fn blob_url(&self) -> String {
        self.endpoints.blob.clone()
    }

    /// The only account.
    pub fn account(&self) -> &'static str {
        sas::ACCOUNT
    }

    /// An account SAS without its `?`: every permission on all services, for the next 12 hours.
    pub fn sas(&self) -> String {
        sas::account_sas()
    }

    /// The source that was used.
    pub fn source(&self) -> Source {
        self.source
    }

    /// The source that was chosen and the reason, in one line.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// Process id of the emulator, if it is a child of this process.
    pub fn pid(&self) -> Option<u32> {
        match &self.running {
            Running::Node(node) => Some(node.pid()),
            _ => None,
        }
    }

    /// Id of the emulator's container, if it runs in one.
    pub fn container_id(&self) -> Option<String> {
        match &self.running {
            Running::Container(container) => Some(container.id()),
            _ => None,
        }
    }

    /// How it ended by itself, in one line, if it did: killed, crashed, or its container removed. `None` while it runs or is
    /// halted, and always for one at a given address, which this process does not watch.
    pub fn ended(&mut self) -> Option<String> {
        self.running.ended()
    }

    /// Stops it, and returns when it is gone and, with a data directory, has written its data.
    pub async fn stop(self) {
        self.running.stop().await;
    }

    /// Halts it: connections are refused until [`Azurite::resume`] starts it again on the same ports.
    ///
    /// Needs a data directory: without one it would come back empty, which is another fault than an outage.
    pub async fn halt(&mut self) -> Result<(), Error> {
        if self.source == Source::Address {
            return Err(Error::Unsupported(
                "halt an Azurite that was not started here".to_owned(),
            ));
        }
        if self.options.directory.is_none() {
            return Err(Error::Unsupported(
                "halt an Azurite with its data in memory; start it with `builder().directory(..)`"
                    .to_owned(),
            ));
        }
        std::mem::replace(&mut self.running, Running::Halted(vec![]))
            .stop()
            .await;
        if self.source == Source::Npm {
            self.running = Running::Halted(running::keep(self.options.ports));
        }
        Ok(())
    }

    /// Starts a halted Azurite again, on its ports and with its data. Does nothing if it runs.
    ///
    /// # Errors
    /// [`Error::PortInUse`] if another process has taken a port; it stays halted, and can be resumed later.
    pub async fn resume(&mut self) -> Result<(), Error> {
        if !matches!(self.running, Running::Halted(_)) {
            return Ok(());
        }
        self.running = match self.source {
            Source::Address => Running::Elsewhere,
            Source::Docker => {
                Running::Container(Box::new(docker::Container::start(&self.options).await?.0))
            }
            Source::Npm => Running::Node(
                node::Node::start(&npm::entry().await?, &self.options)
                    .await?
                    .0,
            ),
        };
        ready::wait(&self.endpoints, &self.options, ready::READY_LIMIT)
            .await
            .map_err(Error::Start)
    }

    /// Runs [`Azurite::halt`] and [`Azurite::resume`].
    pub async fn restart(&mut self) -> Result<(), Error> {
        self.halt().await?;
        self.resume().await
    }
}

impl Endpoints {
    fn ports(&self) -> Ports {
        let port = |url: &str| {
            reqwest::Url::parse(url)
                .ok()
                .and_then(|url| url.port())
                .unwrap_or_default()
        };
        Ports {
            queue: port(&self.queue),
            table: port(&self.table),
            blob: port(&self.blob),
        }
    }
}
