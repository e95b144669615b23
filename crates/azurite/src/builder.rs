//! Chooses a source and starts one Azurite from it.

use std::path::{Path, PathBuf};

use crate::{
    Azurite, CertificateAuthority, Endpoints, Error, Ports, Source, VERSION, address,
    docker::Container,
    node::Node,
    npm,
    options::Options,
    ready,
    running::{self, Running},
    sas::ACCOUNT,
    source::Environment,
    tls::Https,
};

/// Settings of an Azurite; see [`Azurite::builder`]. The defaults are the first source that works, free ports, data in memory,
/// no debug log.
#[derive(Debug, Clone, Default)]
#[must_use = "nothing starts before `start`"]
pub struct Builder {
    source: Option<Source>,
    options: Options,
}

impl Builder {
    /// Allows this source only. Overrides `EDW_AZURITE_SOURCE`.
    pub fn source(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    /// Listens on these ports; a port in use is an error, 0 is any free one.
    pub fn ports(mut self, ports: Ports) -> Self {
        self.options.ports = ports;
        self
    }

    /// Keeps data in this existing directory instead of in memory, so that they survive [`Azurite::restart`].
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.options.directory = Some(directory.into());
        self
    }

    /// Makes Azurite write its debug log to this file, in an existing directory (with Docker it is named `azurite.log`).
    pub fn debug_log(mut self, file: impl Into<PathBuf>) -> Self {
        self.options.debug_log = Some(file.into());
        self
    }

    /// Serves HTTPS with a certificate of `authority`, and accepts bearer tokens as well as a SAS. The certificate and its key
    /// are kept in a new directory below `within`, until this is dropped.
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be written.
    pub fn https(mut self, authority: &CertificateAuthority, within: &Path) -> Result<Self, Error> {
        self.options.https = Some(Https::new(authority, within)?);
        Ok(self)
    }

    /// Keeps idle connections open for this many seconds instead of 5.
    ///
    /// Node.js closes an idle connection after that time even if a request has just arrived. While a scan of a long queue
    /// blocks it for 5 s, this affects connections in constant use, and their clients see `connection reset`.
    pub fn keep_alive_seconds(mut self, seconds: u32) -> Self {
        self.options.keep_alive_seconds = Some(seconds);
        self
    }

    /// Starts Azurite, and returns when queue and table answer a signed request.
    pub async fn start(self) -> Result<Azurite, Error> {
        self.start_in(&Environment::read()).await
    }

    pub(crate) async fn start_in(self, environment: &Environment) -> Result<Azurite, Error> {
        let choice = match self.source {
            Some(source) => Some(source),
            None => environment.choice()?.0,
        };
        match choice {
            Some(wanted) => self.start_from(wanted, environment).await,
            None => self.start_from_first(environment).await,
        }
    }

    async fn start_from(self, wanted: Source, environment: &Environment) -> Result<Azurite, Error> {
        let started = match wanted {
            Source::Address => match address::given(environment)? {
                Some(endpoints) => self.attach(endpoints).await,
                None => Err(Error::NoAddress),
            },
            Source::Docker => self.start_docker(Some(ALONE)).await,
            Source::Npm => self.start_npm(Some(ALONE)).await,
        };
        started.map_err(|error| match error {
            error if error.allows_next_source() => Error::Forced {
                wanted,
                reason: error.with_cause(),
            },
            error => error,
        })
    }

    async fn start_from_first(self, environment: &Environment) -> Result<Azurite, Error> {
        if let Some(endpoints) = address::given(environment)? {
            return self.attach(endpoints).await;
        }
        let docker = match self.clone().start_docker(None).await {
            Err(error) if error.allows_next_source() => error.with_cause(),
            started => return started,
        };
        tracing::debug!(docker, "Docker is not used");
        match self.start_npm(Some(in_brief(&docker))).await {
            Err(error) if error.allows_next_source() => Err(Error::NoSource {
                address: address::NOT_GIVEN.to_owned(),
                docker,
                npm: error.with_cause(),
            }),
            started => started,
        }
    }

    async fn attach(self, endpoints: Endpoints) -> Result<Azurite, Error> {
        if self.options.directory.is_some()
            || self.options.debug_log.is_some()
            || self.options.https.is_some()
            || self.options.keep_alive_seconds.is_some()
            || self.options.ports != Ports::default()
        {
            return Err(Error::Unsupported(
                "choose ports, directory, debug log, keep-alive or HTTPS of an Azurite that runs already: unset EDW_AZURITE_QUEUE_URL and \
                 EDW_AZURITE_TABLE_URL, or do not ask for them"
                    .to_owned(),
            ));
        }
        ready::wait(&endpoints, &self.options, ready::ADDRESS_LIMIT)
            .await
            .map_err(Error::Address)?;
        let why = format!(
            "Azurite at {} and {} (address given)",
            endpoints.queue, endpoints.table
        );
        Ok(Azurite {
            running: Running::Elsewhere,
            source: Source::Address,
            why,
            endpoints,
            options: self.options,
        })
    }

    async fn start_docker(mut self, because: Option<&str>) -> Result<Azurite, Error> {
        let mut lasting = Lasting::of(&self.options);
        let (container, endpoints) = loop {
            lasting.choose(&mut self.options);
            match Container::start(&self.options).await {
                Err(Error::PortInUse { .. }) if lasting.has_more() => {}
                started => break started?,
            }
        };
        let unleashed =
            (!container.is_leashed()).then_some("it would outlive a kill -9 of this process");
        let why = why(Source::Docker, because.into_iter().chain(unleashed));
        self.when_ready(
            Running::Container(Box::new(container)),
            Source::Docker,
            endpoints,
            why,
        )
        .await
    }

    async fn start_npm(mut self, because: Option<&str>) -> Result<Azurite, Error> {
        let entry = npm::entry().await?;
        let mut lasting = Lasting::of(&self.options);
        let (node, ports) = loop {
            lasting.choose(&mut self.options);
            match Node::start(&entry, &self.options).await {
                Err(Error::PortInUse { .. }) if lasting.has_more() => {}
                started => break started?,
            }
        };
        tracing::debug!(entry = %entry.display(), "the npm package is used");
        let why = why(Source::Npm, because);
        let endpoints = endpoints(self.options.scheme(), ports);
        self.when_ready(Running::Node(node), Source::Npm, endpoints, why)
            .await
    }

    async fn when_ready(
        mut self,
        running: Running,
        source: Source,
        endpoints: Endpoints,
        why: String,
    ) -> Result<Azurite, Error> {
        ready::wait(&endpoints, &self.options, ready::READY_LIMIT)
            .await
            .map_err(Error::Start)?;
        self.options.ports = endpoints.ports();
        tracing::debug!(%source, queue = endpoints.queue, table = endpoints.table, why, "Azurite is ready");
        Ok(Azurite {
            running,
            source,
            why,
            endpoints,
            options: self.options,
        })
    }
}

/// Number of tries to find free ports: another process may take one before the engine does.
const PORT_TRIES: u32 = 5;

/// The choice of ports for an Azurite with a data directory. It may be halted, and comes back on the same ports: until these are
/// reserved, nobody must get one of them who asks for any free port.
struct Lasting {
    is_wanted: bool,
    tries: u32,
}

impl Lasting {
    fn of(options: &Options) -> Self {
        let is_wanted = options.directory.is_some() && options.ports == Ports::default();
        Self {
            is_wanted,
            tries: 0,
        }
    }

    /// Gives `options` other ports, if it is to choose them.
    fn choose(&mut self, options: &mut Options) {
        if self.is_wanted {
            options.ports = running::lasting();
            self.tries += 1;
        }
    }

    /// Whether to try others when another process has taken one of these.
    const fn has_more(&self) -> bool {
        self.is_wanted && self.tries < PORT_TRIES
    }
}

/// The reason for using a forced source.
const ALONE: &str = "it alone is allowed";

/// The source and the reasons for it, for [`Azurite::why`].
fn why<'a>(source: Source, because: impl IntoIterator<Item = &'a str>) -> String {
    let name = match source {
        Source::Docker => "Docker",
        other => &other.to_string(),
    };
    let because: Vec<&str> = because.into_iter().collect();
    match because.join("; ") {
        because if because.is_empty() => format!("Azurite {VERSION} from {name}"),
        because => format!("Azurite {VERSION} from {name} ({because})"),
    }
}

/// A reason without its cause, which follows a colon: a source that is not available is no error, and must not look like one.
fn in_brief(reason: &str) -> &str {
    reason.split(": ").next().unwrap_or(reason)
}

fn endpoints(scheme: &str, ports: Ports) -> Endpoints {
    let url = |port| format!("{scheme}://127.0.0.1:{port}/{ACCOUNT}");
    Endpoints {
        queue: url(ports.queue),
        table: url(ports.table),
        blob: url(ports.blob),
    }
}
