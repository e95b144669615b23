//! Judges the poison queue of a run that has one bad message.

use contract::PoisonReason;
use contract::workload::{Lens, SetAside};
use evidence::outcome::NotPassed;
use evidence::poison::PoisonFound;

use crate::Kept;

/// The only message of the poison queue, with its parts joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// The first of its parts.
    first: SetAside,
    body: String,
}

impl Whole {
    /// The message in `found`; fails unless there is one, and only one, with all of its parts.
    pub fn of(found: &[PoisonFound]) -> Result<Self, NotPassed> {
        let mut parts = Vec::new();
        for found in found {
            match found {
                PoisonFound::SetAside(found) => parts.push(found.as_ref().clone()),
                PoisonFound::Foreign(body) => {
                    return Err(NotPassed::fail(format!(
                        "the poison queue holds something without a reason: {body:?}"
                    )));
                }
            }
        }
        parts.sort_by_key(|part| part.part);
        let Some(first) = parts.first().cloned() else {
            return Err(NotPassed::fail("the poison queue is empty"));
        };
        let one_message = parts.iter().all(|part| part.message_id == first.message_id);
        if !one_message || parts.len() != first.parts as usize {
            return Err(NotPassed::fail(format!(
                "the poison queue holds {} envelopes, expected the {} of one message",
                parts.len(),
                first.parts
            )));
        }
        let body = parts.into_iter().map(|part| part.body).collect();
        Ok(Self { first, body })
    }

    /// Fails unless it is a message of the run of `lens` that was set aside for `reason`.
    pub fn is_given_up(&self, lens: &Lens, reason: PoisonReason) -> Kept {
        // A described worker has its own texts for the reason, or none.
        if lens.description().has_own_messages() {
            self.for_reason(reason)?;
        }
        if lens.owner_of_message(&self.body).seq().is_none() {
            let body = &self.body;
            return Err(NotPassed::fail(format!(
                "the body must be the message that was sent, and is {body:?}"
            )));
        }
        Ok(())
    }

    /// Fails unless it was set aside for `reason` with its body as it was sent.
    pub fn is_unchanged(&self, body: &str, reason: PoisonReason) -> Kept {
        self.for_reason(reason)?;
        if self.body != body {
            let found = &self.body;
            return Err(NotPassed::fail(format!(
                "the body was changed to {found:?}"
            )));
        }
        Ok(())
    }

    /// Fails unless it was set aside for `reason`.
    fn for_reason(&self, reason: PoisonReason) -> Kept {
        let said = self.first.reason.as_deref();
        if said == Some(reason.as_str()) {
            return Ok(());
        }
        let detail = self.first.detail.as_deref();
        Err(NotPassed::fail(format!(
            "the reason is {} ({})",
            said.unwrap_or("not said"),
            detail.unwrap_or("without a detail")
        )))
    }
}

#[cfg(test)]
mod tests {
    use contract::{Message, MessageId, Seq, Stamp};

    use super::*;

    fn part(message_id: &str, part: u32, parts: u32, body: &str) -> PoisonFound {
        PoisonFound::SetAside(Box::new(SetAside {
            reason: Some("too-many-attempts".to_owned()),
            detail: None,
            message_id: Some(message_id.to_owned()),
            attempt: Some(5),
            consumer: Some("c-1".to_owned()),
            at: None,
            stamp: None,
            part,
            parts,
            body: body.to_owned(),
        }))
    }

    #[test]
    fn the_parts_of_a_message_are_joined_in_their_order() {
        let found = [part("m", 2, 2, "second"), part("m", 1, 2, "first ")];
        assert_eq!(Whole::of(&found).unwrap().body, "first second");
    }

    #[test]
    fn one_message_is_there_whole_and_nothing_else() {
        let foreign = PoisonFound::Foreign("?".to_owned());
        for (found, told) in [
            (vec![], "the poison queue is empty"),
            (
                vec![part("m", 1, 1, "x"), foreign],
                "the poison queue holds something without a reason: \"?\"",
            ),
            (
                vec![part("m", 1, 2, "x")],
                "the poison queue holds 1 envelopes, expected the 2 of one message",
            ),
            (
                vec![part("m", 1, 1, "x"), part("n", 1, 1, "y")],
                "the poison queue holds 2 envelopes, expected the 1 of one message",
            ),
        ] {
            assert_eq!(Whole::of(&found), Err(NotPassed::fail(told)));
        }
    }

    #[test]
    fn the_body_is_that_of_a_message_of_the_run_or_unchanged() {
        let reason = PoisonReason::TooManyAttempts;
        let whole = Whole::of(&[part("m", 1, 1, "x")]).unwrap();
        assert_eq!(whole.is_unchanged("x", reason), Ok(()));
        let changed = whole.is_unchanged("y", reason);
        let told = "the body was changed to \"x\"";
        assert_eq!(changed, Err(NotPassed::fail(told)));
        let lens = Lens::own("r1".parse().unwrap());
        let told = "the body must be the message that was sent, and is \"x\"";
        assert_eq!(whole.is_given_up(&lens, reason), Err(NotPassed::fail(told)));
        let id = MessageId::new("r1".parse().unwrap(), Seq::new(1).unwrap());
        let now = Stamp::from_micros(0);
        let sent = Message::new(id, "hi".to_owned(), now, now).encode();
        let whole = Whole::of(&[part("m", 1, 1, &sent)]).unwrap();
        assert_eq!(whole.is_given_up(&lens, reason), Ok(()));
        assert!(whole.is_given_up(&lens, PoisonReason::NotJson).is_err());
    }

    #[test]
    fn the_reason_is_the_expected_one() {
        let whole = Whole::of(&[part("m", 1, 1, "x")]).unwrap();
        assert_eq!(whole.for_reason(PoisonReason::TooManyAttempts), Ok(()));
        let told = "the reason is too-many-attempts (without a detail)";
        let other = whole.for_reason(PoisonReason::NotJson);
        assert_eq!(other, Err(NotPassed::fail(told)));
    }
}
