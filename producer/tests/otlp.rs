//! Spans over OTLP: what a collector receives. Built with `--features otlp` only.
#![cfg(feature = "otlp")]
#![expect(
    clippy::disallowed_methods,
    reason = "a test's tasks and threads end with it, and what they do is asserted"
)]
#![expect(clippy::unwrap_used, reason = "an unwrap in a test is an assertion")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

/// Answers one export request and returns its request line and body.
fn collect(listener: &TcpListener) -> (String, Vec<u8>) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    reader.read_line(&mut request).unwrap();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if header == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    (request, body)
}

#[test]
fn every_send_is_a_span_that_reaches_the_collector() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let collector = thread::spawn(move || collect(&listener));
    let producer = Command::new(env!("CARGO_BIN_EXE_producer"))
        .args([
            "--sink",
            "null",
            "--shape",
            "burst",
            "--messages",
            "3",
            "--progress",
            "none",
        ])
        .args(["--queue", "aws2azmsgs"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .output()
        .unwrap();
    assert!(producer.status.success(), "{producer:?}");
    let (request, body) = collector.join().unwrap();
    assert_eq!(request.trim_end(), "POST /v1/traces HTTP/1.1");
    let text = String::from_utf8_lossy(&body);
    assert!(
        text.contains("producer"),
        "the service must be named: {text}"
    );
    assert!(text.contains("send"), "the span must be named: {text}");
    assert_eq!(
        text.matches("seq").count(),
        3,
        "each span has its number: {text}"
    );
}
