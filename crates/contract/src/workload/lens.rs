//! A description applied to one run.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::body::{Body, Step, text_at};
use super::description::{Description, Encoding};
use super::placeholder::{Format, Name, Placeholder};
use super::rows::RowLens;
use super::template::{Piece, Template};
use super::values::{Owner, ids_in, owner_of_id, owner_of_uuid, time_of, time_text, uuid};
use crate::{Digest, MessageId, Payloads, RunId, Seq, Stamp};

/// A description applied to one run: writes bodies, and identifies the message of a body or a row.
#[derive(Debug, Clone)]
pub struct Lens {
    pub(super) run: RunId,
    description: Arc<Description>,
    /// The paths and templates in a body that identify its message, the most reliable first.
    tells: Vec<(Vec<Step>, Template)>,
    /// The paths of times in a body.
    times: Vec<(Vec<Step>, Template)>,
    /// The paths of each part in a poison message.
    given_up: Vec<(Vec<Step>, Template)>,
    pub(super) rows: RowLens,
}

impl Lens {
    /// Makes the lens of `description` for `run`.
    pub fn new(description: Arc<Description>, run: RunId) -> Self {
        let mut tells: Vec<_> = owned(&description.message.body);
        tells.retain(|(_, template)| template.holes().any(|hole| hole.name.identifies()));
        tells.sort_by_key(|(_, template)| rank(template));
        // If bodies have an id, a payload does not identify the message: a bad message may have it too.
        let has_ids = tells
            .first()
            .is_some_and(|(_, template)| rank(template) < PAYLOAD);
        tells.retain(|(_, template)| !has_ids || rank(template) < PAYLOAD);
        let mut times: Vec<_> = owned(&description.message.body);
        times.retain(|(_, template)| template.holes().any(|hole| hole.name.is_time()));
        let given_up = description.poison.as_ref();
        Self {
            run,
            tells,
            times,
            given_up: given_up.map_or_else(Vec::new, |poison| owned(&poison.body)),
            rows: RowLens::of(&description.row),
            description,
        }
    }

    /// Makes the lens of the project's own description for `run`.
    pub fn own(run: RunId) -> Self {
        Self::new(Description::own(), run)
    }

    /// The description.
    pub const fn description(&self) -> &Arc<Description> {
        &self.description
    }

    /// The run.
    pub const fn run(&self) -> &RunId {
        &self.run
    }

    /// The text of the queue message for `seq`.
    pub fn message(&self, payloads: Payloads, seq: Seq, intended: Stamp, sent: Stamp) -> String {
        self.encoded(&self.body(
            &self.description.message.body,
            payloads,
            seq,
            intended,
            sent,
        ))
    }

    /// The text of a queue message with `form` in place of the description's body.
    pub fn body(
        &self,
        form: &Body,
        payloads: Payloads,
        seq: Seq,
        intended: Stamp,
        sent: Stamp,
    ) -> String {
        let filled = form.fill(&mut |hole| match hole.name {
            Name::Intended => Some(time_text(intended, hole.format).into()),
            Name::Sent => Some(time_text(sent, hole.format).into()),
            _ => self.known(hole, payloads, seq),
        });
        filled.expect("a checked message must hold nothing but what its producer knows")
    }

    /// Encodes `body` as the text of a queue message.
    pub fn encoded(&self, body: &str) -> String {
        match self.description.message.encoding {
            Encoding::Text => body.to_owned(),
            Encoding::Base64 => BASE64_STANDARD.encode(body),
        }
    }

    /// Decodes the body in the text of a queue message; `None` if it has none.
    pub fn decoded<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        match self.description.message.encoding {
            Encoding::Text => Some(Cow::Borrowed(text)),
            Encoding::Base64 => {
                let bytes = BASE64_STANDARD.decode(text.trim()).ok()?;
                String::from_utf8(bytes).ok().map(Cow::Owned)
            }
        }
    }

    /// The owner of the text of a queue message. An identification by payload only does not compare the payload with the sent
    /// one.
    pub fn owner_of_message(&self, text: &str) -> Owner {
        let owners = self
            .told(text)
            .map(|(name, text)| self.owner_by(name, &text));
        let mut known = owners.filter(|owner| *owner != Owner::Nobody);
        known.next().unwrap_or(Owner::Nobody)
    }

    /// The text that identifies a queue message: its id if it has one, of any run.
    pub fn id_of_message(&self, text: &str) -> Option<String> {
        if let Some((_, id)) = self.told(text).find(|(name, _)| *name == Name::Id) {
            return Some(id);
        }
        self.owner_of_message(text).seq().map(|seq| self.id(seq))
    }

    /// The id of message `seq`.
    pub fn id(&self, seq: Seq) -> String {
        MessageId::new(self.run.clone(), seq).to_string()
    }

    /// How many different messages of the run `text` names, by ids or UUIDs.
    pub fn ids_in(&self, text: &str) -> usize {
        ids_in(&self.run, text)
    }

    /// The owner of `text` as a message id.
    pub fn owner_of_id(&self, text: &str) -> Owner {
        owner_of_id(&self.run, text)
    }

    /// Every text in a queue message that identifies it, with its name; the most reliable first.
    fn told(&self, text: &str) -> impl Iterator<Item = (Name, String)> + '_ {
        let body = self.decoded(text).map(Cow::into_owned);
        let found = body.map(|body| {
            let all = self.tells.iter().flat_map(|(way, template)| {
                let found = value_at(&self.description.message.body, &body, way, template);
                found.unwrap_or_default()
            });
            all.collect::<Vec<_>>()
        });
        found.into_iter().flatten()
    }

    /// The owner of a text in the place of `name`.
    pub(super) fn owner_by(&self, name: Name, text: &str) -> Owner {
        let of = |seq: Option<Seq>| seq.map_or(Owner::Nobody, Owner::Ours);
        match name {
            Name::Id => owner_of_id(&self.run, text),
            Name::Uuid => owner_of_uuid(&self.run, text),
            Name::Seq => of(counted(text)),
            Name::Payload(_) => of(Payloads::count_in(text)),
            _ => Owner::Nobody,
        }
    }

    /// The intended send time and the start of the send of the message in a queue's text, as far as it has them.
    pub fn stamps_of_message(&self, text: &str) -> [Option<Stamp>; 2] {
        let mut stamps = [None; 2];
        let Some(body) = self.decoded(text) else {
            return stamps;
        };
        for (way, template) in &self.times {
            let found = value_at(&self.description.message.body, &body, way, template);
            for (name, text) in found.unwrap_or_default() {
                let hole = template.holes().find(|hole| hole.name == name);
                let stamp = hole.and_then(|hole| time_of(&text, hole.format));
                match name {
                    Name::Intended => stamps[0] = stamp,
                    Name::Sent => stamps[1] = stamp,
                    _ => {}
                }
            }
        }
        stamps
    }

    /// The value of `hole` for message `seq`; `None` if it does not follow from run, seed and number.
    pub fn known(&self, hole: Placeholder, payloads: Payloads, seq: Seq) -> Option<Cow<'_, str>> {
        let value: Cow<'_, str> = match hole.name {
            Name::Run => self.run.as_str().into(),
            Name::Id => self.id(seq).into(),
            Name::Seq => match hole.format {
                Format::Digits(digits) => {
                    let digits = usize::from(digits);
                    format!("{:0digits$}", seq.get()).into()
                }
                _ => seq.to_string().into(),
            },
            Name::Uuid => uuid(&self.run, seq).into(),
            Name::Bucket => format!("{:02}", seq.bucket()).into(),
            Name::Payload(number) => payloads.further(number).payload(seq).into(),
            Name::Digest => Digest::of(&payloads.payload(seq)).to_string().into(),
            _ => return None,
        };
        let reshapes = hole.format.reshapes();
        Some(if reshapes {
            hole.format.escaped(value)
        } else {
            value
        })
    }

    /// Whether `queue` is the name of a poison queue: that of `own`, if it is given.
    pub fn is_poison_queue(&self, queue: &str, own: Option<&str>) -> bool {
        let Some(poison) = &self.description.poison else {
            return false;
        };
        match own {
            Some(own) => self.poison_queue(own).as_deref() == Some(queue),
            None => poison
                .queue
                .read(queue, |_| true)
                .is_some_and(|found| found.iter().all(|(_, name)| !name.is_empty())),
        }
    }

    /// The name of the poison queue of `queue`, if there is one.
    pub fn poison_queue(&self, queue: &str) -> Option<String> {
        let poison = self.description.poison.as_ref()?;
        poison.queue.fill(|_| Some(queue.into()))
    }

    /// The names of the additional queues that the worker uses, besides `queue` and its poison queue.
    pub fn queues_beside(&self, queue: &str) -> Vec<String> {
        names_of(&self.description.beside.queues, queue)
    }

    /// The names of the additional tables that the worker uses, besides `table`.
    pub fn tables_beside(&self, table: &str) -> Vec<String> {
        names_of(&self.description.beside.tables, table)
    }
}

fn names_of(templates: &[Template], own: &str) -> Vec<String> {
    let names = templates
        .iter()
        .map(|template| template.fill(|_| Some(own.into())));
    names.flatten().collect()
}

/// Copies every leaf of `body`.
fn owned(body: &Body) -> Vec<(Vec<Step>, Template)> {
    let leaves = body.leaves().into_iter();
    leaves
        .map(|(way, template)| (way, template.clone()))
        .collect()
}

/// The rank of a template that identifies by payload only.
pub(super) const PAYLOAD: u8 = 3;

/// The rank of a template: a lower one is more reliable.
pub(super) fn rank(template: &Template) -> u8 {
    let rank = |hole: Placeholder| match hole.name {
        Name::Id => 0,
        Name::Uuid => 1,
        Name::Seq => 2,
        Name::Payload(_) => PAYLOAD,
        _ => 4,
    };
    template.holes().map(rank).min().unwrap_or(4)
}

/// The values of the placeholders of `template`, at the path `way` in `text`; `None` if no value has its form.
fn value_at(
    form: &Body,
    text: &str,
    way: &[Step],
    template: &Template,
) -> Option<Vec<(Name, String)>> {
    let text = match form {
        Body::Text(_) => Cow::Borrowed(text),
        _ => text_at(text, way)?,
    };
    if let [Piece::Hole(hole)] = template.pieces() {
        return Some(vec![(
            hole.name,
            hole.format.unescaped(&text)?.into_owned(),
        )]);
    }
    let found = template.read(&text, |_| true)?;
    let found = found.into_iter();
    Some(
        found
            .map(|(hole, text)| (hole.name, text.into_owned()))
            .collect(),
    )
}

/// The number in `text`, with or without leading zeros, as in sortable keys.
fn counted(text: &str) -> Option<Seq> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number
        .then(|| text.parse().ok().and_then(Seq::new))
        .flatten()
}

mod given_up;

pub use given_up::SetAside;

#[cfg(test)]
mod tests;
