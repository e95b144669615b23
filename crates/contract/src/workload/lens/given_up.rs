//! Messages of the poison queue, read through a description.

use super::{Lens, value_at};
use crate::workload::body::{Body, Step};
use crate::workload::placeholder::{Format, Name};
use crate::workload::values::time_of;
use crate::{PoisonEnvelope, Stamp};

/// A message that was given up, as far as the poison queue describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetAside {
    /// The reason.
    pub reason: Option<String>,
    /// The reason in words.
    pub detail: Option<String>,
    /// The message id in the queue.
    pub message_id: Option<String>,
    /// How often it had been delivered.
    pub attempt: Option<u32>,
    /// The consumer that gave it up.
    pub consumer: Option<String>,
    /// The time at which it was given up.
    pub at: Option<String>,
    /// The same as a time stamp; `None` if it cannot be read.
    pub stamp: Option<Stamp>,
    /// The number of this part of the body, from 1.
    pub part: u32,
    /// The number of parts of the body.
    pub parts: u32,
    /// The original body, or this part of it.
    pub body: String,
}

impl From<&PoisonEnvelope> for SetAside {
    fn from(envelope: &PoisonEnvelope) -> Self {
        Self {
            reason: Some(envelope.reason.to_string()),
            detail: Some(envelope.detail.clone()),
            message_id: Some(envelope.message_id.clone()),
            attempt: Some(envelope.attempt),
            consumer: Some(envelope.consumer.clone()),
            at: Some(envelope.poisoned_stamp.to_string()),
            stamp: Some(envelope.poisoned_stamp),
            part: envelope.part,
            parts: envelope.parts,
            body: envelope.body.clone(),
        }
    }
}

impl Lens {
    /// The field of a message of the poison queue that holds `name`, with its format.
    pub fn set_aside_field(&self, name: Name) -> Option<(String, Format)> {
        self.given_up.iter().find_map(|(way, template)| {
            let hole = template.holes().find(|hole| hole.name == name)?;
            let field = way.iter().rev().find_map(|step| match step {
                Step::Field(field) => Some(field.clone()),
                Step::Place(_) => None,
            });
            // A text without fields.
            Some((field.unwrap_or_else(|| "body".to_owned()), hole.format))
        })
    }

    /// Parses the text of a message of the poison queue; `None` if it has another form.
    pub fn set_aside(&self, text: &str) -> Option<SetAside> {
        let poison = self.description.poison.as_ref()?;
        // The original message is not decoded.
        if let Body::Text(template) = &poison.body
            && template.whole().is_some_and(|hole| hole.name == Name::Body)
        {
            return Some(SetAside {
                body: text.to_owned(),
                part: 1,
                parts: 1,
                ..SetAside::default()
            });
        }
        let text = self.decoded(text)?;
        let mut found = SetAside {
            part: 1,
            parts: 1,
            ..SetAside::default()
        };
        let mut has_body = false;
        for (way, template) in &self.given_up {
            for (name, value) in value_at(&poison.body, &text, way, template)? {
                let is_known = poison.reasons.is_empty() || poison.reasons.contains(&value);
                match name {
                    Name::Reason if is_known => found.reason = Some(value),
                    Name::Reason => return None,
                    Name::Detail => found.detail = Some(value),
                    Name::MessageId => found.message_id = Some(value),
                    Name::Attempt => found.attempt = Some(value.parse().ok()?),
                    Name::Worker => found.consumer = Some(value),
                    Name::At => {
                        let hole = template.holes().find(|hole| hole.name == name);
                        found.stamp = hole.and_then(|hole| time_of(&value, hole.format));
                        found.at = Some(value);
                    }
                    Name::Part => found.part = value.parse().ok()?,
                    Name::Parts => found.parts = value.parse().ok()?,
                    Name::Body => (found.body, has_body) = (value, true),
                    _ => {}
                }
            }
        }
        has_body.then_some(found)
    }
}
