//! A storage with its wire and clock: the embedded engine answers the workers' requests, and the wire's reader records them.

mod judged;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use engine::{Engine, Moment, PlayedClock, Request, Services};
use evidence::{Answer, Crossing};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Deserialize;
use serde_json::{Map, Value};
use wire::Service;
use wire::asked::{Asked, answered};
use workflow::contract::workload::{Description, Lens};
use workflow::contract::{PayloadSize, Payloads, RunId, Seq, Stamp};

use super::teams::{Row, Team};

const QUEUE: &str = "work";
const TABLE: &str = "results";

/// The start time, in tenths of microseconds since 1970.
const BEGIN: u64 = 17_958_890_240_000_000;

/// How long a message is hidden.
const LEASE_S: u64 = 30;

/// A message that a worker has leased.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    id: String,
    receipt: String,
    pub(crate) text: String,
    pub(crate) attempt: u32,
}

/// What a worker knows after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It is done, by this request or an earlier one.
    Done,
    /// It may be done or not.
    Failed,
}

/// What happens to a request on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Refused,
    LostBefore,
    LostAfter,
    Garbled,
}

pub(crate) struct World {
    services: Services,
    clock: Arc<PlayedClock>,
    now_us: i64,
    lens: Lens,
    payloads: Payloads,
    messages: u64,
    deleted: u64,
    random: StdRng,
    crossings: Vec<Crossing>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    #[serde(default)]
    queue_message: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    message_id: String,
    pop_receipt: Option<String>,
    dequeue_count: u32,
    message_text: String,
}

impl World {
    /// An empty queue and an empty table of `team`, for this many messages.
    pub(crate) fn new(team: &Team, messages: u64, seed: u64) -> Self {
        let clock = Arc::new(PlayedClock::at(Moment::from_ticks(BEGIN)));
        let services = Engine::builder().clock(clock.clone()).services();
        let description = Description::read(team.yaml).unwrap_or_else(|it| panic!("{it:?}"));
        let run: RunId = "r1".parse().expect("a constant must be valid");
        let world = Self {
            services: services.expect("an engine in memory must start"),
            clock,
            now_us: i64::try_from(BEGIN / 10).expect("a moment"),
            lens: Lens::new(Arc::new(description), run),
            payloads: Payloads {
                seed,
                size: PayloadSize::Uniform(60, 160),
            },
            messages,
            deleted: 0,
            random: StdRng::seed_from_u64(seed),
            crossings: Vec::new(),
        };
        let queues = [Some(QUEUE.to_owned()), world.lens.poison_queue(QUEUE)];
        for queue in queues.into_iter().flatten() {
            world.prepare(Service::Queue, &Method::PUT, &format!("/{queue}"), "");
        }
        let table = format!("{{\"TableName\":\"{TABLE}\"}}");
        world.prepare(Service::Table, &Method::POST, "/Tables", &table);
        world
    }

    fn prepare(&self, service: Service, method: &Method, path: &str, body: &str) {
        let answer = self.answer(service, method, path, "", body);
        assert!(answer.0.is_success(), "{path}: {}", answer.0);
    }

    /// What the engine answers.
    fn answer(
        &self,
        service: Service,
        method: &Method,
        path: &str,
        query: &str,
        body: &str,
    ) -> (StatusCode, HeaderMap, Bytes) {
        let request = Request {
            method: method.clone(),
            path: format!("/{}{path}", engine::ACCOUNT),
            query: format!("{query}&{}", self.services.sas()),
            headers: headers(service),
            body: Bytes::copy_from_slice(body.as_bytes()),
            secure: false,
            peer: None,
            metadata_names: Vec::new(),
        };
        let service = match service {
            Service::Queue => engine::Service::Queue,
            Service::Table => engine::Service::Table,
        };
        let answer = self.services.answer(service, &request);
        (answer.status, answer.headers, answer.body)
    }

    /// Sends one request of `client` over the wire; `None` if it got no answer.
    fn ask(
        &mut self,
        client: &str,
        (service, method): (Service, Method),
        (path, query): (&str, &str),
        body: &str,
        fault: Option<Fault>,
    ) -> Option<(StatusCode, Bytes)> {
        let full = format!("/{}{path}", engine::ACCOUNT);
        let query_of_wire = format!("{query}&{}", self.services.sas());
        let headers = headers(service);
        let asked = Asked {
            service,
            base: &format!("/{}", engine::ACCOUNT),
            method: &method,
            path: &full,
            query: Some(query_of_wire.trim_start_matches('&')),
            headers: &headers,
            body: body.as_bytes(),
            lens: &self.lens,
        };
        let mut crossing = asked.crossing(client, self.now());
        crossing.fault = fault.map(|fault| format!("{fault:?}"));
        self.advance(Duration::from_millis(2));
        let answer = match fault {
            Some(Fault::Refused) => Some((StatusCode::SERVICE_UNAVAILABLE, Bytes::new())),
            Some(Fault::LostBefore) => None,
            _ => {
                let (status, headers, body) = self.answer(service, &method, path, query, body);
                let code = headers.get("x-ms-error-code");
                let code = code.and_then(|code| code.to_str().ok());
                answered(&self.lens, &mut crossing, status, code, &body);
                fault.is_none().then_some((status, body))
            }
        };
        if matches!(fault, Some(Fault::Refused | Fault::LostBefore)) {
            crossing.answer = Answer::NotAsked;
        }
        crossing.ended = self.now();
        self.crossings.push(crossing);
        answer
    }

    /// Sends a request that may be refused, lost or garbled on its way.
    fn ask_in_trouble(
        &mut self,
        client: &str,
        call: (Service, Method),
        target: (&str, &str),
        body: &str,
    ) -> Option<(StatusCode, Bytes)> {
        let fault = match self.random.random_range(0..100) {
            0..8 => Some(Fault::Refused),
            8..14 => Some(Fault::LostBefore),
            14..22 => Some(Fault::LostAfter),
            22..26 => Some(Fault::Garbled),
            _ => None,
        };
        self.ask(client, call, target, body, fault)
    }

    /// Sends every message of the run.
    pub(crate) fn send(&mut self) {
        for seq in (1..=self.messages).filter_map(Seq::new) {
            self.advance(Duration::from_millis(10));
            let (intended, sent) = (self.now(), self.now());
            let text = self.lens.message(self.payloads, seq, intended, sent);
            self.put("producer", QUEUE, &text, None);
        }
    }

    fn put(&mut self, client: &str, queue: &str, text: &str, fault: Option<Fault>) -> bool {
        let text = quick_xml::escape::escape(text);
        let body = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
        let call = (Service::Queue, Method::POST);
        let path = format!("/{queue}/messages");
        let answer = self.ask(client, call, (&path, ""), &body, fault);
        answer.is_some_and(|(status, _)| status.is_success())
    }

    /// Receives at most `most` messages, which are hidden from other workers for a while.
    pub(crate) fn receive(&mut self, client: &str, most: usize) -> Vec<Message> {
        let query = format!("numofmessages={most}&visibilitytimeout={LEASE_S}");
        let path = format!("/{QUEUE}/messages");
        let call = (Service::Queue, Method::GET);
        let Some((status, body)) = self.ask_in_trouble(client, call, (&path, &query), "") else {
            return Vec::new();
        };
        if !status.is_success() {
            return Vec::new();
        }
        let text = std::str::from_utf8(&body).expect("a text");
        let list: List = quick_xml::de::from_str(text.trim_start_matches('\u{feff}'))
            .unwrap_or_else(|error| panic!("{error}: {text}"));
        let messages = list.queue_message.into_iter();
        messages
            .map(|entry| Message {
                id: entry.message_id,
                receipt: entry.pop_receipt.unwrap_or_default(),
                text: entry.message_text,
                attempt: entry.dequeue_count,
            })
            .collect()
    }

    /// Whether `message` is deleted, or is no longer leased by this client, as far as the client knows.
    pub(crate) fn delete(&mut self, client: &str, message: &Message) -> bool {
        let receipt = encoded(&message.receipt);
        let path = format!("/{QUEUE}/messages/{}", message.id);
        let query = format!("popreceipt={receipt}");
        let call = (Service::Queue, Method::DELETE);
        let answer = self.ask_in_trouble(client, call, (&path, &query), "");
        let happened = self.crossings.last().expect("a crossing").happened();
        self.deleted += u64::from(happened == evidence::Happened::Yes);
        answer.is_some_and(|(status, _)| !status.is_server_error())
    }

    /// Inserts a row; a row that exists already counts as done.
    pub(crate) fn insert(&mut self, client: &str, row: &Row) -> Heard {
        let mut entity = columns(row);
        entity.insert("PartitionKey".to_owned(), row.partition.as_str().into());
        entity.insert("RowKey".to_owned(), row.key.as_str().into());
        let path = format!("/{TABLE}");
        let call = (Service::Table, Method::POST);
        let body = Value::Object(entity).to_string();
        match self.ask_in_trouble(client, call, (&path, ""), &body) {
            Some((status, _)) if status.is_success() || status == StatusCode::CONFLICT => {
                Heard::Done
            }
            _ => Heard::Failed,
        }
    }

    /// Inserts a row, or merges it into the existing one.
    pub(crate) fn upsert(&mut self, client: &str, row: &Row) -> Heard {
        let keys = [&row.partition, &row.key].map(|key| encoded(&key.replace('\'', "''")));
        let path = format!("/{TABLE}(PartitionKey='{}',RowKey='{}')", keys[0], keys[1]);
        let call = (Service::Table, Method::PATCH);
        let body = Value::Object(columns(row)).to_string();
        match self.ask_in_trouble(client, call, (&path, ""), &body) {
            Some((status, _)) if status.is_success() => Heard::Done,
            _ => Heard::Failed,
        }
    }

    /// Puts a message into the poison queue, in the form that the team gives it.
    pub(crate) fn give_up(&mut self, client: &str, text: &str) -> bool {
        let queue = self.lens.poison_queue(QUEUE).expect("a poison queue");
        let is_bare = queue.ends_with("-poison");
        let envelope = serde_json::json!({"why": "no reason", "message": text}).to_string();
        let text = if is_bare { text } else { &envelope };
        self.put(client, &queue, text, None)
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.random.random_bool(share)
    }

    pub(crate) fn draw(&mut self, of: usize) -> usize {
        self.random.random_range(0..of)
    }

    pub(crate) fn fresh(&mut self) -> u32 {
        self.random.random()
    }

    /// Lets time pass: mostly a little, sometimes longer than a lease lasts.
    pub(crate) fn pass(&mut self) {
        let slept = if self.chance(0.05) {
            Duration::from_secs(LEASE_S + 1)
        } else {
            Duration::from_millis(self.random.random_range(1..200))
        };
        self.advance(slept);
    }

    fn advance(&mut self, time: Duration) {
        self.clock.advance(time);
        self.now_us += i64::try_from(time.as_micros()).expect("a short time");
    }

    fn now(&self) -> Stamp {
        Stamp::from_micros(self.now_us)
    }

    /// Whether every message was deleted.
    pub(crate) fn is_empty(&self) -> bool {
        self.deleted >= self.messages
    }
}

fn columns(row: &Row) -> Map<String, Value> {
    row.columns.as_object().expect("columns").clone()
}

fn headers(service: Service) -> HeaderMap {
    let pairs: &[(&str, &str)] = match service {
        Service::Queue => &[("content-type", "application/xml")],
        Service::Table => &[
            ("accept", "application/json;odata=nometadata"),
            ("content-type", "application/json"),
            ("dataserviceversion", "3.0"),
        ],
    };
    let pairs = pairs
        .iter()
        .chain(&[("host", "127.0.0.1:10001"), ("x-ms-version", "2019-02-02")]);
    pairs
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect()
}

/// Percent-encodes `text` for a URL.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string must succeed");
        }
    }
    encoded
}
