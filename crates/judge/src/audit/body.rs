//! Reassembly of poison bodies that were split into parts.

use std::borrow::Cow;
use std::collections::HashMap;

use contract::workload::SetAside;

/// Most incomplete bodies at a time. Parts follow each other in the queue, so there are usually few; each body takes at most 64
/// KiB.
const MAX_OPEN: usize = 256;

/// Most parts of one body: a body has at most 64 KiB, escaping multiplies its size by at most 7, and each envelope carries more
/// than half a queue message of it.
const MAX_PARTS: usize = 16;

/// Joins poison bodies that were cut to fit the queue.
#[derive(Debug, Default)]
pub(super) struct Parts(HashMap<String, Vec<Option<String>>>);

/// Result of adding one envelope.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined<'a> {
    /// The body is complete.
    Whole(Cow<'a, str>),
    /// Some parts of the body are missing.
    Waiting,
    /// The part numbers are invalid, or too many bodies are incomplete.
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
        // Parts without a message id cannot be assigned to a body.
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

    /// Number of incomplete bodies.
    pub(super) fn open(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(message_id: &str, part: u32, parts: u32) -> SetAside {
        SetAside {
            message_id: Some(message_id.to_owned()),
            part,
            parts,
            body: format!("{part}/{parts} "),
            ..SetAside::default()
        }
    }

    fn whole(body: &str) -> Joined<'_> {
        Joined::Whole(Cow::Borrowed(body))
    }

    #[test]
    fn a_body_is_whole_when_all_its_parts_are_here_in_whatever_order() {
        let mut parts = Parts::default();
        let (first, second, third) = (
            envelope("a", 1, 3),
            envelope("a", 2, 3),
            envelope("a", 3, 3),
        );
        assert_eq!(parts.join(&third), Joined::Waiting);
        assert_eq!(parts.join(&first), Joined::Waiting);
        // A repeated part, or a part of another body, completes nothing.
        assert_eq!(parts.join(&first), Joined::Waiting);
        assert_eq!(parts.join(&envelope("b", 2, 3)), Joined::Waiting);
        assert_eq!(parts.open(), 2);
        assert_eq!(parts.join(&second), whole("1/3 2/3 3/3 "));
        assert_eq!(parts.open(), 1);
    }

    #[test]
    fn a_body_in_one_part_needs_no_name() {
        let mut parts = Parts::default();
        let nameless = |part, of| SetAside {
            message_id: None,
            ..envelope("", part, of)
        };
        assert_eq!(parts.join(&nameless(1, 1)), whole("1/1 "));
        assert_eq!(parts.join(&nameless(1, 2)), Joined::Unreadable);
        assert_eq!(parts.open(), 0);
    }

    #[test]
    fn part_numbers_that_make_no_sense_are_unreadable() {
        let most = u32::try_from(MAX_PARTS).expect("a small number");
        for (part, of) in [(0, 1), (0, 2), (2, 1), (3, 2), (1, 0), (1, most + 1)] {
            let joined = Parts::default().join(&envelope("a", part, of)) == Joined::Unreadable;
            assert!(joined, "part {part} of {of}");
        }
        for (part, of) in [(2, 2), (1, most), (most, most)] {
            let joined = Parts::default().join(&envelope("a", part, of)) == Joined::Waiting;
            assert!(joined, "part {part} of {of}");
        }
    }

    #[test]
    fn only_so_many_bodies_wait_for_their_parts() {
        let mut parts = Parts::default();
        for n in 0..MAX_OPEN {
            let joined = parts.join(&envelope(&n.to_string(), 1, 2)) == Joined::Waiting;
            assert!(joined, "body {n}");
        }
        assert_eq!(parts.join(&envelope("one more", 1, 2)), Joined::Unreadable);
        // The incomplete bodies can still be completed, which makes room.
        assert_eq!(parts.join(&envelope("7", 2, 2)), whole("1/2 2/2 "));
        assert_eq!(parts.join(&envelope("one more", 1, 2)), Joined::Waiting);
        assert_eq!(parts.open(), MAX_OPEN);
    }
}
