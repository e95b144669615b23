//! Services in memory with a controlled clock, and short forms of requests.

use std::{sync::Arc, time::Duration};

use engine::{Answer, Engine, Moment, PlayedClock, Request, Service, Services};
use hyper::{HeaderMap, header::HeaderName};

/// 2026-11-28T18:03:44Z.
pub(crate) const START: Moment = Moment::from_ticks(17_958_890_240_000_000);

pub(crate) struct Played {
    pub(crate) services: Services,
    clock: Arc<PlayedClock>,
}

/// The parts of an answer that tests check.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) body: String,
    pub(crate) answer: Answer,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.answer.headers.get(name);
        value
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    /// Texts of all elements of that name.
    pub(crate) fn elements(&self, name: &str) -> Vec<&str> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let parts = self.body.split(open.as_str()).skip(1);
        parts
            .map(|part| part.split(close.as_str()).next().unwrap_or_default())
            .collect()
    }
}

impl Played {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(PlayedClock::at(START));
        let services = Engine::builder().clock(clock.clone()).services().unwrap();
        Self { services, clock }
    }

    pub(crate) fn with_queue() -> Self {
        let played = Self::new();
        assert_eq!(played.queue("PUT", "/queue", &[], "").status, 201);
        played
    }

    pub(crate) fn with_table() -> Self {
        let played = Self::new();
        let created = played.table("POST", "/Tables", &[], r#"{"TableName":"table"}"#);
        assert_eq!(created.status, 201);
        played
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn queue(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Seen {
        self.signed(Service::Queue, method, target, headers, body)
    }

    /// A request to the Table service; accepts JSON unless `headers` say otherwise.
    pub(crate) fn table(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Seen {
        let accept = [("accept", "application/json")];
        let with = if headers.iter().any(|(name, _)| *name == "accept") {
            &[][..]
        } else {
            &accept
        };
        self.signed(
            Service::Table,
            method,
            target,
            &[with, headers].concat(),
            body,
        )
    }

    fn signed(
        &self,
        service: Service,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Seen {
        let mark = if target.contains('?') { '&' } else { '?' };
        let target = format!("/{}{target}{mark}{}", engine::ACCOUNT, self.services.sas());
        self.ask(service, &request(method, &target, headers, body))
    }

    pub(crate) fn ask(&self, service: Service, request: &Request) -> Seen {
        let answer = self.services.answer(service, request);
        let code = answer.headers.get("x-ms-error-code");
        Seen {
            status: answer.status.as_u16(),
            code: code
                .map(|code| code.to_str().unwrap().to_owned())
                .unwrap_or_default(),
            body: String::from_utf8(answer.body.to_vec()).unwrap(),
            answer,
        }
    }
}

/// A request with a whole path, as it comes from a socket.
pub(crate) fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut map = HeaderMap::new();
    map.insert("host", "127.0.0.1:10001".parse().unwrap());
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        map.remove(&name);
        map.insert(name, value.parse().unwrap());
    }
    Request {
        method: method.parse().unwrap(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: map,
        body: body.to_owned().into(),
        secure: false,
        peer: Some([127, 0, 0, 1].into()),
        metadata_names: Vec::new(),
    }
}
