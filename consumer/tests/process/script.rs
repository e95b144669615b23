//! Storage with scripted answers: a queue with one message, a table, and rules that answer first.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode};
use tokio::net::TcpListener;
use workflow::contract::{Message, MessageId, Stamp};

/// A step of the protocol, as seen on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Receive,
    Renew,
    Release,
    Delete,
    SendPoison,
    Insert,
    Other,
}

/// Status and error code to answer `nth` (from 1) of a step with; `None` lets the storage answer.
type Rule = Box<dyn Fn(Step, usize) -> Option<(u16, &'static str)> + Send>;

struct Inner {
    rule: Rule,
    steps: Vec<Step>,
    count: HashMap<Step, usize>,
    body: String,
    deliveries: u32,
    hidden: bool,
    deleted: bool,
}

/// A storage at an address of its own, until dropped.
#[derive(Clone)]
pub(crate) struct Scripted {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

impl Scripted {
    /// Starts a storage with one message in the queue.
    pub(crate) async fn start(
        rule: impl Fn(Step, usize) -> Option<(u16, &'static str)> + Send + 'static,
    ) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), rule)
    }

    pub(crate) fn start_on(
        listener: TcpListener,
        rule: impl Fn(Step, usize) -> Option<(u16, &'static str)> + Send + 'static,
    ) -> Self {
        let id: MessageId = "run-1-1".parse().unwrap();
        let inner = Inner {
            rule: Box::new(rule),
            steps: Vec::new(),
            count: HashMap::new(),
            body: Message::new(id, "payload".into(), Stamp::now(), Stamp::now()).encode(),
            deliveries: 0,
            hidden: false,
            deleted: false,
        };
        let scripted = Self {
            address: listener.local_addr().unwrap(),
            inner: Arc::new(Mutex::new(inner)),
        };
        let router = Router::new().fallback(answer).with_state(scripted.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        scripted
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/account", self.address)
    }

    /// The steps so far, in order.
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.inner.lock().unwrap().steps.clone()
    }

    pub(crate) fn count(&self, step: Step) -> usize {
        self.steps().iter().filter(|taken| **taken == step).count()
    }
}

fn step(request: &Request) -> Step {
    let (path, query) = (
        request.uri().path(),
        request.uri().query().unwrap_or_default(),
    );
    match (request.method(), path) {
        (&Method::GET, "/account/work/messages") => Step::Receive,
        (&Method::PUT, _) if query.contains("visibilitytimeout=0") => Step::Release,
        (&Method::PUT, _) if path.starts_with("/account/work/messages/") => Step::Renew,
        (&Method::DELETE, _) => Step::Delete,
        (&Method::POST, "/account/work-poison/messages") => Step::SendPoison,
        (&Method::POST, "/account/results") => Step::Insert,
        _ => Step::Other,
    }
}

async fn answer(State(scripted): State<Scripted>, request: Request) -> Response<Body> {
    let step = step(&request);
    let mut inner = scripted.inner.lock().unwrap();
    inner.steps.push(step);
    let nth = inner.count.entry(step).or_default();
    *nth += 1;
    let nth = *nth;
    if let Some((status, code)) = (inner.rule)(step, nth) {
        return error(status, code);
    }
    inner.play(step)
}

/// An error in the form of both services: a header, and for queues a body in XML.
fn error(status: u16, code: &str) -> Response<Body> {
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as scripted</Message></Error>"
    );
    let answer = Response::builder()
        .status(status)
        .header("content-type", "application/xml");
    answer
        .header("x-ms-error-code", code)
        .body(body.into())
        .unwrap()
}

impl Inner {
    fn play(&mut self, step: Step) -> Response<Body> {
        let answer = |status: StatusCode| {
            Response::builder()
                .status(status)
                .header("x-ms-popreceipt", "receipt")
                .header("x-ms-time-next-visible", "Mon, 23 Nov 2026 13:14:15 GMT")
                .header("content-type", "application/xml")
        };
        match step {
            Step::Release => self.hidden = false,
            Step::Delete => self.deleted = true,
            _ => {}
        }
        match step {
            Step::Receive => answer(StatusCode::OK).body(self.messages().into()).unwrap(),
            Step::SendPoison => answer(StatusCode::CREATED)
                .body(self.sent().into())
                .unwrap(),
            // The request for the table at the start.
            Step::Other => error(404, "ResourceNotFound"),
            Step::Renew | Step::Release | Step::Delete | Step::Insert => {
                answer(StatusCode::NO_CONTENT).body(Body::empty()).unwrap()
            }
        }
    }

    fn messages(&mut self) -> String {
        if self.hidden || self.deleted {
            return "<?xml version=\"1.0\"?><QueueMessagesList/>".to_owned();
        }
        self.hidden = true;
        self.deliveries += 1;
        let text = self
            .body
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;");
        format!(
            "<?xml version=\"1.0\"?><QueueMessagesList><QueueMessage>{STAMPS}<MessageId>m1</MessageId>\
             <PopReceipt>receipt</PopReceipt><DequeueCount>{}</DequeueCount><MessageText>{text}</MessageText>\
             </QueueMessage></QueueMessagesList>",
            self.deliveries
        )
    }

    fn sent(&self) -> String {
        format!(
            "<?xml version=\"1.0\"?><QueueMessagesList><QueueMessage>{STAMPS}<MessageId>p{}</MessageId>\
             <PopReceipt>receipt</PopReceipt></QueueMessage></QueueMessagesList>",
            self.deliveries
        )
    }
}

const STAMPS: &str = "<InsertionTime>Mon, 23 Nov 2026 13:14:15 GMT</InsertionTime>\
    <ExpirationTime>Mon, 30 Nov 2026 13:14:15 GMT</ExpirationTime>\
    <TimeNextVisible>Mon, 23 Nov 2026 13:15:15 GMT</TimeNextVisible>";
