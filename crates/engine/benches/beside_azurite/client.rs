//! A minimal HTTP client: one connection, one request at a time, bytes in and out. It uses little CPU time, because it runs on
//! the same machine as the measured programs.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A connection to one service.
pub(crate) struct Connection {
    stream: TcpStream,
    authority: String,
    out: Vec<u8>,
    read: Vec<u8>,
}

/// An answer: its status, and its body as text.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Connection {
    pub(crate) async fn open(authority: &str) -> Self {
        let stream = TcpStream::connect(authority).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            authority: authority.to_owned(),
            out: Vec::with_capacity(2_048),
            read: Vec::with_capacity(16 * 1_024),
        }
    }

    /// Sends a request and reads its answer, whose status must be below 300.
    pub(crate) async fn ask(
        &mut self,
        method: &str,
        target: &str,
        headers: &str,
        body: &str,
    ) -> Answer {
        self.out.clear();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: {}\r\nx-ms-version: 2021-12-02\r\ncontent-length: {}\r\n{headers}\r\n",
            self.authority,
            body.len()
        );
        self.out.extend_from_slice(head.as_bytes());
        self.out.extend_from_slice(body.as_bytes());
        self.stream.write_all(&self.out).await.unwrap();
        let answer = self.answer().await;
        assert!(
            answer.status < 300,
            "{method} {target}: {} {}",
            answer.status,
            answer.body
        );
        answer
    }

    async fn answer(&mut self) -> Answer {
        let end = loop {
            if let Some(end) = find(&self.read, b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await;
        };
        let head = String::from_utf8_lossy(&self.read[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = if let Some(length) = value(&head, "content-length:") {
            let length: usize = length.parse().unwrap();
            while self.read.len() < end + length {
                self.more().await;
            }
            self.take(end, length)
        } else if value(&head, "transfer-encoding:").is_some() {
            self.chunks(end).await
        } else {
            self.take(end, 0)
        };
        Answer { status, body }
    }

    fn take(&mut self, from: usize, length: usize) -> String {
        let body = String::from_utf8_lossy(&self.read[from..from + length]).into_owned();
        self.read.drain(..from + length);
        body
    }

    /// Reads a chunked body, as Node.js sends it.
    async fn chunks(&mut self, from: usize) -> String {
        let mut body = String::new();
        let mut at = from;
        loop {
            let line = loop {
                if let Some(end) = find(&self.read[at..], b"\r\n") {
                    break at + end;
                }
                self.more().await;
            };
            let size = std::str::from_utf8(&self.read[at..line]).unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            while self.read.len() < line + 2 + size + 2 {
                self.more().await;
            }
            body.push_str(&String::from_utf8_lossy(
                &self.read[line + 2..line + 2 + size],
            ));
            at = line + 2 + size + 2;
            if size == 0 {
                self.read.drain(..at);
                return body;
            }
        }
    }

    async fn more(&mut self) {
        let read = self.stream.read_buf(&mut self.read).await.unwrap();
        assert!(read > 0, "the connection was closed");
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let line = head.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim())
}
