//! The proxy's reading of requests and answers, and the history that it writes.

use evidence::Crossing;
use evidence::history::Reader;
use hyper::header::{HeaderMap, HeaderValue, IF_MATCH};
use hyper::{Method, StatusCode};
use judge::audit::{Auditor, Expectation};
use wire::Service;
use wire::asked::{Asked, answered};
use workflow::contract::workload::Lens;
use workflow::contract::{PayloadSize, Payloads, Stamp};

/// The run whose messages the judge knows.
const RUN: &str = "r1";
const MESSAGES: u64 = 2_000;

/// A request and its answer. The first line is that of the request: `queue POST /acc/q/messages?ttl=1`, with a `!` at its end for
/// an `If-Match`; its body follows. A line `=== 409 EntityAlreadyExists` begins the answer's body.
pub(crate) fn crossing(input: &[u8]) {
    let Some(crossing) = read(input) else { return };
    let written = serde_json::to_vec(&crossing).expect("a crossing must serialise");
    let again: Crossing = serde_json::from_slice(&written).expect("a crossing must be read again");
    assert_eq!(again, crossing);
    let _ = (crossing.happened(), crossing.was_heard());
}

fn read(input: &[u8]) -> Option<Crossing> {
    const ANSWER: &[u8] = b"\n=== ";
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = (std::str::from_utf8(&input[..end]).ok()?, &input[end..]);
    let (asked, answer) = match rest.windows(ANSWER.len()).position(|part| part == ANSWER) {
        Some(at) => (&rest[..at], &rest[at + ANSWER.len()..]),
        None => (rest, &b"200"[..]),
    };
    let mut words = line.trim_end_matches('!').split(' ');
    let service = match words.next()? {
        "queue" => Service::Queue,
        "table" => Service::Table,
        _ => return None,
    };
    let method: Method = words.next()?.parse().ok()?;
    let target = words.next()?;
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let mut headers = HeaderMap::new();
    if line.ends_with('!') {
        headers.insert(IF_MATCH, HeaderValue::from_static("*"));
    }
    let lens = Lens::own(RUN.parse().expect("a constant id must be valid"));
    let request = Asked {
        service,
        base: "/acc",
        method: &method,
        path,
        query,
        headers: &headers,
        body: asked.strip_prefix(b"\n").unwrap_or_default(),
        lens: &lens,
    };
    let mut crossing = request.crossing("consumer-1", Stamp::from_micros(1));
    let end = answer.iter().position(|byte| *byte == b'\n');
    let (head, body) = answer.split_at(end.map_or(answer.len(), |end| end + 1));
    let mut head = std::str::from_utf8(head).ok()?.trim_end().split(' ');
    let status = StatusCode::from_u16(head.next()?.parse().ok()?).ok()?;
    answered(&lens, &mut crossing, status, head.next(), body);
    Some(crossing)
}

/// A history, and its judge.
pub(crate) fn history(input: &[u8]) {
    let payloads = Payloads {
        seed: 1,
        size: PayloadSize::Sample,
    };
    let run = RUN.parse().expect("a constant id must be valid");
    let expectation = Expectation::new(run, payloads, MESSAGES);
    let auditor = Auditor::new(expectation).expect("a constant expectation must make sense");
    let mut protocol = auditor.protocol();
    for crossing in Reader::of("history".as_ref(), input) {
        match crossing {
            Ok(crossing) => protocol.crossing(&crossing),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    let told = protocol.finish();
    let written = serde_json::to_string(&(&told.traffic, &told.findings));
    assert!(written.is_ok(), "what was found must serialise");
}
