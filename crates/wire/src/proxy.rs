//! The proxy: HTTP/1.1 on both sides; faults are applied to each request, and each is written to the history.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use anyhow::Context as _;
use contract::panics;
use contract::workload::Lens;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{Door, accept};
use super::fault::Faults;
use super::gate::{Comers, Gate, KillerOf};
use super::lane::{Asker, Lane};
use super::upstream::Upstream;
use super::way::{UPSTREAM, Way};
use super::{History, Service, Tls, lock};

/// The addresses of the queue and the table service, account included, such as `http://127.0.0.1:10001/devstoreaccount1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// The queue service.
    pub queue: String,
    /// The table service.
    pub table: String,
}

/// The proxy between clients and storage. Each client has its own [`Lane`], so that the proxy can identify it.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) queue: Arc<Upstream>,
    pub(super) table: Arc<Upstream>,
    pub(super) history: History,
    pub(super) faults: Faults,
    /// The lens through which messages and rows are read.
    pub(super) lens: Lens,
    /// Pending requests, including those whose client is gone: storage's reaction to them is evidence.
    pub(super) under_way: TaskTracker,
    pub(super) panicked: AtomicBool,
    /// The clients whose lanes are open.
    clients: Mutex<Vec<Weak<Asker>>>,
}

impl Shared {
    pub(super) fn upstream(&self, service: Service) -> &Arc<Upstream> {
        match service {
            Service::Queue => &self.queue,
            Service::Table => &self.table,
        }
    }
}

impl Proxy {
    /// Starts a proxy for the storage at `storage`, and connects to it if it is reachable. If storage uses HTTPS, `tls` has the
    /// certificates, and clients must use HTTPS as well. Messages and rows are read through `lens`.
    pub async fn start(
        storage: &Endpoints,
        history: History,
        faults: Faults,
        tls: Option<Tls>,
        lens: Lens,
    ) -> anyhow::Result<Self> {
        let under_way = TaskTracker::new();
        let shared = Shared {
            queue: Arc::new(Upstream::of(&storage.queue, tls.as_ref(), &under_way)?),
            table: Arc::new(Upstream::of(&storage.table, tls.as_ref(), &under_way)?),
            history,
            faults,
            lens,
            under_way,
            panicked: AtomicBool::new(false),
            clients: Mutex::default(),
        };
        tokio::join!(shared.queue.connect_ahead(), shared.table.connect_ahead());
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// The history of all requests and answers.
    pub fn history(&self) -> &History {
        &self.shared.history
    }

    /// The rules in force.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Opens a lane to storage for the client `name`.
    pub async fn lane(&self, name: &str) -> anyhow::Result<Lane> {
        let client = Arc::new(Asker::new(name));
        self.admit(&client);
        let open = CancellationToken::new();
        let endpoint = async |service| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .with_context(|| format!("open a proxy port for {name}"))?;
            let port = listener.local_addr()?.port();
            let lane = Arc::new(Way {
                shared: self.shared.clone(),
                client: client.clone(),
                service,
                open: open.clone(),
            });
            let upstream = lane.upstream();
            let url = format!("{}://127.0.0.1:{port}{}", upstream.scheme(), upstream.base);
            let door = Door::Lane(lane);
            self.shared.under_way.spawn(accept(listener, door));
            anyhow::Ok(url)
        };
        let endpoints = Endpoints {
            queue: endpoint(Service::Queue).await?,
            table: endpoint(Service::Table).await?,
        };
        Ok(Lane::new(endpoints, client, open.drop_guard()))
    }

    /// Opens `queue` and `table` to every client that names itself in its paths; `kill` makes the killer of a client. The gates
    /// close when the token is cancelled. Returns the clients.
    pub(super) fn open_gates(
        &self,
        [queue, table]: [TcpListener; 2],
        kill: KillerOf,
        open: &CancellationToken,
    ) -> Arc<Comers> {
        let comers = Arc::new(Comers::new(kill));
        for (service, listener) in [(Service::Queue, queue), (Service::Table, table)] {
            let gate = Gate {
                shared: self.shared.clone(),
                service,
                open: open.clone(),
                comers: comers.clone(),
            };
            let door = Door::Gate(Arc::new(gate));
            self.shared.under_way.spawn(accept(listener, door));
        }
        comers
    }

    /// Knows `client` from now on, and forgets those whose lanes are closed.
    fn admit(&self, client: &Arc<Asker>) {
        let mut clients = self.clients();
        clients.retain(|client| client.strong_count() > 0);
        clients.push(Arc::downgrade(client));
    }

    pub(super) fn known(&self, name: &str) -> anyhow::Result<Arc<Asker>> {
        let client = self.client(name);
        client.with_context(|| format!("find {name}: it has no way to storage"))
    }

    pub(super) fn client(&self, name: &str) -> Option<Arc<Asker>> {
        let clients = self.clients();
        let open = clients.iter().filter_map(Weak::upgrade);
        open.into_iter().find(|client| client.name == name)
    }

    fn clients(&self) -> MutexGuard<'_, Vec<Weak<Asker>>> {
        lock(&self.shared.clients)
    }

    /// Waits until the answer of every pending request is in the history. All lanes must be closed.
    pub(super) async fn close(&self) -> anyhow::Result<()> {
        let ended = async {
            self.shared.under_way.close();
            self.shared.under_way.wait().await;
            self.shared.queue.close().await;
            self.shared.table.close().await;
        };
        tokio::time::timeout(UPSTREAM, ended).await.context(
            "wait for the requests under way in the proxy: storage does not answer them",
        )?;
        self.shared.under_way.reopen();
        self.look_over()
    }

    pub(super) fn look_over(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            !self.shared.panicked.load(Ordering::Relaxed) && !panics::any(),
            "keep the history: a task of the proxy panicked, which is a bug of the harness"
        );
        self.shared.history.check()?;
        Ok(())
    }
}
