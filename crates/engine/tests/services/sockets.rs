//! Tests of the listeners: invalid, too large or incomplete heads and bodies, pipelining, HTTPS, the case of names.
//!
//! Their clock is paused: when no task can run, it jumps to the next time limit.

use std::time::Duration;

use azurite::CertificateAuthority;
use engine::Engine;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};

use crate::access::token_now;

/// An engine, and the path prefix of requests to its Queue service.
struct Served {
    engine: Engine,
    authority: String,
}

impl Served {
    async fn start() -> Self {
        let engine = Engine::builder().start().await.unwrap();
        let url = engine.queue_url();
        let authority = url.split('/').nth(2).unwrap().to_owned();
        Self { engine, authority }
    }

    fn target(&self, path: &str) -> String {
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("/{}{path}{mark}{}", engine::ACCOUNT, self.engine.sas())
    }

    /// Sends these bytes on a new connection, and returns all bytes received until the engine closes it. `more` keeps the
    /// client's side open.
    async fn send(&self, bytes: &[u8], more: bool) -> String {
        let mut stream = TcpStream::connect(&self.authority).await.unwrap();
        // The engine may answer and close before all bytes are written.
        let _ = stream.write_all(bytes).await;
        if !more {
            let _ = stream.shutdown().await;
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends a request with these headers and this body.
    async fn ask(&self, method: &str, path: &str, head: &str, body: &str) -> String {
        let target = self.target(path);
        let request = format!("{method} {target} HTTP/1.1\r\nhost: h\r\n{head}\r\n{body}");
        self.send(request.as_bytes(), true).await
    }

    /// Checks that the engine still serves other clients.
    async fn assert_serves(&self) {
        let answer = self
            .ask("GET", "/?comp=list", "connection: close\r\n", "")
            .await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

/// Runs a test on a clock that jumps over idle times.
fn with_engine<F: Future<Output = ()>>(test: impl FnOnce(Served) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async { test(Served::start().await).await });
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

#[test]
fn what_is_no_http_is_refused_and_harms_nobody_else() {
    with_engine(async |served| {
        for garbage in [
            &b"\0\0\0\0\r\n\r\n"[..],
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
            b"GET / HTTP/1.1\r\ncontent-length: minus one\r\n\r\n",
            b"GET / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            b"POST / HTTP/1.1\r\ntransfer-encoding: nonsense\r\n\r\n",
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
        ] {
            let answer = served.send(garbage, false).await;
            let shown = String::from_utf8_lossy(garbage);
            assert_eq!(status(&answer), "400", "{shown}: {answer}");
        }
        served.assert_serves().await;
    });
}

#[test]
fn targets_that_are_no_path_are_answered() {
    with_engine(async |served| {
        for (line, expected) in [
            ("OPTIONS * HTTP/1.1", "404"),
            ("CONNECT host:80 HTTP/1.1", "404"),
            (
                "GET http://other/devstoreaccount1?comp=list HTTP/1.1",
                "401",
            ),
            ("GET /%ff%00?%ff HTTP/1.1", "404"),
            ("GET /devstoreaccount1/%ff?comp=%ff HTTP/1.1", "400"),
            ("BREW /devstoreaccount1/queue HTTP/1.1", "401"),
        ] {
            let request = format!("{line}\r\nhost: h\r\nconnection: close\r\n\r\n");
            let answer = served.send(request.as_bytes(), true).await;
            assert_eq!(status(&answer), expected, "{line}: {answer}");
            assert!(answer.contains("x-ms-error-code: "), "{answer}");
        }
    });
}

#[test]
fn a_head_that_is_too_large_or_never_ends_is_given_up() {
    with_engine(async |served| {
        let large = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(200_000));
        let answer = served.send(large.as_bytes(), true).await;
        assert!(["414", "431", ""].contains(&status(&answer)), "{answer}");
        let many = "a: b\r\n".repeat(1_000);
        let many = format!("GET / HTTP/1.1\r\n{many}\r\n");
        let answer = served.send(many.as_bytes(), true).await;
        assert_eq!(status(&answer), "431", "{answer}");
        // The client would wait for ever; the engine does not.
        let answer = served.send(b"GET / HTTP/1.1\r\nhost: h\r\n", true).await;
        assert!(["", "408"].contains(&status(&answer)), "{answer}");
        served.assert_serves().await;
    });
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_is_sent() {
    with_engine(async |served| {
        for head in [
            "content-length: 99999999999\r\n",
            "content-length: 1048577\r\n",
        ] {
            let answer = served.ask("PUT", "/queue", head, "").await;
            assert_eq!(status(&answer), "413", "{answer}");
            assert!(answer.contains("x-ms-error-code: RequestBodyTooLarge\r\n"));
        }
        let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x1_0000));
        let head = "transfer-encoding: chunked\r\n";
        let answer = served
            .ask("POST", "/queue/messages", head, &chunk.repeat(17))
            .await;
        assert_eq!(status(&answer), "413", "{answer}");
        served.assert_serves().await;
    });
}

#[test]
fn a_body_that_is_malformed_or_never_whole_gets_the_error_of_the_service() {
    with_engine(async |served| {
        let chunked = "transfer-encoding: chunked\r\n";
        for (head, body, expected) in [
            (chunked, "zz\r\nnonsense\r\n", "400"),
            (chunked, "ffffffffffffffffffff\r\n", "400"),
            (chunked, "2\r\nabc\r\n", "400"),
            (chunked, "5\r\nab", "408"),
            ("content-length: 10\r\n", "ab", "408"),
            // Refused without reading the body, which may never end.
            ("content-length: 10\r\nexpect: 100-continue\r\n", "", "408"),
        ] {
            let answer = served.ask("POST", "/queue/messages", head, body).await;
            let last = answer.rfind("HTTP/1.1 ").map_or("", |at| &answer[at..]);
            let last = if status(last) == "100" { "" } else { last };
            assert_eq!(status(last), expected, "{head}{body}: {answer}");
            assert!(answer.contains("x-ms-error-code: "), "{answer}");
            assert!(answer.contains("connection: close\r\n"), "{answer}");
        }
        served.assert_serves().await;
    });
}

#[test]
fn requests_in_a_row_are_answered_in_their_order() {
    with_engine(async |served| {
        let put = |queue| {
            let target = served.target(&format!("/queue-{queue}"));
            format!(
                "PUT {target} HTTP/1.1\r\nhost: h\r\nx-ms-client-request-id: {queue}\r\ncontent-length: 0\r\n\r\n"
            )
        };
        let all: String = (0..50).map(put).collect();
        let answers = served.send(all.as_bytes(), false).await;
        let ids: Vec<&str> = answers
            .lines()
            .filter_map(|line| line.strip_prefix("x-ms-client-request-id: "))
            .collect();
        let expected: Vec<String> = (0..50).map(|queue| queue.to_string()).collect();
        assert_eq!(ids, expected);
        assert_eq!(answers.matches("HTTP/1.1 201 Created\r\n").count(), 50);
    });
}

#[test]
fn half_of_the_next_request_does_not_hold_back_an_answer() {
    with_engine(async |served| {
        let target = served.target("/?comp=list");
        let request = format!("GET {target} HTTP/1.1\r\nhost: h\r\n\r\nGET /dev");
        let mut stream = TcpStream::connect(&served.authority).await.unwrap();
        let begun = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        assert!(begun.elapsed() < Duration::from_secs(1));
    });
}

#[test]
fn a_queue_keeps_the_case_of_its_metadata_names_and_finds_them_in_any() {
    with_engine(async |served| {
        let close = "connection: close\r\ncontent-length: 0\r\n";
        let head = format!("X-MS-Meta-Owner: a\r\nx-ms-meta-costCentre: b\r\n{close}");
        let made = served.ask("PUT", "/queue", &head, "").await;
        assert_eq!(status(&made), "201", "{made}");
        let again = served
            .ask("PUT", "/queue", &head.to_ascii_lowercase(), "")
            .await;
        assert_eq!(status(&again), "204", "the same names in another case");
        let read = served.ask("GET", "/queue?comp=metadata", close, "").await;
        assert!(read.contains("\r\nx-ms-meta-Owner: a\r\n"), "{read}");
        assert!(read.contains("\r\nx-ms-meta-costCentre: b\r\n"), "{read}");
        let listed = served
            .ask("GET", "/?comp=list&include=metadata", close, "")
            .await;
        assert!(listed.contains("<Owner>a</Owner>"), "{listed}");
        let head = format!("x-ms-meta-OWNER: c\r\n{close}");
        let set = served.ask("PUT", "/queue?comp=metadata", &head, "").await;
        assert_eq!(status(&set), "204", "{set}");
        let read = served.ask("GET", "/queue?comp=metadata", close, "").await;
        assert!(read.contains("\r\nx-ms-meta-OWNER: c\r\n"), "{read}");
        assert!(!read.contains("costCentre"), "{read}");
    });
}

#[test]
fn a_client_that_has_closed_its_side_is_still_answered() {
    with_engine(async |served| {
        let target = served.target("/?comp=list");
        let request = format!("GET {target} HTTP/1.1\r\nhost: h\r\n\r\n");
        let answer = served.send(request.as_bytes(), false).await;
        assert_eq!(status(&answer), "200", "{answer}");
    });
}

/// Lists queues over HTTPS with a bearer token.
async fn list_over_https(certificate: &str, key: &str, client: reqwest::ClientBuilder) -> u16 {
    let builder = Engine::builder().https(certificate.as_bytes(), key.as_bytes());
    let engine = builder.start().await.unwrap();
    assert!(engine.queue_url().starts_with("https://"));
    let client = client.no_proxy().timeout(Duration::from_secs(60));
    let client = client.build().unwrap();
    let listed = client.get(format!("{}?comp=list", engine.queue_url()));
    let listed = listed.header("authorization", token_now()).send().await;
    listed.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_bearer_token_opens_an_https_socket() {
    let authority = CertificateAuthority::new();
    let certified = authority.certify();
    let root = reqwest::Certificate::from_pem(authority.certificate().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([root]);
    let status = list_over_https(&certified.certificate, &certified.key, client).await;
    assert_eq!(status, 200);
}

/// Old tools make version 1 certificates; a client that trusts such a certificate itself accepts it.
#[tokio::test]
async fn a_certificate_of_version_1_is_served() {
    let pem = include_str!("version-1.pem");
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true);
    assert_eq!(list_over_https(pem, pem, client).await, 200);
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused_at_the_start() {
    let authority = CertificateAuthority::new();
    let (one, other) = (authority.certify(), authority.certify());
    let builder = Engine::builder().https(one.certificate.as_bytes(), other.key.as_bytes());
    let refused = builder.start().await.unwrap_err();
    assert!(matches!(refused, engine::Error::Tls(_)), "{refused}");
}
