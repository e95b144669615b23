//! Tests of the wire as a program in front of a storage with HTTPS, as in a cluster with Azure Storage.

#![expect(
    clippy::disallowed_methods,
    reason = "a test's tasks and threads end with it, and what they do is asserted"
)]
#![expect(clippy::unwrap_used, reason = "what a test is made of must be there")]

use std::convert::Infallible;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use azurite::{CertificateAuthority, Certified};
use bytes::Bytes;
use evidence::{Answer, Crossing, Operation};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio_util::task::AbortOnDropHandle;
use wire::Tls;

/// Requests that a storage received: the line, the token, the body.
type Asked = Arc<Mutex<Vec<[String; 3]>>>;

/// A storage that accepts every request, over HTTPS only.
struct Storage {
    url: String,
    root: String,
    asked: Asked,
    _serving: AbortOnDropHandle<()>,
}

impl Storage {
    async fn start() -> Self {
        let authority = CertificateAuthority::new();
        let root = authority.certificate();
        let Certified { certificate, key } = authority.certify();
        let tls = Tls::new(root.clone(), &certificate, &key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Asked::default();
        let log = asked.clone();
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (tls, log) = (tls.clone(), log.clone());
                tokio::spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else {
                        return;
                    };
                    let served = service_fn(move |request| answer(request, log.clone()));
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), served)
                        .await;
                });
            }
        });
        Self {
            url: format!("https://localhost:{port}"),
            root,
            asked,
            _serving: AbortOnDropHandle::new(serving),
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    log: Asked,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let line = format!("{} {}", request.method(), request.uri());
    let header = |name| {
        let value = request.headers().get(name).and_then(|it| it.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let token = format!("{} to {}", header("authorization"), header("host"));
    // Leaves out the proxy's requests that open connections, which no client sends.
    let counts = request.method() != hyper::Method::HEAD;
    let body = request.into_body().collect().await.unwrap().to_bytes();
    if counts {
        let body = String::from_utf8_lossy(&body).into_owned();
        log.lock().unwrap().push([line, token, body]);
    }
    let answer = Response::builder().status(201);
    Ok(answer.body(Full::default()).unwrap())
}

/// A wire as a process, with its own run's certificate.
struct Wire {
    process: Child,
    table: String,
    root: String,
    directory: tempfile::TempDir,
}

fn command(directory: &Path, storage: &str, trusted: &str) -> Command {
    std::fs::write(directory.join("trusted.pem"), trusted).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wire"));
    command
        .args(["--listen=127.0.0.1", "--queue-port=0", "--table-port=0"])
        .arg("--control-port=0")
        .arg(format!("--queue={storage}"))
        .arg(format!("--table={storage}"))
        .arg(format!("--directory={}", directory.display()))
        .env("SSL_CERT_FILE", directory.join("trusted.pem"))
        .env_remove("SSL_CERT_DIR")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Wire {
    /// Starts it in front of `storage`; it trusts storage's certificates if `trusted` signed them.
    async fn start(storage: &Storage, trusted: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let authority = CertificateAuthority::new();
        let Certified { certificate, key } = authority.certify();
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let mut command = command(directory.path(), &storage.url, trusted);
        command
            .arg("--certificate")
            .arg(file("tls.crt", &certificate))
            .arg("--certificate-key")
            .arg(file("tls.key", &key));
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        said.read_line(&mut line).await.unwrap();
        let table = line.split(' ').nth(3).unwrap_or_default();
        Self {
            table: format!("https://{table}"),
            process,
            root: authority.certificate(),
            directory,
        }
    }

    fn client(&self) -> reqwest::ClientBuilder {
        let root = reqwest::Certificate::from_pem(self.root.as_bytes()).unwrap();
        reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([root])
            .timeout(Duration::from_secs(30))
    }

    async fn post(&self, path: &str, kind: &str, body: String) -> Result<u16, reqwest::Error> {
        let request = self.client().build()?.post(format!("{}{path}", self.table));
        let request = request.header("content-type", kind).bearer_auth("secret");
        Ok(request.body(body).send().await?.status().as_u16())
    }

    /// Stops it, and returns its history.
    async fn history(mut self) -> (Vec<Crossing>, String) {
        self.process.kill().await.unwrap();
        let text = std::fs::read_to_string(self.directory.path().join("history.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        (lines.collect(), text)
    }
}

const ROW: &str = r#"{"PartitionKey":"r1.07","RowKey":"r1-7","data":"x"}"#;

#[tokio::test]
async fn a_token_goes_over_https_to_the_wire_and_on_to_storage_and_into_no_history() {
    let storage = Storage::start().await;
    let wire = Wire::start(&storage, &storage.root).await;
    let posted = wire.post("/pod-1/T", "application/json", ROW.to_owned());
    assert_eq!(posted.await.unwrap(), 201);
    let host = storage.url.trim_start_matches("https://").to_owned();
    let expected = [
        "POST /T".to_owned(),
        format!("Bearer secret to {host}"),
        ROW.to_owned(),
    ];
    assert_eq!(*storage.asked.lock().unwrap(), [expected]);
    let (history, text) = wire.history().await;
    let [crossing] = &history[..] else {
        panic!("{text}")
    };
    assert_eq!(
        (&*crossing.client, crossing.operation, &*crossing.resource),
        ("pod-1", Operation::InsertEntity, "T")
    );
    assert_eq!(crossing.answer, Answer::Status(201, None));
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn the_parts_of_a_transaction_name_storage_and_not_the_wire() {
    let storage = Storage::start().await;
    let wire = Wire::start(&storage, &storage.root).await;
    let body = |url: &str| {
        format!(
            "--b\r\nContent-Type: application/http\r\n\r\nPOST {url} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{ROW}\r\n--b--\r\n"
        )
    };
    let sent = body(&format!("{}/pod-1/T", wire.table));
    let posted = wire.post("/pod-1/$batch", "multipart/mixed; boundary=b", sent);
    assert_eq!(posted.await.unwrap(), 201);
    let [_, _, arrived] = storage.asked.lock().unwrap().remove(0);
    assert_eq!(arrived, body(&format!("{}/T", storage.url)));
}

#[tokio::test]
async fn a_storage_that_nobody_vouches_for_is_not_asked() {
    let storage = Storage::start().await;
    let stranger = CertificateAuthority::new().certificate();
    let wire = Wire::start(&storage, &stranger).await;
    let posted = wire.post("/pod-1/T", "application/json", ROW.to_owned());
    assert!(posted.await.is_err(), "no answer may be made up");
    assert!(storage.asked.lock().unwrap().is_empty());
    let (history, text) = wire.history().await;
    assert_eq!(history[0].answer, Answer::NotAsked, "{text}");
}

#[tokio::test]
async fn without_a_certificate_no_wire_is_put_before_a_storage_that_takes_tokens() {
    let directory = tempfile::tempdir().unwrap();
    let root = CertificateAuthority::new().certificate();
    let mut command = command(directory.path(), "https://a.queue.core.windows.net", &root);
    let mut process = command.spawn().unwrap();
    let mut said = String::new();
    let mut errors = process.stderr.take().unwrap();
    errors.read_to_string(&mut said).await.unwrap();
    assert_eq!(process.wait().await.unwrap().code(), Some(1));
    assert!(
        said.contains("give a certificate for it and its key"),
        "{said}"
    );
}
