//! The process or container of a started Azurite, and its end.

use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, TcpListener};

use tokio::net::TcpSocket;

use crate::{Ports, docker::Container, node::Node};

#[derive(Debug)]
pub(crate) enum Running {
    /// It is not this process's, which neither starts nor stops it.
    Elsewhere,
    Container(Box<Container>),
    Node(Node),
    /// Halted; its ports are reserved for it.
    Halted(#[expect(dead_code, reason = "held, not used")] Vec<TcpSocket>),
}

/// Reserves `ports`: their sockets are bound and do not listen, so connections are refused, and no process that asks for any
/// free port gets them. A process that asks for one by number gets it, since the sockets allow address reuse. This works on
/// Linux only; on other systems the ports are not protected.
pub(crate) fn keep(ports: Ports) -> Vec<TcpSocket> {
    let keep = |port| {
        let socket = TcpSocket::new_v4().ok()?;
        socket.set_reuseaddr(true).ok()?;
        socket.bind((Ipv4Addr::LOCALHOST, port).into()).ok()?;
        Some(socket)
    };
    let ports = [ports.queue, ports.table, ports.blob];
    let kept = ports.into_iter().filter_map(keep);
    kept.filter(|_| cfg!(target_os = "linux")).collect()
}

/// The range in which [`lasting`] searches: below the ports that systems assign as free ones (Linux: from 32768 on).
const LASTING: std::ops::Range<u16> = 20_000..32_000;

/// Free ports that systems do not assign to processes asking for any: those of a halted container cannot be reserved, since its
/// engine could not publish them again, and those of a process only once it has ended. 0 if there is none.
pub(crate) fn lasting() -> Ports {
    let span = u64::from(LASTING.end - LASTING.start);
    let first = RandomState::new().hash_one(0) % span;
    let ports = (0..span).filter_map(|n| u16::try_from((first + n) % span).ok());
    let ports = ports.map(|n| LASTING.start + n);
    let mut free = ports.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    let mut next = || free.next().unwrap_or_default();
    Ports {
        queue: next(),
        table: next(),
        blob: next(),
    }
}

impl Running {
    /// How it ended by itself, if it is this process's and did.
    pub(crate) fn ended(&mut self) -> Option<String> {
        match self {
            Self::Container(container) => container.ended(),
            Self::Node(node) => node.ended(),
            Self::Elsewhere | Self::Halted(_) => None,
        }
    }

    /// Stops it if it is this process's, and waits until it is gone and its data are written.
    pub(crate) async fn stop(self) {
        match self {
            Self::Container(container) => container.stop().await,
            Self::Node(node) => node.stop().await,
            Self::Elsewhere | Self::Halted(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_last_are_free_and_none_that_the_system_gives_away() {
        let Ports { queue, table, blob } = lasting();
        assert!(queue != table && table != blob && blob != queue);
        for port in [queue, table, blob] {
            assert!(LASTING.contains(&port), "{port}");
        }
    }
}
