//! Rows that name no message, with the clients that wrote them over the wire: they tell a worker's own further rows from rows of others.

use std::collections::HashMap;

use super::protocol::rows::place_of;

/// The writers of rows that name no message. A dozen bytes for each such row.
#[derive(Debug, Clone, Default)]
pub(super) struct Nameless {
    /// The index of the client, by the place of the row.
    writers: HashMap<u64, u32>,
    clients: Vec<String>,
}

impl Nameless {
    pub(super) fn insert(&mut self, place: u64, client: &str) {
        let known = self.clients.iter().position(|known| known == client);
        let at = known.unwrap_or_else(|| {
            self.clients.push(client.to_owned());
            self.clients.len() - 1
        });
        let at = u32::try_from(at).expect("the clients of a run must be few");
        self.writers.insert(place, at);
    }

    /// The client that wrote the row at these keys.
    pub(super) fn writer(&self, partition: &str, row: &str) -> Option<&str> {
        let at = *self.writers.get(&place_of(partition, row))?;
        let at = usize::try_from(at).ok()?;
        self.clients.get(at).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_of_the_client_that_wrote_it_last() {
        let mut nameless = Nameless::default();
        for (row, client) in [("a", "c1"), ("b", "c2"), ("a", "c2")] {
            nameless.insert(place_of("p", row), client);
        }
        let writers = [("p", "a"), ("p", "b"), ("q", "a")]
            .map(|(partition, row)| nameless.writer(partition, row));
        assert_eq!(writers, [Some("c2"), Some("c2"), None]);
    }
}
