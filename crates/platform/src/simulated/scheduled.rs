//! The scheduled events of one machine: what Azure says, when. A state machine without a clock and without I/O.
//!
//! By "Azure Metadata Service: Scheduled Events for Linux VMs" (Microsoft Learn, API version 2020-07-01): an event is
//! `Scheduled` until its time has come or somebody acknowledges it, then `Started`, and no longer listed once it is over. The
//! incarnation of the document grows whenever its events change.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;
use workflow::contract::Stamp;

/// The versions that the service has had, with the fields that each brought.
pub const VERSIONS: [&str; 6] = [
    "2017-08-01",
    "2017-11-01",
    "2019-01-01",
    WITH_DESCRIPTION,
    WITH_SOURCE,
    WITH_DURATION,
];
const WITH_DESCRIPTION: &str = "2019-04-01";
const WITH_SOURCE: &str = "2019-08-01";
const WITH_DURATION: &str = "2020-07-01";

/// What will become of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// It is a Spot machine, and is evicted.
    Preempt,
    /// It is deleted.
    Terminate,
    /// It stands still for some seconds.
    Freeze,
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It has not begun.
    Scheduled,
    /// It has.
    Started,
}

/// One event as the service lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    /// Unlike any other.
    pub event_id: String,
    /// Where it stands.
    pub event_status: Status,
    /// What will become of the machine.
    pub event_type: Kind,
    /// `VirtualMachine`, always.
    pub resource_type: String,
    /// The machines that it concerns.
    pub resources: Vec<String>,
    /// When it begins at the earliest, as HTTP writes a date; empty once it has begun.
    pub not_before: String,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who wants it: `Platform` or `User`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_source: Option<String>,
    /// How long it keeps the machine from working, in seconds; -1: unknown, or for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_in_seconds: Option<i64>,
}

/// What the service answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Document {
    /// Grows when the events change.
    pub document_incarnation: u64,
    /// What is ahead of the machine, or under way.
    pub events: Vec<Event>,
}

/// An acknowledgement names an event that is not listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("acknowledge the event {0}: there is none such")]
pub struct UnknownEvent(pub String);

#[derive(Debug)]
struct Planned {
    event: Event,
    due: Stamp,
    acknowledged: bool,
}

/// The events of one machine.
#[derive(Debug)]
pub struct Schedule {
    machine: String,
    incarnation: u64,
    planned: Vec<Planned>,
}

impl Schedule {
    /// Of a machine of this name, to which nothing happens yet.
    pub fn new(machine: &str) -> Self {
        Self {
            machine: machine.to_owned(),
            incarnation: 1,
            planned: Vec::new(),
        }
    }

    /// Schedules an event that begins at `now` and `notice` unless it is acknowledged before.
    pub fn announce(&mut self, id: &str, kind: Kind, now: Stamp, notice: Duration) {
        let due = now.plus(notice);
        let description = match kind {
            Kind::Preempt => "The Spot virtual machine is being evicted.",
            Kind::Terminate => "The virtual machine is being deleted.",
            Kind::Freeze => "The virtual machine is being paused.",
        };
        self.planned.push(Planned {
            event: Event {
                event_id: id.to_owned(),
                event_status: Status::Scheduled,
                event_type: kind,
                resource_type: "VirtualMachine".to_owned(),
                resources: vec![self.machine.clone()],
                not_before: http_date(due),
                description: Some(description.to_owned()),
                event_source: Some("Platform".to_owned()),
                duration_in_seconds: Some(-1),
            },
            due,
            acknowledged: false,
        });
        self.incarnation += 1;
    }

    /// Whether the event is to begin: its time has come, or somebody has acknowledged it.
    pub fn is_due(&self, id: &str, now: Stamp) -> bool {
        let mut planned = self.planned.iter();
        planned.any(|it| it.event.event_id == id && (it.acknowledged || it.due <= now))
    }

    /// The event begins.
    pub fn start(&mut self, id: &str) {
        for planned in &mut self.planned {
            if planned.event.event_id == id && planned.event.event_status == Status::Scheduled {
                planned.event.event_status = Status::Started;
                planned.event.not_before.clear();
                self.incarnation += 1;
            }
        }
    }

    /// The event is over, or called off.
    pub fn finish(&mut self, id: &str) {
        let before = self.planned.len();
        self.planned.retain(|planned| planned.event.event_id != id);
        if self.planned.len() < before {
            self.incarnation += 1;
        }
    }

    /// Somebody on the machine has nothing against these events' beginning at once. Once is as good as twice.
    pub fn acknowledge(&mut self, ids: &[String]) -> Result<(), UnknownEvent> {
        for id in ids {
            let mut planned = self.planned.iter_mut();
            let planned = planned.find(|it| it.event.event_id == *id);
            planned
                .ok_or_else(|| UnknownEvent(id.clone()))?
                .acknowledged = true;
        }
        Ok(())
    }

    /// What the service answers in this version; `None`: there is no such version.
    pub fn document(&self, version: &str) -> Option<Document> {
        if !VERSIONS.contains(&version) {
            return None;
        }
        let shown = |planned: &Planned| {
            let mut event = planned.event.clone();
            event.description = event.description.filter(|_| version >= WITH_DESCRIPTION);
            event.event_source = event.event_source.filter(|_| version >= WITH_SOURCE);
            event.duration_in_seconds = event
                .duration_in_seconds
                .filter(|_| version >= WITH_DURATION);
            event
        };
        Some(Document {
            document_incarnation: self.incarnation,
            events: self.planned.iter().map(shown).collect(),
        })
    }
}

/// As RFC 9110 writes it, such as `Mon, 19 Sep 2016 18:29:47 GMT`; rounded down, since nothing may begin before it.
fn http_date(at: Stamp) -> String {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let seconds = at.as_micros().div_euclid(1_000_000);
    let date = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    date.format(&format)
        .expect("a date must have all that the format asks for")
}

#[cfg(test)]
mod tests;
