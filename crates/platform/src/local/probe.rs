//! Probes of consumers' readiness.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;
use workflow::task;

use crate::workers::Readiness;

/// Timeout of a probe.
const ANSWER: Duration = Duration::from_secs(2);

/// Probe interval.
const EVERY: Duration = Duration::from_millis(50);

/// Reserves a port for the probe of a consumer that is about to start.
pub(super) struct Reserved(#[expect(dead_code, reason = "holds the port")] Option<TcpSocket>);

/// Probes one consumer periodically, until it is dropped.
pub(super) struct Prober {
    said: watch::Receiver<Readiness>,
    _task: AbortOnDropHandle<()>,
    /// Reserves the port for the consumer.
    _reserved: Reserved,
}

impl Prober {
    /// Reserves a free port for a consumer's probe. On Linux, a socket that is bound and does not listen keeps the port from
    /// processes that ask for any port, but not from a process that asks for this port with `SO_REUSEADDR` (socket(7)).
    ///
    /// Foreign consumers are asked for `SO_REUSEADDR`, and not for port 0 and a log line with the address: the servers of the
    /// common languages set the option when they listen on Unix (Python's `http.server`, libuv in Node, `net` in Go, Java's
    /// `ServerSocket` on Linux, the sockets of .NET, Rust's `std` and tokio), but no two of them log their address in one form.
    pub(super) fn reserve() -> anyhow::Result<(SocketAddr, Reserved)> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = socket.local_addr()?;
        Ok((
            address,
            Reserved(cfg!(target_os = "linux").then_some(socket)),
        ))
    }

    /// Starts to probe at `address`.
    pub(super) fn start((address, reserved): (SocketAddr, Reserved)) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            // Probes are http: to read the root certificates of the system would take longer than all of them.
            .tls_certs_only([])
            .timeout(ANSWER)
            .build()?;
        let url = format!("http://{address}/readyz");
        let (say, said) = watch::channel(Readiness::Silent);
        let task = task::spawn(async move {
            let mut tick = interval(EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                say.send_replace(match client.get(&url).send().await {
                    Ok(answer) if answer.status() == 200 => Readiness::Ready,
                    Ok(answer) => Readiness::NotReady(answer.status().as_u16()),
                    Err(_) => Readiness::Silent,
                });
            }
        });
        Ok(Self {
            said,
            _task: task,
            _reserved: reserved,
        })
    }

    /// The answer of the last probe.
    pub(super) fn last(&self) -> Readiness {
        *self.said.borrow()
    }
}
