//! What was found in a run's poison queue.

use contract::workload::{Lens, SetAside};

/// One message of the poison queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoisonFound {
    /// A message of the form that the description gives to poison messages.
    SetAside(Box<SetAside>),
    /// Any other message, which no worker of the description puts there.
    Foreign(String),
}

impl PoisonFound {
    /// What `body` is, a body in the poison queue of the workload of `lens`.
    pub fn of(lens: &Lens, body: String) -> Self {
        match lens.set_aside(&body) {
            Some(found) => Self::SetAside(Box::new(found)),
            None => Self::Foreign(body),
        }
    }
}
