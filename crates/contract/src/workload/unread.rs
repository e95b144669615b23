//! Values that a row has, and that cannot be read as what its description says.

use serde_json::{Map, Value};

use super::lens::Lens;
use super::placeholder::Name;
use super::rows::KNOWN;
use crate::StoredRow;

impl StoredRow {
    /// Whether it has a readable value in the column of `name`; false for names without a field of their own.
    pub const fn has(&self, name: Name) -> bool {
        match name {
            Name::Payload(_) => self.data.is_some(),
            Name::Intended => self.src_stamp.is_some(),
            Name::Sent => self.sent_stamp.is_some(),
            Name::Received => self.dequeued_stamp.is_some(),
            Name::Done => self.date_stamp.is_some(),
            Name::Attempt => self.attempt.is_some(),
            Name::Worker => self.consumer.is_some(),
            Name::Node => self.node.is_some(),
            Name::Digest => self.digest.is_some(),
            _ => false,
        }
    }
}

impl Lens {
    /// The columns of `entity` that are there and have no readable value in `row`, each with its value.
    pub(super) fn unread(
        &self,
        entity: &Map<String, Value>,
        row: &StoredRow,
    ) -> Vec<(String, String)> {
        let known = KNOWN.into_iter().filter(|name| !row.has(*name));
        let known = known.filter_map(|name| Some(&self.described(name)?.column));
        let further = self.further().iter().zip(&row.further);
        let further = further.filter(|(_, value)| value.is_none());
        let further = further.map(|(column, _)| &column.name);
        // A column that is null does not exist in a table.
        let value = |name: &String| match entity.get(name)? {
            Value::Null => None,
            Value::String(text) => Some((name.clone(), text.clone())),
            other => Some((name.clone(), other.to_string())),
        };
        known.chain(further).filter_map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_column_that_is_there_and_says_nothing_is_told_from_one_that_is_absent() {
        let lens = Lens::own("r1".parse().unwrap());
        let unread = |entity: Value| lens.row(entity.as_object().unwrap()).unread;
        assert_eq!(unread(json!({"data": "x", "attempt": 1, "node": null})), []);
        let found = unread(json!({"data": 7, "attempt": "many", "digest": "x", "other": []}));
        let told = [("data", "7"), ("attempt", "many"), ("digest", "x")];
        assert_eq!(
            found,
            told.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
