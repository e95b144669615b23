//! The description of a table of which only the columns of ids and payloads are known.

use std::sync::Arc;

use anyhow::ensure;
use workflow::contract::workload::{Description, Template};

use super::{DATA, ROW_KEY};

/// `own` with the message id in the column `id` and the payload in `data`. Where the id is not the `RowKey`, or with
/// `payload_only`, keys are not judged, and the other columns may be absent.
pub(super) fn description(
    own: &Description,
    id: &str,
    data: &str,
    payload_only: bool,
) -> anyhow::Result<Arc<Description>> {
    ensure!(
        id != data,
        "the id and the payload are both in {id:?}; name two columns"
    );
    let mut description = own.clone();
    let is_partial = payload_only || id != ROW_KEY;
    let columns = std::mem::take(&mut description.row.columns);
    let template = |text: &str| text.parse::<Template>().expect("a constant must parse");
    for (name, template) in columns {
        let is_named = [id, data].contains(&name.as_str());
        match name.as_str() {
            _ if is_named || name == DATA => {}
            "PartitionKey" | "RowKey" if is_partial => {}
            _ if is_partial => {
                description.row.columns.insert(format!("{name}?"), template);
            }
            _ => {
                description.row.columns.insert(name, template);
            }
        }
    }
    description
        .row
        .columns
        .insert(id.to_owned(), template("{id}"));
    description
        .row
        .columns
        .insert(data.to_owned(), template("{payload}"));
    Ok(Arc::new(description))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(id: &str, data: &str, payload_only: bool) -> Vec<String> {
        let found = description(&Description::own(), id, data, payload_only).unwrap();
        found.row.columns.keys().cloned().collect()
    }

    #[test]
    fn beside_the_named_columns_those_of_the_contract_may_be_absent() {
        let others = [
            "attempt?",
            "consumer?",
            "data",
            "dateStamp?",
            "dequeuedStamp?",
            "digest?",
        ];
        assert_eq!(names("messageId", "data", false)[..6], others);
        assert!(!names("messageId", "data", false).contains(&"RowKey".to_owned()));
        let renamed = names(ROW_KEY, "payload", false);
        assert!(
            renamed.contains(&"PartitionKey".to_owned()) && renamed.contains(&"payload".to_owned())
        );
        assert!(!renamed.contains(&DATA.to_owned()) && renamed.contains(&"digest".to_owned()));
        assert!(names(ROW_KEY, "digest", true).contains(&"digest".to_owned()));
        assert!(description(&Description::own(), "x", "x", false).is_err());
    }
}
