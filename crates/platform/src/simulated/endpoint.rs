//! The Scheduled Events endpoint of one machine, over HTTP, as in the Azure Instance Metadata Service: any client of the real
//! endpoint can use it.
//!
//! Left out: the delay of up to two minutes of a machine's first call, and that the service is switched off after a day without
//! calls.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use workflow::task;

use super::scheduled::{Schedule, VERSIONS};
use crate::lock::lock;

const PATH: &str = "/metadata/scheduledevents";

/// The API version in the consumers' addresses.
const VERSION: &str = "2020-07-01";

/// Query parameter with the consumer's name. The service has no such parameter: each consumer gets its own address, so that the
/// requests of a node's consumers can be told apart.
const ASKER: &str = "asker";

/// A running endpoint. Dropping it stops it, as the end of its machine does.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    schedule: Arc<Mutex<Schedule>>,
    looks: Arc<Mutex<BTreeMap<String, Looks>>>,
    _served: AbortOnDropHandle<()>,
}

/// The requests of one consumer.
#[derive(Debug, Clone, Copy)]
struct Looks {
    last: Instant,
    /// The longest time between two requests; `None` after one.
    longest: Option<Duration>,
}

impl Looks {
    fn again(looks: Option<Self>, now: Instant) -> Self {
        let longest = looks.map(|it| {
            let pause = now.saturating_duration_since(it.last);
            it.longest.map_or(pause, |longest| longest.max(pause))
        });
        Self { last: now, longest }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Acknowledgement {
    start_requests: Vec<StartRequest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StartRequest {
    event_id: String,
}

impl Endpoint {
    /// Starts an endpoint with the events of the machine `machine`, on a free local port.
    pub async fn start(machine: &str) -> anyhow::Result<Self> {
        let schedule = Arc::new(Mutex::new(Schedule::new(machine)));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .with_context(|| format!("listen for those who ask for the events of {machine}"))?;
        let address = listener.local_addr()?;
        let looks = Arc::default();
        let shared = Shared {
            schedule: schedule.clone(),
            looks: Arc::clone(&looks),
        };
        let router = Router::new()
            .route(PATH, get(list).post(acknowledge))
            .with_state(shared);
        let served = task::spawn(async move {
            // It accepts connections until it is aborted; an error of one connection ends only that one.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            schedule,
            looks,
            _served: served,
        })
    }

    /// The address to request, such as `http://127.0.0.1:40123/metadata/scheduledevents?api-version=2020-07-01`.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}?api-version={VERSION}", self.address)
    }

    /// As [`Endpoint::url`], for one consumer.
    pub fn url_of(&self, consumer: &str) -> String {
        format!("{}&{ASKER}={consumer}", self.url())
    }

    /// The longest time between two requests of each consumer that has sent at least two.
    pub fn longest_pauses(&self) -> BTreeMap<String, Duration> {
        let looks = lock(&self.looks);
        let pauses = looks.iter();
        pauses
            .filter_map(|(asker, looks)| Some((asker.clone(), looks.longest?)))
            .collect()
    }

    /// The time since the last request of each consumer that has sent none since `told`.
    pub fn silences(&self, told: Instant, now: Instant) -> BTreeMap<String, Duration> {
        let looks = lock(&self.looks);
        let silent = looks.iter().filter(|(_, looks)| looks.last < told);
        let since = |looks: &Looks| now.saturating_duration_since(looks.last);
        silent
            .map(|(asker, looks)| (asker.clone(), since(looks)))
            .collect()
    }

    /// Locks the events that it serves.
    pub fn schedule(&self) -> MutexGuard<'_, Schedule> {
        lock(&self.schedule)
    }
}

#[derive(Debug, Clone)]
struct Shared {
    schedule: Arc<Mutex<Schedule>>,
    looks: Arc<Mutex<BTreeMap<String, Looks>>>,
}

impl Shared {
    /// Records a request, if its address names the consumer.
    fn note(&self, uri: &Uri) {
        let Some(asker) = parameter(uri, ASKER) else {
            return;
        };
        let mut looks = lock(&self.looks);
        let before = looks.get(asker).copied();
        looks.insert(asker.to_owned(), Looks::again(before, Instant::now()));
    }
}

/// The value of a query parameter.
fn parameter<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    let pairs = uri.query().unwrap_or_default().split('&');
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

async fn list(State(shared): State<Shared>, uri: Uri, headers: HeaderMap) -> Response {
    let version = match admitted(&uri, &headers) {
        Ok(version) => version,
        Err(refused) => return *refused,
    };
    shared.note(&uri);
    match lock(&shared.schedule).document(&version) {
        Some(document) => answer(StatusCode::OK, &json!(document)),
        None => no_such_version(),
    }
}

async fn acknowledge(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    if let Err(refused) = admitted(&uri, &headers) {
        return *refused;
    }
    let Ok(request) = serde_json::from_str::<Acknowledgement>(&body) else {
        return bad("Bad request. The body is not a list of StartRequests");
    };
    let ids: Vec<_> = request
        .start_requests
        .into_iter()
        .map(|it| it.event_id)
        .collect();
    match lock(&shared.schedule).acknowledge(&ids) {
        Ok(()) => StatusCode::OK.into_response(),
        Err(unknown) => bad(&format!("Bad request. Failed to {unknown}")),
    }
}

/// The requested version, if the service would answer the request at all: it requires a header, so that no request reaches it
/// by mistake, and a version.
fn admitted(uri: &Uri, headers: &HeaderMap) -> Result<String, Box<Response>> {
    let named = headers.get("Metadata");
    let is_meant = named.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
    if !is_meant {
        return Err(Box::new(bad(
            "Bad request. Required metadata header not specified",
        )));
    }
    if headers.contains_key("X-Forwarded-For") {
        return Err(Box::new(bad(
            "Bad request. Requests that a proxy forwards are refused",
        )));
    }
    match parameter(uri, "api-version") {
        Some(version) if VERSIONS.contains(&version) => Ok(version.to_owned()),
        _ => Err(Box::new(no_such_version())),
    }
}

fn no_such_version() -> Response {
    let error = "Bad request. api-version is invalid or was not specified in the request.";
    let newest: Vec<_> = VERSIONS.iter().rev().take(3).collect();
    answer(
        StatusCode::BAD_REQUEST,
        &json!({"error": error, "newest-versions": newest}),
    )
}

fn bad(error: &str) -> Response {
    answer(StatusCode::BAD_REQUEST, &json!({"error": error}))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (status, kind, body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Output};
    use std::time::Duration;

    use workflow::contract::Stamp;

    use super::*;
    use crate::simulated::scheduled::Kind;

    async fn announced() -> Endpoint {
        let endpoint = Endpoint::start("aks-edw-spot-x7f2k").await.unwrap();
        let (now, notice) = (Stamp::now(), Duration::from_secs(30));
        (endpoint.schedule()).announce("e1", Kind::Preempt, now, notice);
        endpoint
    }

    async fn asked(request: reqwest::RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.text().await.unwrap();
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    fn client() -> reqwest::Client {
        reqwest::Client::builder().no_proxy().build().unwrap()
    }

    #[tokio::test]
    async fn events_are_listed_as_the_documentation_has_them() {
        let endpoint = announced().await;
        let get = client().get(endpoint.url()).header("Metadata", "true");
        let (status, document) = asked(get).await;
        assert_eq!((status, &document["DocumentIncarnation"]), (200, &json!(2)));
        let mut event = document["Events"][0].clone();
        let not_before = event["NotBefore"].take();
        assert!(
            not_before.as_str().unwrap().ends_with(" GMT"),
            "{not_before}"
        );
        let expected = json!({
            "EventId": "e1",
            "EventStatus": "Scheduled",
            "EventType": "Preempt",
            "ResourceType": "VirtualMachine",
            "Resources": ["aks-edw-spot-x7f2k"],
            "NotBefore": null,
            "Description": "The Spot virtual machine is being evicted.",
            "EventSource": "Platform",
            "DurationInSeconds": -1,
        });
        assert_eq!(event, expected);
    }

    #[tokio::test]
    async fn what_the_service_refuses_is_refused() {
        let endpoint = announced().await;
        let (client, url) = (client(), endpoint.url());
        let plain = url.split('?').next().unwrap();
        let elsewhere = url.replace("scheduledevents", "instance");
        let get = |url: &str| client.get(url).header("Metadata", "true");
        let post = |body: &'static str| client.post(&url).header("Metadata", "true").body(body);
        for (request, status) in [
            (client.get(&url), 400),
            (client.get(&url).header("Metadata", "yes"), 400),
            (get(&url).header("X-Forwarded-For", "10.0.0.1"), 400),
            (get(plain), 400),
            (get(&format!("{plain}?api-version=latest")), 400),
            (get(&elsewhere), 404),
            (client.delete(&url).header("Metadata", "true"), 405),
            (client.post(&url).body(r#"{"StartRequests":[]}"#), 400),
            (post("{}"), 400),
            (post("not JSON"), 400),
            (post(r#"{"StartRequests":[{"EventId":"e2"}]}"#), 400),
        ] {
            let shown = format!("{request:?}");
            assert_eq!(asked(request).await.0, status, "{shown}");
        }
        assert!(!endpoint.schedule().is_due("e1", Stamp::now()));
    }

    #[tokio::test]
    async fn an_acknowledgement_brings_the_event_forward() {
        let endpoint = announced().await;
        let body = r#"{"StartRequests": [{"EventId": "e1"}]}"#;
        for _ in 0..2 {
            let post = client().post(endpoint.url()).header("Metadata", "true");
            assert_eq!(asked(post.body(body)).await.0, 200);
        }
        assert!(endpoint.schedule().is_due("e1", Stamp::now()));
    }

    #[test]
    fn the_longest_pause_is_kept() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut looks = None;
        let mut longest = Vec::new();
        for millis in [0, 1_000, 3_600, 4_600] {
            let now = Looks::again(looks, at(millis));
            longest.push(now.longest.map(|pause| pause.as_millis()));
            looks = Some(now);
        }
        assert_eq!(longest, [None, Some(1_000), Some(2_600), Some(2_600)]);
    }

    /// A consumer that has stopped looking makes no request that would end its pause; one that has heard of the end need not look again.
    #[tokio::test]
    async fn the_time_since_the_last_request_is_told_of_those_that_have_heard_nothing() {
        let endpoint = announced().await;
        let url = endpoint.url_of("c-1");
        let look = || client().get(&url).header("Metadata", "true");
        let before = Instant::now();
        assert_eq!(asked(look()).await.0, 200);
        let told = Instant::now();
        let later = told + Duration::from_secs(18);
        let silent = endpoint.silences(told, later);
        assert!(silent["c-1"] >= Duration::from_secs(18), "{silent:?}");
        assert_eq!(endpoint.silences(before, later), BTreeMap::new());
        assert_eq!(asked(look()).await.0, 200);
        assert_eq!(endpoint.silences(told, later), BTreeMap::new());
    }

    #[tokio::test]
    async fn consumers_of_a_node_are_told_apart() {
        let endpoint = announced().await;
        for _ in 0..2 {
            let get = client().get(endpoint.url_of("consumer-1"));
            assert_eq!(asked(get.header("Metadata", "true")).await.0, 200);
        }
        let once = client().get(endpoint.url_of("consumer-2"));
        assert_eq!(asked(once.header("Metadata", "true")).await.0, 200);
        let askers: Vec<_> = endpoint.longest_pauses().into_keys().collect();
        assert_eq!(askers, ["consumer-1"]);
    }

    /// `curl` is called as in the documentation, as a client that is not this project's.
    #[tokio::test(flavor = "multi_thread")]
    async fn curl_understands_it() {
        let endpoint = announced().await;
        let curl = |arguments: &[&str]| {
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--noproxy", "*", "--write-out", "%{http_code}"]);
            curl.args(arguments).arg(endpoint.url()).output()
        };
        let Ok(Output { stdout, .. }) = curl(&["-H", "Metadata:true"]) else {
            eprintln!(
                "curl_understands_it: NOT RUN: there is no curl, which nothing else here needs"
            );
            return;
        };
        let said = String::from_utf8(stdout).unwrap();
        let document = said.strip_suffix("200").unwrap();
        let document: Value = serde_json::from_str(document).unwrap();
        assert_eq!(document["Events"][0]["EventType"], "Preempt");
        let data = r#"{"StartRequests": [{"EventId": "e1"}]}"#;
        let said = curl(&["-H", "Metadata:true", "-X", "POST", "-d", data]);
        assert_eq!(String::from_utf8(said.unwrap().stdout).unwrap(), "200");
        assert!(endpoint.schedule().is_due("e1", Stamp::now()));
    }
}
