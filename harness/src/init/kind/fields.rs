//! Kinds of messages that are objects of JSON: by the field that names the kind, or by the fields that only some have.

use std::collections::BTreeSet;

use serde_json::Value;

/// Names of fields that say of which kind a message is, in small letters and without what stands between words.
const NAMES: [&str; 12] = [
    "type",
    "kind",
    "eventtype",
    "eventname",
    "event",
    "messagetype",
    "action",
    "operation",
    "op",
    "command",
    "@type",
    "$type",
];

/// Most kinds that are told.
const MOST: usize = 5;

/// A kind, and the messages of it, from 1.
type Group = (String, Vec<usize>);

/// The kinds of `messages`, in words, if these are of several.
pub(in crate::init) fn several(messages: &[Value]) -> Option<String> {
    let (by, groups) = by_name(messages).or_else(|| by_fields(messages))?;
    let groups: Vec<String> = groups
        .into_iter()
        .map(|(kind, numbers)| format!("{kind} ({})", counted(&numbers)))
        .collect();
    Some(format!(
        "the messages are of several kinds, {by}: {}; a description is of messages of one kind, so give those of one, and their rows",
        groups.join(", ")
    ))
}

/// How many kinds a field names that all have.
pub(in crate::init) fn named(messages: &[Value]) -> Option<usize> {
    Some(by_name(messages)?.1.len())
}

/// By a field that all have, in which several messages have the same.
fn by_name(messages: &[Value]) -> Option<(String, Vec<Group>)> {
    let first = messages.first()?.as_object()?;
    let is_name = |name: &&String| {
        let plain = name.replace(['_', '-', ' '], "").to_lowercase();
        NAMES.contains(&plain.as_str())
    };
    first.keys().filter(is_name).find_map(|name| {
        let kinds: Option<Vec<String>> = messages
            .iter()
            .map(|it| {
                let kind = it.get(name).filter(|it| it.is_string() || it.is_number());
                kind.map(Value::to_string)
            })
            .collect();
        let groups = groups(kinds?);
        let differ = groups.len() < messages.len() || by_fields(messages).is_some();
        let are_kinds = (2..=MOST).contains(&groups.len()) && differ;
        are_kinds.then(|| (format!("by their field {name}"), groups))
    })
}

/// By the fields that not all have.
fn by_fields(messages: &[Value]) -> Option<(String, Vec<Group>)> {
    let fields: Option<Vec<BTreeSet<&String>>> = messages
        .iter()
        .map(|it| Some(it.as_object()?.keys().collect()))
        .collect();
    let fields = fields?;
    let is_common = |name: &String| fields.iter().all(|own| own.contains(name));
    let own = |names: &BTreeSet<&String>| {
        let own = names.iter().filter(|name| !is_common(name));
        let own: Vec<&str> = own.map(|name| name.as_str()).collect();
        match own[..] {
            [] => "with none of these".to_owned(),
            _ => format!("with {}", own.join(" and ")),
        }
    };
    let groups = groups(fields.iter().map(own).collect());
    let are_kinds = (2..=MOST).contains(&groups.len());
    are_kinds.then(|| ("by the fields that only some have".to_owned(), groups))
}

/// What is the same, in the order of the first of each.
fn groups(kinds: Vec<String>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (number, kind) in (1..).zip(kinds) {
        match groups.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, numbers)) => numbers.push(number),
            None => groups.push((kind, vec![number])),
        }
    }
    groups
}

/// For example `message 1`, or `messages 1, 3 and 4`.
pub(in crate::init) fn counted(numbers: &[usize]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = numbers.iter().take(SHOWN).map(usize::to_string).collect();
    let rest = numbers.len().saturating_sub(SHOWN);
    match &shown[..] {
        [one] => format!("message {one}"),
        _ if rest > 0 => format!("messages {} and {rest} more", shown.join(", ")),
        [before @ .., last] => format!("messages {} and {last}", before.join(", ")),
        [] => String::new(),
    }
}
