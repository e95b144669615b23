//! Forwards a port of a pod to this machine's loopback, like `kubectl port-forward`, until it is dropped: each connection goes
//! to a pod that is ready at that time, so that a replaced pod breaks a connection, but not the forward.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::error::{Error, said};
use crate::ready::is_ready;

/// A forwarded port of pods. Dropping it closes it.
pub struct Forward {
    address: SocketAddr,
    trouble: Arc<Mutex<Option<String>>>,
    /// The task that accepts connections, until this is dropped; the connections' tasks end with it.
    _accepting: JoinSet<()>,
}

impl fmt::Debug for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "forwarded at {}", self.address)
    }
}

impl Forward {
    /// Forwards `port` of the pods in `pods` that the label selector `selector` selects.
    pub async fn open(pods: Api<Pod>, selector: &str, port: u16) -> Result<Self, Error> {
        let local = |source| Error::Local {
            doing: format!("listen for what goes to {selector}"),
            source,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(local)?;
        let address = listener.local_addr().map_err(local)?;
        let trouble = Arc::new(Mutex::new(None));
        let way = Way {
            pods,
            selector: selector.to_owned(),
            port,
            trouble: trouble.clone(),
        };
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::new(way)));
        Ok(Self {
            address,
            trouble,
            _accepting: accepting,
        })
    }

    /// The address on this machine.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Why the last connection failed; `None`: it did not.
    pub fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.lock();
        trouble.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The target of connections.
struct Way {
    pods: Api<Pod>,
    selector: String,
    port: u16,
    trouble: Arc<Mutex<Option<String>>>,
}

async fn accept(listener: TcpListener, way: Arc<Way>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(ended) = connections.join_next() => {
                if ended.is_err() {
                    way.tell(Some("a task that carries a connection panicked, which is a bug".to_owned()));
                }
            }
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    let way = way.clone();
                    connections.spawn(async move { way.carry(stream).await });
                }
            }
        }
    }
}

impl Way {
    /// Carries one connection until it ends.
    async fn carry(&self, mut stream: TcpStream) {
        let carried = async {
            let pod = self.ready().await?;
            let mut forwarded = self.pods.portforward(&pod, &[self.port]).await;
            let forwarded = forwarded
                .as_mut()
                .map_err(|error| format!("forward to {pod}: {}", said(error)))?;
            let there = forwarded.take_stream(self.port);
            let mut there = there.ok_or_else(|| format!("forward to {pod}: there is no stream"))?;
            self.tell(None);
            // An error of a connection concerns its two ends.
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut there).await;
            forwarded.abort();
            Ok::<_, String>(())
        };
        if let Err(trouble) = carried.await {
            tracing::debug!("{trouble}");
            self.tell(Some(trouble));
        }
    }

    fn tell(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// The name of a pod that is ready.
    async fn ready(&self) -> Result<String, String> {
        let selected = ListParams::default().labels(&self.selector);
        let pods = self.pods.list(&selected).await;
        let pods = pods.map_err(|error| format!("list {}: {}", self.selector, said(&error)))?;
        let ready = pods.items.iter().find(|pod| is_ready(pod));
        ready
            .map(ResourceExt::name_any)
            .ok_or_else(|| format!("no pod of {} is ready", self.selector))
    }
}
