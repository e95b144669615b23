//! Tests of the npm package: accepted and refused requests, its ports, its data, and its end with its parent process.

use std::net::TcpListener;

use crate::support::{assert_goes_away, create_queue_and_table, listings, npm as start, shared};
use azurite::{Azurite, Error, Ports, Source};

#[tokio::test]
async fn its_sas_is_accepted_by_queue_and_table() {
    let azurite = shared().await;
    assert_eq!(
        create_queue_and_table(azurite, &azurite.sas(), "accepted").await,
        (201, 201)
    );
    assert!(azurite.queue_url().ends_with(azurite.account()));
}

#[tokio::test]
async fn a_sas_with_another_signature_is_refused() {
    let azurite = shared().await;
    let sas = azurite.sas();
    let (signed, signature) = sas.split_once("sig=").unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{signed}sig={other}{}", &signature[1..]);
    assert_eq!(
        create_queue_and_table(azurite, &forged, "refused").await,
        (403, 403)
    );
}

#[tokio::test]
async fn why_names_version_source_and_reason_in_one_line() {
    let azurite = shared().await;
    assert_eq!(azurite.source(), Source::Npm);
    let why = format!(
        "Azurite {} from npm (it alone is allowed)",
        azurite::VERSION
    );
    assert_eq!(azurite.why(), why);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let ports = Ports {
        table: port,
        ..Ports::default()
    };
    let error = Azurite::builder()
        .source(Source::Npm)
        .ports(ports)
        .start()
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::PortInUse { port: named } if named == port),
        "{error}"
    );
}

#[tokio::test]
async fn a_start_that_fails_says_what_azurite_said() {
    let error = Azurite::builder()
        .source(Source::Npm)
        .directory("/dev/null/none")
        .start()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("ENOTDIR"), "{error}");
}

#[tokio::test]
async fn one_that_is_killed_says_how_it_ended_and_one_that_runs_says_nothing() {
    let mut azurite = start().await;
    assert_eq!(azurite.ended(), None);
    let pid = azurite.pid().unwrap();
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status();
    assert!(killed.unwrap().success());
    let mut look = tokio::time::interval(std::time::Duration::from_millis(10));
    let ended = async {
        loop {
            look.tick().await;
            if let Some(ended) = azurite.ended() {
                break ended;
            }
        }
    };
    let limit = std::time::Duration::from_secs(10);
    let ended = tokio::time::timeout(limit, ended).await.unwrap();
    let expected = format!("process {pid}, signal: 9 (SIGKILL); the last it said: nothing");
    assert_eq!(ended, expected);
}

#[tokio::test]
async fn what_was_stored_survives_a_restart_on_the_same_ports() {
    let directory = tempfile::tempdir().unwrap();
    let mut azurite = Azurite::builder()
        .source(Source::Npm)
        .directory(directory.path())
        .start()
        .await
        .unwrap();
    assert_eq!(
        create_queue_and_table(&azurite, &azurite.sas(), "kept").await,
        (201, 201)
    );
    let (urls, pid) = ((azurite.queue_url(), azurite.table_url()), azurite.pid());
    azurite.restart().await.unwrap();
    assert_eq!((azurite.queue_url(), azurite.table_url()), urls);
    assert_ne!(azurite.pid(), pid);
    assert_eq!(listings(&azurite).await.matches("kept").count(), 2);
}

#[tokio::test]
async fn a_halted_one_refuses_connections_and_comes_back_after_its_port_is_free() {
    let directory = tempfile::tempdir().unwrap();
    let mut azurite = Azurite::builder()
        .source(Source::Npm)
        .directory(directory.path())
        .start()
        .await
        .unwrap();
    azurite.halt().await.unwrap();
    let port: u16 = azurite
        .queue_url()
        .rsplit([':', '/'])
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    // Linux gives ports from 32768 on to processes that ask for any: one of them may ask before the port is reserved.
    assert!(port < 32_768, "{port}");
    if cfg!(target_os = "linux") {
        // A listener of the standard library allows address reuse and would get the port; a plain socket does not.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        let taken = socket.bind(([127, 0, 0, 1], port).into());
        assert!(taken.is_err(), "it must be kept");
    }
    let squatter = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let refused = azurite.resume().await.unwrap_err();
    assert!(
        matches!(refused, Error::PortInUse { port: named } if named == port),
        "{refused}, not {port}"
    );
    drop(squatter);
    azurite.resume().await.unwrap();
    assert_eq!(
        create_queue_and_table(&azurite, &azurite.sas(), "back").await,
        (201, 201)
    );
}

#[tokio::test]
async fn dropping_it_ends_it_and_leaves_its_data_and_its_debug_log() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("debug.log");
    let azurite = Azurite::builder()
        .source(Source::Npm)
        .directory(directory.path())
        .debug_log(&log)
        .start()
        .await
        .unwrap();
    let url = azurite.queue_url();
    drop(azurite);
    assert_goes_away(&url);
    assert!(log.metadata().unwrap().len() > 0);
}

#[test]
fn dropping_it_outside_a_runtime_ends_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let azurite = runtime.block_on(start());
    drop(runtime);
    let url = azurite.queue_url();
    drop(azurite);
    assert_goes_away(&url);
}

#[tokio::test]
async fn several_run_side_by_side_and_data_in_memory_cannot_be_restarted() {
    let (one, mut other) = tokio::join!(shared(), start());
    assert_eq!(
        create_queue_and_table(one, &one.sas(), "apart").await,
        (201, 201)
    );
    assert!(!listings(&other).await.contains("apart"));

    let error = other.restart().await.unwrap_err().to_string();
    assert!(error.contains("builder().directory(..)"), "{error}");
    assert_eq!(
        create_queue_and_table(&other, &other.sas(), "untouched").await,
        (201, 201)
    );
}

#[tokio::test]
async fn https_is_verified_and_a_token_without_a_lifetime_is_refused() {
    let authority = azurite::CertificateAuthority::new();
    let files = tempfile::tempdir().unwrap();
    let builder = Azurite::builder().source(Source::Npm);
    let azurite = builder.https(&authority, files.path()).unwrap();
    let azurite = azurite.start().await.unwrap();
    let url = format!("{}?comp=list", azurite.queue_url());
    assert!(url.starts_with("https://"));

    let root = reqwest::Certificate::from_pem(authority.certificate().as_bytes()).unwrap();
    let trusting = reqwest::Client::builder().tls_certs_merge([root]);
    let trusting = trusting.no_proxy().build().unwrap();
    let signed = trusting.get(format!("{url}&{}", azurite.sas())).send();
    assert_eq!(signed.await.unwrap().status(), 200);
    // A token without claims: parsed, and refused.
    let token = trusting.get(&url).bearer_auth("e30.e30.c2ln").send();
    assert_eq!(token.await.unwrap().status(), 403);

    let strict = reqwest::Client::builder().no_proxy().build().unwrap();
    let error = strict.get(&url).send().await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");

    azurite.stop().await;
    assert_eq!(std::fs::read_dir(files.path()).unwrap().count(), 0);
}
