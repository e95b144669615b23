//! Asking consumers whether they are ready.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpSocket;

use super::Run;
use crate::environment::ConsumerOptions;

/// Longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Where one consumer says whether it is ready.
#[derive(Debug)]
pub struct Probe {
    name: String,
    address: SocketAddr,
    client: reqwest::Client,
    /// Keeps the port for the consumer.
    _reserved: Option<TcpSocket>,
}

/// What a consumer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It answers 200.
    Ready,
    /// It answers with another status.
    NotReady(u16),
    /// It does not answer.
    Silent,
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("it is ready"),
            Self::NotReady(status) => write!(f, "it answers {status}"),
            Self::Silent => f.write_str("nothing answers"),
        }
    }
}

impl Run {
    /// Starts `count` more consumers, each with a probe that can be asked.
    pub async fn start_probed(
        &mut self,
        count: u32,
        options: &ConsumerOptions,
    ) -> anyhow::Result<Vec<Probe>> {
        let mut probes = Vec::new();
        for _ in 0..count {
            let mut probe = Probe::reserve().context("take a port for a probe")?;
            let options = ConsumerOptions {
                probes: Some(probe.address),
                ..options.clone()
            };
            let mut fleet = self.fleet().await;
            fleet.start(1, &options).await?;
            let name = fleet.newest().context("a consumer must be there")?;
            name.clone_into(&mut probe.name);
            probes.push(probe);
        }
        Ok(probes)
    }
}

impl Probe {
    /// With a port that nobody else gets. On Linux a socket that is bound and does not listen keeps it from all who ask for
    /// any port, and leaves it to one that asks for this one and reuses addresses, as servers do (socket(7)).
    fn reserve() -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(Self {
            name: String::new(),
            address: socket.local_addr()?,
            client: reqwest::Client::builder()
                .no_proxy()
                .timeout(ANSWER)
                .build()?,
            _reserved: cfg!(target_os = "linux").then_some(socket),
        })
    }

    /// Whose it is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/readyz", self.address)
    }

    /// Asks it.
    pub async fn ask(&self) -> Readiness {
        match self.client.get(self.url()).send().await {
            Ok(answer) if answer.status() == 200 => Readiness::Ready,
            Ok(answer) => Readiness::NotReady(answer.status().as_u16()),
            Err(_) => Readiness::Silent,
        }
    }
}
