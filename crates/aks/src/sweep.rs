//! `sweep`: environments in the subscription that were not removed.
//!
//! Considers only groups whose name has this project's prefix. A group is removed if its tag `run` agrees with its name and its
//! tag `DeleteAfter` is in the past. A group with unreadable tags is kept and reported: a person decides.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use time::OffsetDateTime;

use crate::args::SweepArgs;
use crate::door::Door;
use crate::down;
use crate::failure::{Exit, Failure};
use crate::ledger::Ledger;
use crate::names::{EXPIRY_TAG, NODES, PREFIX, RUN_TAG};
use crate::{say, stamp};

/// What a sweep does with a group.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// Delete it: it has expired.
    Delete,
    /// Keep it: it has not expired.
    Keep(String),
    /// It is deleted with the group of this name.
    GoesWith(String),
    /// Unclear: it has the prefix, but its tags are missing or contradictory.
    Unclear(String),
}

/// Prints the groups that have expired, and removes them if told to.
pub(crate) fn sweep(args: &SweepArgs) -> Result<Exit, Failure> {
    let now = match &args.as_of {
        None => stamp::now(),
        Some(text) => stamp::read(text).ok_or_else(|| {
            Failure::new(Exit::Usage, format!("{text:?} is no time"))
                .mend("write it as 2026-11-23T05:00:00Z")
        })?,
    };
    let door = Door::open(&args.common, args.common.out.join("sweep"))?;
    let groups = door
        .az(&["group", "list"])
        .map_err(|refusal| Failure::refused("list the resource groups", &refusal))?;
    let fates = fates(&groups, now);
    let mut over = Vec::new();
    let mut unclear = 0;
    for (group, fate) in &fates {
        match fate {
            Fate::Delete => {
                over.push(group.clone());
                let word = if args.delete { "removing" } else { "over" };
                say(&format!("{word:<9} {group}"));
            }
            Fate::Keep(until) => say(&format!("kept      {group}: until {until}")),
            Fate::GoesWith(owner) => say(&format!("kept      {group}: goes with {owner}")),
            Fate::Unclear(why) => {
                unclear += 1;
                say(&format!("UNCLEAR   {group}: {why}"));
            }
        }
    }
    if args.delete {
        if !over.is_empty() {
            down::remove(&door, &over)?;
        }
        strike(&args.common.out, &fates, now)?;
    }
    say(&format!(
        "{} over, {unclear} unclear, {} groups with the prefix {PREFIX}",
        over.len(),
        fates.len()
    ));
    let left = unclear > 0 || (!args.delete && !over.is_empty());
    Ok(if left { Exit::Partial } else { Exit::Success })
}

/// Strikes groups that are gone off this machine's ledger: removed ones, and expired ones that were never created or are gone
/// already.
fn strike(out: &Path, fates: &[(String, Fate)], now: OffsetDateTime) -> Result<(), Failure> {
    let ledger = Ledger::of(out);
    for (run, entry) in ledger.all_begun() {
        let group = run.group();
        let gone = match fates.iter().find(|(name, _)| *name == group) {
            Some((_, fate)) => *fate == Fate::Delete,
            None => stamp::read(&entry.delete_after).is_some_and(|expiry| expiry < now),
        };
        if gone {
            ledger.removed(&run)?;
        }
    }
    Ok(())
}

/// What to do with each group that has the prefix.
fn fates(groups: &Value, now: OffsetDateTime) -> Vec<(String, Fate)> {
    let groups: Vec<_> = groups
        .as_array()
        .into_iter()
        .flatten()
        .filter(|group| name(group).starts_with(PREFIX))
        .collect();
    let names: BTreeSet<_> = groups.iter().map(|group| name(group)).collect();
    groups
        .iter()
        .map(|group| (name(group).to_owned(), fate(group, &names, now)))
        .collect()
}

fn fate(group: &Value, names: &BTreeSet<&str>, now: OffsetDateTime) -> Fate {
    let name = name(group);
    let owner = name.strip_suffix(NODES);
    if let Some(owner) = owner.filter(|owner| names.contains(owner)) {
        return Fate::GoesWith(owner.to_owned());
    }
    let tag = |name: &str| group["tags"][name].as_str();
    let wanted = owner.unwrap_or(name).trim_start_matches(PREFIX);
    match tag(RUN_TAG) {
        Some(run) if run == wanted => {}
        Some(run) => {
            return Fate::Unclear(format!(
                "its tag {RUN_TAG} is {run:?}: it is no group of this harness"
            ));
        }
        None => return Fate::Unclear(format!("it has no tag {RUN_TAG}")),
    }
    let Some(expiry) = tag(EXPIRY_TAG) else {
        return Fate::Unclear(format!("it has no tag {EXPIRY_TAG}"));
    };
    match stamp::read(expiry) {
        None => Fate::Unclear(format!(
            "its tag {EXPIRY_TAG} is {expiry:?}, which is no time"
        )),
        Some(time) if time < now => Fate::Delete,
        Some(_) => Fate::Keep(expiry.to_owned()),
    }
}

fn name(group: &Value) -> &str {
    group["name"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(name: &str, tags: &Value, others: &[&str]) -> Fate {
        let mut groups = vec![json!({"name": name, "tags": tags})];
        groups.extend(others.iter().map(|name| json!({"name": name})));
        let now = stamp::read("2026-11-23T05:00:00Z").unwrap();
        fates(&Value::Array(groups), now).swap_remove(0).1
    }

    #[test]
    fn only_a_group_of_ours_whose_time_is_over_is_deleted() {
        let tags = |run: &str, expiry: &str| json!({"run": run, "DeleteAfter": expiry});
        assert_eq!(
            one("edw-aks-n1", &tags("n1", "2026-11-23T04:59:59Z"), &[]),
            Fate::Delete
        );
        assert!(matches!(
            one("edw-aks-n1", &tags("n1", "2026-11-23T05:00:01Z"), &[]),
            Fate::Keep(_)
        ));
        for (name, tags) in [
            ("edw-aks-n1", tags("n1", "last week")),
            ("edw-aks-n1", tags("n1", "")),
            ("edw-aks-n1", tags("n2", "2020-01-01T00:00:00Z")),
            ("edw-aks-n1", json!({"run": "n1"})),
            ("edw-aks-n1", json!({"DeleteAfter": "2020-01-01T00:00:00Z"})),
            ("edw-aks-n1", Value::Null),
            ("edw-aks-n1-nodes", Value::Null),
        ] {
            assert!(
                matches!(one(name, &tags, &[]), Fate::Unclear(_)),
                "{name} {tags}"
            );
        }
    }

    #[test]
    fn nodes_go_with_their_cluster_and_an_orphan_by_its_own_tags() {
        let over = || json!({"run": "n1", "DeleteAfter": "2020-01-01T00:00:00Z"});
        assert_eq!(
            one("edw-aks-n1-nodes", &over(), &["edw-aks-n1"]),
            Fate::GoesWith("edw-aks-n1".to_owned())
        );
        assert_eq!(
            one("edw-aks-n1-nodes", &over(), &["edw-aks-n2"]),
            Fate::Delete
        );
    }

    #[test]
    fn a_group_without_the_prefix_is_not_looked_at() {
        let groups = json!([{"name": "production", "tags": {"run": "n1", "DeleteAfter": "2020-01-01T00:00:00Z"}}]);
        assert_eq!(fates(&groups, stamp::now()), []);
    }
}
