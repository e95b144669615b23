//! Compares the claims of messages in the poison queue about their delivery with the wire.

use contract::Stamp;
use contract::workload::Name;
use evidence::{Claimed, Crossing, Handled};

use super::Protocol;
use super::ends::subject;
use crate::audit::content::cut_us;
use crate::audit::deliveries::CLOCK_US;
use crate::audit::skew::Skewed;
use crate::audit::{Violation, Witness};

/// The result of comparing one envelope.
enum Told {
    Fine,
    /// The wall clock was set in between, or the client's clock is far off, so the claims may be true.
    Unknown,
    False(String),
}

impl Protocol {
    /// Compares what `message`, which `crossing` put into the poison queue, claims about its delivery. What the description
    /// does not have there is not compared.
    pub(super) fn envelope(&mut self, crossing: &Crossing, message: &Handled) {
        let Some(claims) = &message.claims else {
            return;
        };
        let id = message
            .poisons
            .as_ref()
            .or(message.poisons_in_part.as_ref());
        let live = id.and_then(|id| self.live.get(id));
        if live.is_some_and(|live| live.told.is_misreported) {
            return;
        }
        let seq = live.and_then(|live| live.seq);
        let seq = seq.or_else(|| message.id.as_deref().and_then(|id| self.seq_of(id)));
        let told = self.compare_envelope(crossing, message, claims);
        match told {
            Told::Fine => {}
            Told::Unknown => self.traffic.untold_claims += 1,
            Told::False(detail) => {
                let named = Handled {
                    queue_id: id.cloned().unwrap_or_default(),
                    ..Handled::default()
                };
                let subject = subject(&self.lens, seq, &named);
                if let Some(live) = id.and_then(|id| self.live.get_mut(id)) {
                    live.told.is_misreported = true;
                }
                let detail = format!("in the poison queue, {detail}");
                let witness = || Witness::new(subject, detail);
                self.findings.add(Violation::Misreported, witness);
            }
        }
    }

    fn compare_envelope(
        &mut self,
        crossing: &Crossing,
        message: &Handled,
        claims: &Claimed,
    ) -> Told {
        let client = &crossing.client;
        if let Some((field, _)) = self.lens.set_aside_field(Name::Worker)
            && let Some(consumer) = claims.consumer.as_ref().filter(|it| *it != client)
        {
            return Told::False(format!(
                "`{field}` is {consumer:?}, and {client} put it there"
            ));
        }
        let id = message
            .poisons
            .as_ref()
            .or(message.poisons_in_part.as_ref());
        let live = id.and_then(|id| self.live.get(id));
        let handed = live.map_or(&[][..], |live| &live.told.handed);
        let own: Vec<_> = handed.iter().filter(|it| it.client == *client).collect();
        // Deliveries in unreadable answers are unknown.
        let Some(last) = own.last().filter(|_| self.account.is_known(client)) else {
            return Told::Fine;
        };
        let last = last.attempt;
        let mut meant = own;
        if let (Some((field, _)), Some(attempt), Some(last)) = (
            self.lens.set_aside_field(Name::Attempt),
            claims.attempt,
            last,
        ) {
            meant.retain(|it| it.attempt.is_none_or(|it| it == attempt));
            if meant.is_empty() {
                return Told::False(format!(
                    "`{field}` is {attempt}, and {client} got the message as delivery {last}"
                ));
            }
        }
        let Some((field, format)) = self.lens.set_aside_field(Name::At) else {
            return Told::Fine;
        };
        let Some(at) = claims.date else {
            return Told::False(format!("`{field}` cannot be read"));
        };
        // The first of the deliveries that are meant allows the most.
        let first = meant.first().map_or(crossing.began, |it| it.ended);
        self.compare_given_up(crossing, first, (&field, at, cut_us(format)))
    }

    /// Compares the time at which a message was given up: it must not be before the consumer had the message, nor after it sent
    /// the envelope.
    fn compare_given_up(
        &mut self,
        crossing: &Crossing,
        had: Stamp,
        (field, at, cut): (&str, Stamp, i64),
    ) -> Told {
        let client = &crossing.client;
        if let Some(skews) = &mut self.skews {
            let (received, sent) = ((at, had), (at, crossing.began));
            return match skews.claim(client, received, sent, CLOCK_US + cut) {
                Skewed::Possible => Told::Fine,
                Skewed::Far(_) | Skewed::Changed(_) => Told::Unknown,
                Skewed::Contradicted(us) => Told::False(format!(
                    "`{field}` {at} is {} ms from what other stamps of {client} and the wire say of its clock",
                    us / 1_000
                )),
            };
        }
        let (least, most) = self.clocks.ahead_since(had);
        let us = at.as_micros();
        if us.saturating_add(CLOCK_US + cut) < had.as_micros().saturating_add(least) {
            return Told::False(format!(
                "`{field}` is {at}, before {client} had the message, at {had}"
            ));
        }
        let sent = crossing.began;
        if us
            > sent
                .as_micros()
                .saturating_add(most)
                .saturating_add(CLOCK_US)
        {
            return Told::False(format!(
                "`{field}` is {at}, after {client} had put it there, at {sent}"
            ));
        }
        if most - least > CLOCK_US {
            Told::Unknown
        } else {
            Told::Fine
        }
    }
}
