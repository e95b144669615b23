//! A running engine, until it is told to end or is dropped.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Builder, Error, Service, Services,
    listener::{self, Listener},
};

/// Time limit for connections to finish their requests when the engine ends.
const GRACE: Duration = Duration::from_secs(5);

/// Interval of removing expired messages from unused queues.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// The sockets of both services.
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) queue: TcpListener,
    pub(crate) table: TcpListener,
}

/// Both services, listening. They end when this is dropped, or in order with [`Engine::shutdown`].
#[derive(Debug)]
pub struct Engine {
    services: Services,
    queue: SocketAddr,
    table: SocketAddr,
    scheme: &'static str,
    key: String,
    ending: CancellationToken,
    tasks: TaskTracker,
}

impl Engine {
    /// Makes a builder, which sets ports, data, account, certificate and clock.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn run(
        services: Services,
        sockets: Sockets,
        tls: Option<&TlsAcceptor>,
        key: String,
    ) -> Result<Self, Error> {
        let address = |socket: &TcpListener| {
            socket.local_addr().map_err(|source| Error::Listen {
                address: SocketAddr::from(([0, 0, 0, 0], 0)),
                source,
            })
        };
        let engine = Self {
            queue: address(&sockets.queue)?,
            table: address(&sockets.table)?,
            scheme: if tls.is_some() { "https" } else { "http" },
            key,
            ending: CancellationToken::new(),
            tasks: TaskTracker::new(),
            services,
        };
        let large_bodies = listener::large_bodies();
        for (service, socket) in [
            (Service::Queue, sockets.queue),
            (Service::Table, sockets.table),
        ] {
            let listener = Listener {
                services: engine.services.clone(),
                service,
                tls: tls.cloned(),
                ending: engine.ending.clone(),
                connections: engine.tasks.clone(),
                large_bodies: Arc::clone(&large_bodies),
            };
            engine.tasks.spawn(listener.run(socket));
        }
        engine
            .tasks
            .spawn(sweep(engine.services.clone(), engine.ending.clone()));
        Ok(engine)
    }

    /// The address of the Queue service, like `http://127.0.0.1:10001/devstoreaccount1`.
    pub fn queue_url(&self) -> String {
        self.url(self.queue)
    }

    /// The address of the Table service, like `http://127.0.0.1:10002/devstoreaccount1`.
    pub fn table_url(&self) -> String {
        self.url(self.table)
    }

    fn url(&self, address: SocketAddr) -> String {
        let account = self.account();
        // Clients cannot connect to the unspecified address; clients on this machine use the loopback address.
        let host = match address.ip() {
            ip if ip.is_unspecified() => "127.0.0.1".to_owned(),
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
            std::net::IpAddr::V4(ip) => ip.to_string(),
        };
        format!("{}://{host}:{}/{account}", self.scheme, address.port())
    }

    /// The account's name.
    pub fn account(&self) -> &str {
        &self.services.account.name
    }

    /// The account's key, in base64.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The connection string for clients. It contains the key.
    pub fn connection_string(&self) -> String {
        format!(
            "DefaultEndpointsProtocol={};AccountName={};AccountKey={};QueueEndpoint={};TableEndpoint={};",
            self.scheme,
            self.account(),
            self.key,
            self.queue_url(),
            self.table_url()
        )
    }

    /// An account SAS without its `?`: every permission on both services, for the next 12 hours.
    pub fn sas(&self) -> String {
        self.services.sas()
    }

    /// Both services, as a function from requests to answers on the same data.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Accepts no more connections, lets pending requests finish, and returns when all connections are closed.
    pub async fn shutdown(self) {
        self.ending.cancel();
        self.tasks.close();
        if tokio::time::timeout(GRACE, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("connections were still open after the grace period");
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.ending.cancel();
        self.tasks.close();
    }
}

/// Removes expired messages of all queues, a bounded number at a time.
async fn sweep(services: Services, ending: CancellationToken) {
    loop {
        tokio::select! {
            () = ending.cancelled() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
        services.remove_expired(&ending);
    }
}
