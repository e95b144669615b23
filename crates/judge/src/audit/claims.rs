//! What rows say of their delivery, where a description has columns for it.

use std::collections::BTreeMap;

use contract::workload::{Format, Lens, Name, Written};

use super::content::cut_us;

/// The columns of a row that say something of its delivery.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) received: Option<Column>,
    pub(super) done: Option<Column>,
    pub(super) attempt: Option<Column>,
    pub(super) worker: Option<Column>,
    pub(super) node: Option<Column>,
    /// The node of each worker, of those whose node the platform knows.
    pub(super) nodes: BTreeMap<String, String>,
    /// How much the format of the first cuts off.
    pub(super) received_cut_us: i64,
    /// How much that of the second does.
    pub(super) done_cut_us: i64,
}

/// A column by its name.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) is_optional: bool,
}

impl Claims {
    pub(super) fn of(lens: &Lens) -> Self {
        // One of several steps may leave it to another.
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
            // What it is not told it may call as it likes.
            node: column(Name::Node).filter(|_| lens.description().worker.has(Name::Node)),
            nodes: BTreeMap::new(),
            received_cut_us: cut_us(format(Name::Received)),
            done_cut_us: cut_us(format(Name::Done)),
        }
    }
}
