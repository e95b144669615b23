//! Columns of a description in which a row makes claims about its delivery.

use std::collections::BTreeMap;

use contract::workload::{Format, Lens, Name, Written};

use super::content::cut_us;

/// The columns of a row with claims about its delivery.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    pub(super) received: Option<Column>,
    pub(super) done: Option<Column>,
    pub(super) attempt: Option<Column>,
    pub(super) worker: Option<Column>,
    pub(super) node: Option<Column>,
    /// The node of each worker, as far as the platform knows it.
    pub(super) nodes: BTreeMap<String, String>,
    /// Precision of the `received` column, in microseconds: its format cuts off at most this much.
    pub(super) received_cut_us: i64,
    /// Precision of the `done` column, likewise.
    pub(super) done_cut_us: i64,
}

/// A column and its name.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) is_optional: bool,
}

impl Claims {
    pub(super) fn of(lens: &Lens) -> Self {
        // If a row is written in several steps, a step may leave the column to another step.
        let in_steps = lens.description().written() == Written::Updated;
        let column = |name| {
            let described = lens.described(name)?;
            Some(Column {
                name: described.column.clone(),
                is_optional: described.is_optional || in_steps,
            })
        };
        let format = |name| lens.described(name).map_or(Format::Plain, |it| it.format);
        Self {
            received: column(Name::Received),
            done: column(Name::Done),
            attempt: column(Name::Attempt),
            worker: column(Name::Worker),
            // A worker that is not told its node may write any name.
            node: column(Name::Node).filter(|_| lens.description().worker.has(Name::Node)),
            nodes: BTreeMap::new(),
            received_cut_us: cut_us(format(Name::Received)),
            done_cut_us: cut_us(format(Name::Done)),
        }
    }

    /// Whether there is a column that tells of one client's delivery.
    pub(super) const fn is_any(&self) -> bool {
        self.received.is_some()
            || self.done.is_some()
            || self.attempt.is_some()
            || self.worker.is_some()
    }
}
