//! Benchmark of the time that the proxy adds to a request. Run it with `cargo bench -p wire --bench proxy`.
//!
//! One client sends requests to a storage that answers at once: directly, through a forwarder that only copies bytes, and
//! through the proxy, in turns, each over one open connection. The forwarder shows what any additional process on the way costs
//! on this machine; the difference to it is the proxy's own cost. Client, forwarder with proxy, and storage have one runtime
//! each, because they are separate processes in a run.

#![expect(
    clippy::disallowed_methods,
    reason = "its tasks end with their runtimes"
)]
#![expect(clippy::print_stdout, reason = "the figures are its output")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use contract::workload::Lens;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use wire::{Endpoints, Faults, History, Proxy};

/// Measured requests of each kind and way, after a tenth as many unmeasured ones.
const ROUNDS: usize = 10_000;

type Client = SendRequest<Full<Bytes>>;

/// A request as the workload makes it.
struct Kind {
    name: &'static str,
    method: Method,
    path: &'static str,
    body: Bytes,
}

fn main() -> anyhow::Result<()> {
    let threads = |count| {
        Builder::new_multi_thread()
            .worker_threads(count)
            .enable_all()
            .build()
    };
    let (client, middle, storage) = (threads(1)?, threads(1)?, threads(1)?);
    let address = start_storage(&storage)?;
    let run = tempfile::tempdir()?;
    let base = format!("http://{address}/acc");
    let endpoints = Endpoints {
        queue: base.clone(),
        table: base,
    };
    let history = History::open(run.path())?;
    let proxy = middle.block_on(Proxy::start(
        &endpoints,
        history,
        Faults::new(1),
        None,
        Lens::own("bench".parse()?),
    ))?;
    let lane = middle.block_on(proxy.lane("consumer-1"))?;
    let through: Uri = lane.endpoints().queue.parse()?;
    let through = through.authority().context("a lane without an address")?;

    let floor = middle.block_on(start_forwarder(address))?;

    let columns = ["direct", "forwarder", "proxy", "added", "its own"];
    println!(
        "{:<34}{}",
        "medians, microseconds",
        columns.map(|c| format!("{c:>12}")).concat()
    );
    for kind in kinds() {
        let measured = client.block_on(async {
            let ways = [&address.to_string(), &floor.to_string(), through.as_str()];
            let mut clients = Vec::new();
            for way in ways {
                clients.push(connect(way).await?);
            }
            measure(&mut clients, &kind).await
        })?;
        println!("{}", line(kind.name, &measured));
    }
    Ok(())
}

fn kinds() -> [Kind; 3] {
    let row =
        serde_json::json!({"PartitionKey": "r1.07", "RowKey": "r1-7", "data": "x".repeat(1024)});
    [
        Kind {
            name: "delete of a message",
            method: Method::DELETE,
            path: "/acc/q/messages/m7?popreceipt=abc",
            body: Bytes::new(),
        },
        Kind {
            name: "insert of a row of 1 KiB",
            method: Method::POST,
            path: "/acc/T",
            body: row.to_string().into(),
        },
        Kind {
            name: "receive of 32 messages of 1 KiB",
            method: Method::GET,
            path: "/acc/q/messages?numofmessages=32&visibilitytimeout=30",
            body: Bytes::new(),
        },
    ]
}

/// The response times of each way, in microseconds; the ways take turns.
async fn measure(clients: &mut [Client], kind: &Kind) -> anyhow::Result<Vec<Vec<f64>>> {
    let mut times = vec![Vec::with_capacity(ROUNDS); clients.len()];
    for round in 0..ROUNDS + ROUNDS / 10 {
        for (client, times) in clients.iter_mut().zip(&mut times) {
            let time = ask(client, kind).await?;
            if round >= ROUNDS / 10 {
                times.push(time.as_secs_f64() * 1e6);
            }
        }
    }
    Ok(times)
}

async fn ask(client: &mut Client, kind: &Kind) -> anyhow::Result<Duration> {
    let request = Request::builder()
        .method(kind.method.clone())
        .uri(kind.path)
        .header("host", "storage")
        .body(Full::new(kind.body.clone()))?;
    let begun = Instant::now();
    client.ready().await?;
    let answer = client.send_request(request).await?;
    anyhow::ensure!(answer.status().is_success(), "answered {}", answer.status());
    answer.into_body().collect().await?;
    Ok(begun.elapsed())
}

async fn connect(address: &str) -> anyhow::Result<Client> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (client, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn line(name: &str, times: &[Vec<f64>]) -> String {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let medians = times.iter().map(|times| median(times.clone()));
    // The median of the differences within each round: a disturbance of the machine affects both sides of a round, or few
    // rounds.
    let above = |floor: usize| {
        let pairs = times[2].iter().zip(&times[floor]);
        median(pairs.map(|(proxy, floor)| proxy - floor).collect())
    };
    let columns = medians
        .chain([above(0), above(1)])
        .map(|micros| format!("{micros:>12.1}"));
    format!("{name:<34}{}", columns.collect::<String>())
}

/// Copies bytes to and from `storage`.
async fn start_forwarder(storage: SocketAddr) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut storage = TcpStream::connect(storage).await?;
                client.set_nodelay(true)?;
                storage.set_nodelay(true)?;
                tokio::io::copy_bidirectional(&mut client, &mut storage).await
            });
        }
    });
    Ok(address)
}

/// A storage that answers at once: with messages to a receive, otherwise with an empty body.
fn start_storage(runtime: &Runtime) -> anyhow::Result<SocketAddr> {
    let message = format!(
        "<QueueMessage><MessageId>m7</MessageId><PopReceipt>abc</PopReceipt><DequeueCount>1</DequeueCount>\
         <MessageText>{{&quot;id&quot;:&quot;r1-7&quot;,&quot;msg&quot;:&quot;{}&quot;}}</MessageText></QueueMessage>",
        "x".repeat(1024)
    );
    let messages = Bytes::from(format!(
        "<QueueMessagesList>{}</QueueMessagesList>",
        message.repeat(32)
    ));
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let messages = messages.clone();
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                let messages = messages.clone();
                async move {
                    let body = match *request.method() {
                        Method::GET => messages,
                        _ => Bytes::new(),
                    };
                    // A body that could not be read ends the connection, and with it the measurement.
                    let _ = request.into_body().collect().await;
                    let mut answer = Response::new(Full::new(body));
                    *answer.status_mut() = StatusCode::OK;
                    Ok::<_, Infallible>(answer)
                }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    Ok(address)
}
