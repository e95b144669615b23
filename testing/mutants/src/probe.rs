//! Answers requests about whether the consumer is ready.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The services that have answered.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    pub(crate) queue: AtomicBool,
    pub(crate) table: AtomicBool,
}

impl Reached {
    pub(crate) fn queue(&self) -> bool {
        self.queue.load(Ordering::Relaxed)
    }

    pub(crate) fn table(&self) -> bool {
        self.table.load(Ordering::Relaxed)
    }
}

/// Answers every request at `address` until dropped: 200 when `is_ready`, else 503.
pub(crate) async fn serve(address: SocketAddr, is_ready: impl Fn() -> bool) {
    let listener = TcpListener::bind(address).await.expect("a free port");
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        // The client may have closed the connection.
        let _ = answer(stream, is_ready()).await;
    }
}

async fn answer(stream: TcpStream, is_ready: bool) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    // The head ends with an empty line.
    while stream.read_line(&mut line).await? > 2 {
        line.clear();
    }
    let status = if is_ready {
        "200 OK"
    } else {
        "503 Service Unavailable"
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.shutdown().await
}
