//! Content of the poison queue: bad messages, which belong there, and good messages that were given up.

use contract::Seq;
use contract::workload::{Name, Owner, SetAside};
use evidence::quoted;

use super::auditor::CLOCKS_APART_US;
use super::body::Joined;
use super::{Auditor, Violation, Witness};

impl Auditor {
    /// Takes one message of the poison queue. A body in parts is judged when its last part has come.
    pub fn poisoned(&mut self, envelope: impl Into<SetAside>) {
        let envelope = &envelope.into();
        let joined = self.parts.join(envelope);
        let body = match joined {
            Joined::Whole(body) => body,
            Joined::Waiting => return,
            Joined::Unreadable => {
                self.unreadable_poison += 1;
                return;
            }
        };
        match self.lens.owner_of_message(&body) {
            Owner::Ours(seq) if self.is_expected(seq) => {
                self.check_envelope(envelope, Some(seq));
                self.known_poison(seq, envelope);
            }
            Owner::Ours(seq) => self.phantom_body(&body, &self.unsent(seq)),
            Owner::OtherRun => self.other_runs += 1,
            Owner::Nobody if self.expectation.shared_storage => self.other_runs += 1,
            Owner::Nobody => {
                self.check_envelope(envelope, None);
                let id = envelope.message_id.as_ref().unwrap_or(&envelope.body);
                if !self.foreign_poison.insert(id.clone()) {
                    self.poison_repeats += 1;
                }
            }
        }
    }

    /// Takes a text in the poison queue that has not the form of the description. A good message of the run that lies there as it was
    /// sent, or with a reason that the description does not list, was given up all the same; other texts may be anybody's.
    pub fn poisoned_in_another_form(&mut self, text: &str) {
        let Some(seq) = self.lens.owner_of_message(text).seq() else {
            return;
        };
        if self.is_expected(seq) && !self.checked.poison.contains(seq) {
            self.known_poison(seq, &SetAside::default());
        }
    }

    /// Checks the parts of `envelope` that are known without the wire. What crossed the wire is compared with it there.
    fn check_envelope(&mut self, envelope: &SetAside, seq: Option<Seq>) {
        let Some(detail) = self.flaw_of(envelope) else {
            return;
        };
        let subject = seq.map_or_else(
            || {
                let id = envelope.message_id.as_deref().unwrap_or_default();
                format!("queue message {id}")
            },
            |seq| self.id(seq),
        );
        if let Some(seq) = seq {
            self.seen.spoiled.mark(seq);
        }
        let detail = format!("in the poison queue, {detail}");
        let witness = || Witness::new(subject, detail);
        self.findings.add(Violation::Misreported, witness);
    }

    fn flaw_of(&self, envelope: &SetAside) -> Option<String> {
        let field = |name| self.lens.set_aside_field(name).map(|(field, _)| field);
        // Other descriptions do not promise that there are words.
        if self.lens.description().has_own_messages()
            && let Some(field) = field(Name::Detail)
            && envelope
                .detail
                .as_ref()
                .is_none_or(|it| it.trim().is_empty())
        {
            return Some(format!("`{field}` is empty"));
        }
        if self.testimony.is_some() {
            return None;
        }
        if let (Some(field), Some(0)) = (field(Name::Attempt), envelope.attempt) {
            return Some(format!("`{field}` is 0, deliveries count from 1"));
        }
        let field = field(Name::At)?;
        let Some(at) = envelope.stamp else {
            return Some(format!("`{field}` cannot be read"));
        };
        let begun = self.expectation.begun_at?;
        let is_early = at.micros_since(begun) < -CLOCKS_APART_US;
        is_early.then(|| format!("`{field}` is {at}, and the run began at {begun}"))
    }

    fn known_poison(&mut self, seq: Seq, envelope: &SetAside) {
        if self.seen.poisoned.mark(seq) {
            self.poison_repeats += 1;
            return;
        }
        self.refuse_failed_send(seq, "it is in the poison queue");
        if !self.checked.poison.contains(seq) {
            let seen = self
                .testimony
                .as_ref()
                .and_then(|it| it.given_up_after(seq));
            let detail = given_up(envelope) + &self.too_early(envelope.attempt.or(seen));
            self.accuse(Violation::Poisoned, seq, detail, None);
        }
    }

    /// Reports good messages that were put into the poison queue and are not visible there: hidden, or removed again.
    pub(super) fn judge_given_up(&mut self) {
        let testimony = self.testimony.as_ref();
        let given_up = testimony.map_or_else(Vec::new, |testimony| testimony.given_up.clone());
        for each in given_up {
            let expected = self.checked.poison.contains(each.seq) || !self.is_expected(each.seq);
            if expected || self.seen.poisoned.mark(each.seq) {
                continue;
            }
            let early = self.too_early(each.attempt);
            let detail = format!(
                "{} put it into the poison queue, where it is hidden, or was removed again{early}",
                each.client
            );
            self.accuse(Violation::Poisoned, each.seq, detail, None);
        }
    }

    /// Compares the delivery on which a message was given up with the number of deliveries in the description.
    fn too_early(&self, attempt: Option<u32>) -> String {
        let description = self.lens.description();
        let after = description.poison.as_ref().and_then(|poison| poison.after);
        match (attempt, after) {
            (Some(attempt), Some(after)) if attempt < after => format!(
                "; it was delivery {attempt}, and the description says after {after} (poison.after)"
            ),
            (Some(attempt), Some(after)) => format!(
                "; it was delivery {attempt}, and the description lets it have {after} (poison.after): look at what kept each of them from its row"
            ),
            _ => String::new(),
        }
    }
}

/// The worker that gave a message up, and its reason, as far as the poison message tells them.
fn given_up(envelope: &SetAside) -> String {
    let mut detail = "given up".to_owned();
    let known = [
        (" by ", envelope.consumer.as_deref().map(quoted)),
        (
            " on attempt ",
            envelope.attempt.map(|attempt| attempt.to_string()),
        ),
        (" at ", envelope.at.clone()),
        (": ", envelope.reason.clone()),
    ];
    for (word, value) in known {
        if let Some(value) = value {
            detail.push_str(word);
            detail.push_str(&value);
        }
    }
    match &envelope.detail {
        Some(told) => format!("{detail} ({})", quoted(told)),
        None => detail,
    }
}
