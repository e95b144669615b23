//! What holds a started Azurite up, and how it is let go.

use std::net::Ipv4Addr;

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
