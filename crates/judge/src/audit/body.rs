//! Which message a queue body is, also when it is not fit to be one; and poison bodies that travel in parts.

use std::borrow::Cow;
use std::collections::HashMap;

use contract::{MessageId, PoisonEnvelope, RunId, Seq, id_of_body};

/// Most bodies that may be waiting for their other parts. Parts follow each other in the queue, so a handful is usual;
/// each holds at most 64 KiB.
const MAX_OPEN: usize = 256;

/// Most parts of one body: a body is at most 64 KiB, escaping makes it at most 7 times that, and an envelope takes
/// more than half a queue message of it.
const MAX_PARTS: usize = 16;

/// Whose a row or body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A message of the audited run.
    Ours(Seq),
    /// Some other run's.
    OtherRun,
    /// It carries no message id.
    Nobody,
}

/// Whose `text` is, as a message id. The run's own ids are told without allocating.
pub(super) fn owner_of_id(run: &RunId, text: &str) -> Owner {
    let own = text
        .strip_prefix(run.as_str())
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|seq| seq.parse().ok());
    match own {
        Some(seq) => Owner::Ours(seq),
        None if text.parse::<MessageId>().is_ok() => Owner::OtherRun,
        None => Owner::Nobody,
    }
}

/// Whose a body is, by its `id` field; the rest of it may be as wrong as it likes.
pub(super) fn owner_of_body(run: &RunId, body: &str) -> Owner {
    id_of_body(body).map_or(Owner::Nobody, |id| owner_of_id(run, &id))
}

/// Whether `body` is that of a message of `run`.
pub fn is_of_run(run: &RunId, body: &str) -> bool {
    matches!(owner_of_body(run, body), Owner::Ours(_))
}

/// Joins poison bodies that were cut to fit the queue.
#[derive(Debug, Default)]
pub(super) struct Parts(HashMap<String, Vec<Option<String>>>);

/// What came of one envelope.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined<'a> {
    /// The body is whole.
    Whole(Cow<'a, str>),
    /// Other parts are still to come.
    Waiting,
    /// The envelope's part numbers make no sense, or too many bodies are waiting.
    Unreadable,
}

impl Parts {
    pub(super) fn join<'a>(&mut self, envelope: &'a PoisonEnvelope) -> Joined<'a> {
        let (part, parts) = (envelope.part as usize, envelope.parts as usize);
        if parts == 1 && part == 1 {
            return Joined::Whole(Cow::Borrowed(&envelope.body));
        }
        if part == 0 || part > parts || parts > MAX_PARTS {
            return Joined::Unreadable;
        }
        if self.0.len() >= MAX_OPEN && !self.0.contains_key(&envelope.message_id) {
            return Joined::Unreadable;
        }
        let bodies = self.0.entry(envelope.message_id.clone()).or_default();
        bodies.resize(parts, None);
        bodies[part - 1] = Some(envelope.body.clone());
        if bodies.iter().any(Option::is_none) {
            return Joined::Waiting;
        }
        let whole = bodies.drain(..).flatten().collect();
        self.0.remove(&envelope.message_id);
        Joined::Whole(Cow::Owned(whole))
    }

    /// Bodies of which some part never came.
    pub(super) fn open(&self) -> usize {
        self.0.len()
    }
}
