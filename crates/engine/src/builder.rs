//! Chooses account, addresses, data and clock, and starts one engine.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{
    ACCOUNT, Clock, Engine, Error, KEY, Services, SystemClock,
    auth::Account,
    http::tls,
    running::Sockets,
    state::{
        directory::Directory,
        store::{Contents, NoStore, Store},
    },
    store::disk::Disk,
};

/// Settings of an engine; see [`Engine::builder`]. The defaults are free ports of 127.0.0.1, data in memory, and the account
/// and key of all emulators.
#[derive(Debug, Clone)]
#[must_use = "nothing starts before `start`"]
pub struct Builder {
    host: IpAddr,
    queue_port: u16,
    table_port: u16,
    directory: Option<PathBuf>,
    account: String,
    key: String,
    tls: Option<(Vec<u8>, Vec<u8>)>,
    clock: Arc<dyn Clock>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            queue_port: 0,
            table_port: 0,
            directory: None,
            account: ACCOUNT.to_owned(),
            key: KEY.to_owned(),
            tls: None,
            clock: Arc::new(SystemClock),
        }
    }
}

impl Builder {
    /// Sets the address to listen at; the default is 127.0.0.1.
    pub fn host(mut self, host: IpAddr) -> Self {
        self.host = host;
        self
    }

    /// Sets the port of the Queue service; 0 is any free one.
    pub fn queue_port(mut self, port: u16) -> Self {
        self.queue_port = port;
        self
    }

    /// Sets the port of the Table service; 0 is any free one.
    pub fn table_port(mut self, port: u16) -> Self {
        self.table_port = port;
        self
    }

    /// Keeps the data in this directory, which is created if it is missing. Only one engine at a time may use it.
    pub fn directory(mut self, directory: impl AsRef<Path>) -> Self {
        self.directory = Some(directory.as_ref().to_path_buf());
        self
    }

    /// Serves this account, whose key is Base64.
    pub fn account(mut self, name: &str, key: &str) -> Self {
        name.clone_into(&mut self.account);
        key.clone_into(&mut self.key);
        self
    }

    /// Serves HTTPS with this certificate, and accepts bearer tokens too. Certificate and key are PEM.
    pub fn https(mut self, certificate: &[u8], key: &[u8]) -> Self {
        self.tls = Some((certificate.to_vec(), key.to_vec()));
        self
    }

    /// Uses another clock than the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Makes both services without listeners, as a function from requests to answers.
    ///
    /// # Errors
    /// [`Error::Account`], [`Error::Directory`].
    pub fn services(&self) -> Result<Services, Error> {
        let (store, contents): (Arc<dyn Store>, Contents) = match &self.directory {
            None => (Arc::new(NoStore), Contents::default()),
            Some(directory) => {
                let opened = Disk::open(directory);
                let (disk, contents) = opened.map_err(|error| Error::Directory {
                    directory: directory.clone(),
                    reason: error.0,
                })?;
                (Arc::new(disk), contents)
            }
        };
        Ok(Services {
            account: Arc::new(self.checked_account()?),
            directory: Arc::new(Directory::restore(store, contents, self.clock.now())),
            clock: Arc::clone(&self.clock),
        })
    }

    /// Names of accounts: 3 to 24 small letters and digits ("Storage account overview").
    fn checked_account(&self) -> Result<Account, Error> {
        let permitted = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if !(3..=24).contains(&self.account.len()) || !self.account.chars().all(permitted) {
            return Err(Error::Account(format!(
                "the account's name must have 3 to 24 small letters and digits, and {:?} does not",
                self.account
            )));
        }
        Account::new(&self.account, &self.key)
            .ok_or_else(|| Error::Account("the account's key must be base64".to_owned()))
    }

    /// Starts the engine, and returns when both services listen.
    pub async fn start(self) -> Result<Engine, Error> {
        let tls: Option<TlsAcceptor> = match &self.tls {
            Some((certificate, key)) => Some(tls::acceptor(certificate, key)?),
            None => None,
        };
        self.checked_account()?;
        // Ports first: the data directory is locked only by an engine that can serve it.
        let sockets = Sockets {
            queue: listen(SocketAddr::new(self.host, self.queue_port)).await?,
            table: listen(SocketAddr::new(self.host, self.table_port)).await?,
        };
        let opening = self.clone();
        #[expect(clippy::disallowed_methods, reason = "it is awaited at once")]
        let services = tokio::task::spawn_blocking(move || opening.services()).await;
        let services = services.expect("opening the data must not panic")?;
        Engine::run(services, sockets, tls.as_ref(), self.key)
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(|source| Error::Listen { address, source })
}
