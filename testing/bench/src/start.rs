//! `start`: the time from exec of the consumer to its first Get Messages, as a bare TCP server sees it.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::args::Sizes;
use crate::figures::{Figure, median};
use crate::process::{self, Process};

/// The longest time that the start may take.
const TARGET: Duration = Duration::from_millis(50);

/// A start that takes longer than this has failed.
const LIMIT: Duration = Duration::from_secs(10);

pub(crate) fn measure(sizes: Sizes) -> anyhow::Result<Vec<Figure>> {
    let mut millis = Vec::new();
    for _ in 0..sizes.starts {
        millis.push(start()?.as_secs_f64() * 1e3);
    }
    let longest = millis.iter().copied().fold(0.0, f64::max);
    let middle = median(&millis);
    Ok(vec![
        Figure::new(
            "start, exec to first Get Messages",
            format!("{middle:.1} ms"),
            format!("median of {}, longest {longest:.1} ms", millis.len()),
        )
        .held_to("< 50 ms", middle < TARGET.as_secs_f64() * 1e3),
    ])
}

/// Measures one start, from just before fork and exec until the head of the request has arrived; the consumer gets no answer and is killed.
#[expect(
    clippy::disallowed_methods,
    reason = "its threads end with the process: the consumer that they wait for is killed"
)]
fn start() -> anyhow::Result<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0").context("listen on a free port")?;
    let endpoint = format!("http://{}/account", listener.local_addr()?);
    let (seen, first) = mpsc::sync_channel(1);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let seen = seen.clone();
            thread::spawn(move || watch(&stream, &seen));
        }
    });
    let mut command = process::command(&process::binary("consumer")?);
    command
        .args(["--queue", "bench", "--table", "bench"])
        .args(["--queue-endpoint", &endpoint])
        .args(["--table-endpoint", &endpoint])
        .env("AZURE_STORAGE_SAS_TOKEN", "sv=2021-12-02&sig=bench");
    let consumer = Process::start("consumer-start", &mut command)?;
    let at = first
        .recv_timeout(LIMIT)
        .with_context(|| match consumer.log() {
            Ok(log) => format!("see a Get Messages of the consumer; it said: {log}"),
            Err(error) => format!("see a Get Messages of the consumer; {error:#}"),
        })?;
    Ok(at.duration_since(consumer.began()))
}

/// Reads the head of the connection's first request, and reports when it is a Get Messages. Never answers.
fn watch(stream: &TcpStream, seen: &SyncSender<Instant>) {
    let mut lines = BufReader::new(stream).lines();
    let Some(Ok(request)) = lines.next() else {
        return;
    };
    if lines.any(|line| line.is_ok_and(|line| line.is_empty())) && is_get_messages(&request) {
        // It fails if another request was first, or if the time has been read already.
        let _ = seen.try_send(Instant::now());
    }
    // Keeps the connection open, like a slow service, until the consumer has ended.
    drop(lines.next());
}

fn is_get_messages(request: &str) -> bool {
    request.starts_with("GET ") && request.contains("/messages?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_get_messages_is_told_from_other_requests() {
        assert!(is_get_messages(
            "GET /account/bench/messages?numofmessages=32&sig=x HTTP/1.1"
        ));
        assert!(!is_get_messages(
            "GET /account/bench(PartitionKey='a') HTTP/1.1"
        ));
        assert!(!is_get_messages(
            "POST /account/bench/messages?a=b HTTP/1.1"
        ));
    }
}
