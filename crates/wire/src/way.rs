//! One client's requests to one service: each is judged by the faults, sent to storage, and written to the history.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use contract::Stamp;
use contract::workload::Lens;
use futures::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use tokio_util::sync::CancellationToken;

use super::Service;
use super::asked::{self, Asked};
use super::fault::{FaultKind, Moment, Ruling, mix};
use super::lane::Asker;
use super::proxy::Shared;
use super::upstream::{NotReached, Upstream};
use super::{Answer, Crossing, Operation};

/// Largest body that is parsed, in bytes: 32 messages of 64 KiB escaped, or a transaction of 4 MiB, with a reserve.
const MOST_INSPECTED: usize = 32 * 1024 * 1024;

/// Time limit for storage's answer: longer than any client of this project waits.
pub(super) const UPSTREAM: Duration = Duration::from_secs(120);

/// The body of an answer.
pub(super) type Body = BoxBody<Bytes, io::Error>;

/// One of the two services of a lane.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) shared: Arc<Shared>,
    pub(super) client: Arc<Asker>,
    pub(super) service: Service,
    pub(super) open: CancellationToken,
}

/// The body of an answer: read completely if it is evidence or a fault needs it, otherwise streamed.
enum Carried {
    Whole(Bytes),
    Streamed(Incoming),
}

/// A pending request.
struct Task {
    parts: Parts,
    body: Bytes,
    crossing: Crossing,
    ruling: Ruling,
    /// Cancelled when the client closes the connection.
    gone: CancellationToken,
}

impl Way {
    pub(super) fn upstream(&self) -> &Arc<Upstream> {
        self.shared.upstream(self.service)
    }

    fn now(&self) -> Stamp {
        self.shared.history.now()
    }

    /// An error ends the connection without an answer.
    pub(super) async fn serve(
        self: Arc<Self>,
        request: hyper::Request<Incoming>,
        reset: Arc<AtomicBool>,
    ) -> io::Result<Response<Body>> {
        let (parts, body) = request.into_parts();
        let body = inspected(body).await?;
        self.carry(parts, body, reset).await
    }

    /// As [`Way::serve`], for a request whose body is read.
    pub(super) async fn carry(
        self: Arc<Self>,
        parts: Parts,
        body: Bytes,
        reset: Arc<AtomicBool>,
    ) -> io::Result<Response<Body>> {
        self.client.has_asked.store(true, Ordering::Release);
        // The platform may not have killed the client yet: requests of a client that counts as dead are not sent.
        if self.client.was_killed() {
            reset.store(true, Ordering::Relaxed);
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let crossing = self.recognise(&parts, &body);
        let client = &self.client;
        client.asks(&crossing);
        let faults = &self.shared.faults;
        let ruling = faults.judge(crossing.operation, &client.name, &client.doomed);
        let gone = CancellationToken::new();
        // The connection drops this when the client closes it.
        let _listens = gone.clone().drop_guard();
        let task = Task {
            parts,
            body,
            crossing,
            ruling,
            gone,
        };
        // A separate task, because a request continues when its client goes away.
        let way = self.clone();
        let task = self
            .shared
            .under_way
            .spawn(async move { way.ask(task).await });
        let asked = task.await.unwrap_or_else(|_| {
            self.shared.panicked.store(true, Ordering::Relaxed);
            None
        });
        self.answer(asked, ruling, &reset).await
    }

    fn recognise(&self, parts: &Parts, body: &[u8]) -> Crossing {
        let told = Asked {
            service: self.service,
            base: &self.upstream().base,
            method: &parts.method,
            path: parts.uri.path(),
            query: parts.uri.query(),
            headers: &parts.headers,
            body,
            lens: &self.shared.lens,
        };
        told.crossing(&self.client.name, self.now())
    }

    /// Sends the request to storage, unless a fault prevents it, and writes the history before the client can get the answer.
    async fn ask(&self, task: Task) -> Option<Response<Carried>> {
        let Task {
            parts,
            body,
            mut crossing,
            ruling,
            gone,
        } = task;
        self.hold_back(&mut crossing).await;
        if !ruling.delay.is_zero() {
            tokio::time::sleep(ruling.delay).await;
            crossing.fault = Some(format!("{} ms late", ruling.delay.as_millis()));
        }
        if let Some(effect) = ruling.effect {
            crossing.fault = Some(effect.to_string());
        }
        let answer = match ruling.effect {
            Some(FaultKind::Refuse(refusal)) => {
                let (kind, text) = refusal.body(self.service);
                let mut answer = Response::new(Carried::Whole(Bytes::from(text)));
                *answer.status_mut() = StatusCode::from_u16(refusal.status())
                    .expect("a documented status must be one");
                let headers = answer.headers_mut();
                headers.insert(CONTENT_TYPE, kind.parse().expect("a constant must parse"));
                let code = refusal.code().parse().expect("a constant must parse");
                headers.insert("x-ms-error-code", code);
                Some(answer)
            }
            Some(FaultKind::Reset(Moment::Before)) => None,
            Some(FaultKind::Kill(Moment::Before)) => {
                self.client.kill().await;
                None
            }
            _ => {
                let stream =
                    crossing.operation == Operation::QueryEntities && ruling.effect.is_none();
                let asked = self.forward(parts, body, stream).await;
                note_answer(&self.shared.lens, &mut crossing, &asked);
                asked.ok()
            }
        };
        if ruling.effect == Some(FaultKind::Kill(Moment::AfterEffect)) {
            self.client.kill().await;
        }
        crossing.ended = self.now();
        crossing.unheard = gone.is_cancelled();
        self.client.was_answered(&crossing);
        self.shared.history.append(&crossing);
        answer
    }

    /// Waits while the client's requests are held back, and says in `crossing` for how long. The end of the run lets them go.
    async fn hold_back(&self, crossing: &mut Crossing) {
        let since = Instant::now();
        let was_held = tokio::select! {
            // In this order: a request that is not held back passes at the end of the run too.
            biased;
            was_held = self.client.until_let_go() => was_held,
            () = self.open.cancelled() => true,
        };
        if was_held {
            crossing.fault = Some(format!("held for {} ms", since.elapsed().as_millis()));
        }
    }

    async fn forward(
        &self,
        mut parts: Parts,
        body: Bytes,
        stream: bool,
    ) -> anyhow::Result<Response<Carried>> {
        // Hop-by-hop headers end here; the proxy sets its own.
        remove_own(&mut parts.headers);
        let asked = async {
            let request = hyper::Request::from_parts(parts, Full::new(body));
            let (parts, body) = self.upstream().ask(request).await?.into_parts();
            let body = if stream && parts.status.is_success() {
                Carried::Streamed(body)
            } else {
                Carried::Whole(body.collect().await?.to_bytes())
            };
            anyhow::Ok(Response::from_parts(parts, body))
        };
        tokio::time::timeout(UPSTREAM, asked)
            .await
            .context("no answer in time")?
    }

    /// Sends the answer to the client, as far as the fault allows.
    async fn answer(
        &self,
        asked: Option<Response<Carried>>,
        ruling: Ruling,
        reset: &AtomicBool,
    ) -> io::Result<Response<Body>> {
        let cut = || Err(io::Error::from(io::ErrorKind::ConnectionReset));
        match ruling.effect {
            Some(FaultKind::Reset(Moment::Before | Moment::AfterEffect) | FaultKind::Kill(_)) => {
                reset.store(true, Ordering::Relaxed);
                return cut();
            }
            Some(FaultKind::Withhold) => {
                // Waits until the client goes away or the lane is closed.
                self.open.cancelled().await;
                return cut();
            }
            _ => {}
        }
        // Without an answer from storage, the proxy gives none either.
        let Some(answer) = asked else { return cut() };
        let (mut parts, body) = answer.into_parts();
        remove_own(&mut parts.headers);
        let body = match body {
            Carried::Whole(body) => body,
            Carried::Streamed(body) => {
                return Ok(Response::from_parts(
                    parts,
                    body.map_err(io::Error::other).boxed(),
                ));
            }
        };
        let body = match ruling.effect {
            Some(FaultKind::Truncate) => half(&mut parts.headers, &body),
            Some(FaultKind::Reset(Moment::DuringAnswer)) => {
                reset.store(true, Ordering::Relaxed);
                half(&mut parts.headers, &body)
            }
            Some(FaultKind::Garble) => whole(garbled(&body, ruling.draw)),
            _ => whole(body),
        };
        Ok(Response::from_parts(parts, body))
    }
}

/// Adds storage's answer to `crossing`.
fn note_answer(lens: &Lens, crossing: &mut Crossing, asked: &anyhow::Result<Response<Carried>>) {
    let answer = match asked {
        Ok(answer) => answer,
        Err(error) => {
            crossing.answer = if error.downcast_ref::<NotReached>().is_some() {
                Answer::NotAsked
            } else {
                Answer::None(format!("{error:#}"))
            };
            return;
        }
    };
    let body = match answer.body() {
        Carried::Whole(body) => body,
        Carried::Streamed(_) => &Bytes::new(),
    };
    let code = answer.headers().get("x-ms-error-code");
    let code = code.and_then(|code| code.to_str().ok());
    asked::answered(lens, crossing, answer.status(), code, body);
}

fn remove_own(headers: &mut HeaderMap) {
    for name in [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

pub(super) async fn inspected(body: Incoming) -> io::Result<Bytes> {
    let limited = Limited::new(body, MOST_INSPECTED).collect().await;
    Ok(limited.map_err(io::Error::other)?.to_bytes())
}

fn whole(body: Bytes) -> Body {
    Full::new(body).map_err(|never| match never {}).boxed()
}

/// The first half of `body`, with the full length in the header; then the connection ends. With an empty body, the connection
/// ends after the header.
fn half(headers: &mut HeaderMap, body: &Bytes) -> Body {
    headers.insert(CONTENT_LENGTH, body.len().max(1).into());
    let first = Ok(Frame::data(body.slice(..body.len() / 2)));
    let cut = Err(io::Error::from(io::ErrorKind::ConnectionReset));
    StreamBody::new(stream::iter([first, cut])).boxed()
}

/// Changes about every eighth byte of `body`, always the first one: no parser may accept the result.
fn garbled(body: &Bytes, draw: u64) -> Bytes {
    let garble = |(at, byte): (usize, &u8)| {
        let draw = mix(draw ^ at as u64);
        if at == 0 || draw.is_multiple_of(8) {
            byte ^ u8::try_from(draw >> 57 | 1).unwrap_or(1)
        } else {
            *byte
        }
    };
    body.iter().enumerate().map(garble).collect()
}
