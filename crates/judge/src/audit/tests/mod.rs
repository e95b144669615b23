//! Tests of the auditor with good histories and planted violations.

mod absent;
mod by_payload;
mod content;
mod heard;
mod known;
mod leftovers;
mod model;
mod phantoms;
pub(crate) mod planted;
mod shared;
mod shown;
mod stamps;

use contract::Stamp;
use contract::workload::{Description, OWN};

use evidence::{Answer, Crossing, Operation};

/// The project's own description, with the first text of each pair replaced by the second.
pub(crate) fn own_with(changes: &[(&str, &str)]) -> Description {
    let mut text = OWN.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    Description::read(&text).unwrap()
}

/// A request of consumer-1 that storage has answered with 200.
pub(crate) fn sample_crossing(operation: Operation) -> Crossing {
    Crossing {
        client: "consumer-1".to_owned(),
        operation,
        resource: String::new(),
        began: Stamp::from_micros(0),
        ended: Stamp::from_micros(0),
        answer: Answer::Status(200, None),
        failed_part: None,
        fault: None,
        unheard: false,
        messages: vec![],
        rows: vec![],
        strange: None,
        clock_us: 0,
        pauses: vec![],
    }
}
