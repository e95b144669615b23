//! Poison bodies that travel in parts.

use std::borrow::Cow;
use std::collections::HashMap;

use contract::workload::SetAside;

/// Most bodies that may be waiting for their other parts. Parts follow each other in the queue, so a handful is usual;
/// each holds at most 64 KiB.
const MAX_OPEN: usize = 256;

/// Most parts of one body: a body is at most 64 KiB, escaping makes it at most 7 times that, and an envelope takes
/// more than half a queue message of it.
const MAX_PARTS: usize = 16;

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
    pub(super) fn join<'a>(&mut self, envelope: &'a SetAside) -> Joined<'a> {
        let (part, parts) = (envelope.part as usize, envelope.parts as usize);
        if parts == 1 && part == 1 {
            return Joined::Whole(Cow::Borrowed(&envelope.body));
        }
        if part == 0 || part > parts || parts > MAX_PARTS {
            return Joined::Unreadable;
        }
        // Parts that nothing names cannot be told from those of another message.
        let Some(message_id) = &envelope.message_id else {
            return Joined::Unreadable;
        };
        if self.0.len() >= MAX_OPEN && !self.0.contains_key(message_id) {
            return Joined::Unreadable;
        }
        let bodies = self.0.entry(message_id.clone()).or_default();
        bodies.resize(parts, None);
        bodies[part - 1] = Some(envelope.body.clone());
        if bodies.iter().any(Option::is_none) {
            return Joined::Waiting;
        }
        let whole = bodies.drain(..).flatten().collect();
        self.0.remove(message_id);
        Joined::Whole(Cow::Owned(whole))
    }

    /// Bodies of which some part never came.
    pub(super) fn open(&self) -> usize {
        self.0.len()
    }
}
