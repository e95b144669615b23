//! What the history of a run tells of messages that came twice, and of consumers that took more than they should have.

use workflow::contract::Stamp;

use super::Run;
use crate::wire::Index;

impl Run {
    /// When `client` asked for messages and got some for the first time after `since`; `None`: it did not.
    pub fn received_after(&self, client: &str, since: Stamp) -> anyhow::Result<Option<Stamp>> {
        let found = |index: &Index| index.received_after(client, since);
        Ok(self.history()?.look(found)?)
    }

    /// How often a message was delivered again though nobody had handed it back: its lease had run out.
    pub fn lapsed(&self) -> anyhow::Result<u64> {
        Ok(self.history()?.look(Index::lapsed)?)
    }
}
