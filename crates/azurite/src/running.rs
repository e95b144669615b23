//! What holds a started Azurite up, and how it is let go.

use std::hash::{BuildHasher as _, RandomState};
use std::net::{Ipv4Addr, TcpListener};

use tokio::net::TcpSocket;

use crate::{Ports, docker::Container, node::Node};

#[derive(Debug)]
pub(crate) enum Running {
    /// Someone else's; it is neither stopped nor started here.
    Elsewhere,
    Container(Box<Container>),
    Node(Node),
    /// Ours, and gone for the moment; its ports are kept for it.
    Halted(#[expect(dead_code, reason = "held, not used")] Vec<TcpSocket>),
}

/// Keeps `ports` from being given to a connection or listener that asks for any: bound, and listening on nothing, so that
/// connections are refused. Who asks for one by its number gets it, since the sockets allow for address reuse. Only Linux
/// has it so; elsewhere the ports are left to their luck.
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

/// Where [`lasting`] looks: below the ports that systems give to whoever asks for any (Linux: from 32768 on).
const LASTING: std::ops::Range<u16> = 20_000..32_000;

/// Ports that are free, and that nobody gets who asks for any: those of a container that is halted cannot be kept, since its
/// engine could not publish them again. 0 where there is none.
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
    /// How it ended, if it is ours and has ended by itself.
    pub(crate) fn ended(&mut self) -> Option<String> {
        match self {
            Self::Container(container) => container.ended(),
            Self::Node(node) => node.ended(),
            Self::Elsewhere | Self::Halted(_) => None,
        }
    }

    /// Ends what is ours and waits until it is gone, its data written.
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
