//! The scheduled events of one machine, as a state machine without a clock and without I/O.
//!
//! By "Azure Metadata Service: Scheduled Events for Linux VMs" (Microsoft Learn, API version 2020-07-01): an event is
//! `Scheduled` until its time has come or a client acknowledges it, then `Started`, and no longer listed once it is over. The
//! incarnation of the document grows whenever its events change.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;
use workflow::contract::Stamp;

/// The API versions, with the fields that each added.
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

/// What will happen to a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The machine is a Spot machine, and is evicted.
    Preempt,
    /// The machine is deleted.
    Terminate,
    /// The machine is paused for some seconds.
    Freeze,
}

/// The state of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// The event has not begun.
    Scheduled,
    /// The event has begun.
    Started,
}

/// One event as the service lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    /// A unique id.
    pub event_id: String,
    /// Its state.
    pub event_status: Status,
    /// What will happen to the machine.
    pub event_type: Kind,
    /// Always `VirtualMachine`.
    pub resource_type: String,
    /// The names of the machines concerned.
    pub resources: Vec<String>,
    /// Earliest time of its begin, in HTTP's date format; empty once it has begun.
    pub not_before: String,
    /// A description in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its origin: `Platform` or `User`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_source: Option<String>,
    /// How long it keeps the machine from working, in seconds; -1: unknown or permanent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_in_seconds: Option<i64>,
}

/// The response body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Document {
    /// A number that grows when the events change.
    pub document_incarnation: u64,
    /// The events that are scheduled or under way.
    pub events: Vec<Event>,
}

/// Error of an acknowledgement that names an event that is not listed.
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
    /// Makes the empty schedule of the machine `machine`.
    pub fn new(machine: &str) -> Self {
        Self {
            machine: machine.to_owned(),
            incarnation: 1,
            planned: Vec::new(),
        }
    }

    /// Schedules an event that begins `notice` after `now`, or earlier once it is acknowledged.
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

    /// Whether the event is to begin: its time has come, or a client has acknowledged it.
    pub fn is_due(&self, id: &str, now: Stamp) -> bool {
        let mut planned = self.planned.iter();
        planned.any(|it| it.event.event_id == id && (it.acknowledged || it.due <= now))
    }

    /// Begins the event.
    pub fn start(&mut self, id: &str) {
        for planned in &mut self.planned {
            if planned.event.event_id == id && planned.event.event_status == Status::Scheduled {
                planned.event.event_status = Status::Started;
                planned.event.not_before.clear();
                self.incarnation += 1;
            }
        }
    }

    /// Removes the event, which is over or called off.
    pub fn finish(&mut self, id: &str) {
        let before = self.planned.len();
        self.planned.retain(|planned| planned.event.event_id != id);
        if self.planned.len() < before {
            self.incarnation += 1;
        }
    }

    /// Acknowledges events, which may then begin at once. Repeating it changes nothing.
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

    /// The response body in this API version; `None`: there is no such version.
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

/// Formats a date as RFC 9110 does, such as `Mon, 19 Sep 2016 18:29:47 GMT`; rounded down.
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
