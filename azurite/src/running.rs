//! What holds a started Azurite up, and how it is let go.

use crate::{docker::Container, node::Node};

#[derive(Debug)]
pub(crate) enum Running {
    /// Someone else's; it is neither stopped nor started here.
    Elsewhere,
    Container(Box<Container>),
    Node(Node),
    /// Ours, and gone for the moment.
    Halted,
}

impl Running {
    /// Ends what is ours and waits until it is gone, its data written.
    pub(crate) async fn stop(self) {
        match self {
            Self::Container(container) => container.stop().await,
            Self::Node(node) => node.stop().await,
            Self::Elsewhere | Self::Halted => {}
        }
    }
}
