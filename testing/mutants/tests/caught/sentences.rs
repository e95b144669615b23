//! The sentences of the feature files, matched with the patterns of the map.

use std::fs;
use std::path::Path;

/// Whether `pattern` matches `sentence`. A placeholder of an outline, such as `<sharing>`, matches anything.
pub(crate) fn fits(pattern: &str, sentence: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('<') else {
        return pattern == sentence;
    };
    let Some(sentence) = sentence.strip_prefix(before) else {
        return false;
    };
    let (kind, after) = rest.split_once('>').expect("a pattern must be closed");
    let ends = sentence.char_indices().map(|(at, _)| at).skip(1);
    ends.chain([sentence.len()])
        .filter(|end| *end > 0)
        .any(|end| is_value(kind, &sentence[..end]) && fits(after, &sentence[end..]))
}

fn is_value(kind: &str, text: &str) -> bool {
    let is_number = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let is_filled_in = text.starts_with('<') && text.find('>') == Some(text.len() - 1);
    is_filled_in
        || match kind {
            "n" => is_number(text),
            "time" => text.split_once(' ').is_some_and(|(number, unit)| {
                is_number(number) && ["ms", "s", "min"].contains(&unit)
            }),
            "words" => true,
            _ => panic!("<{kind}> stands for nothing"),
        }
}

/// Every `Then` of the feature files in `directory`, with the `And`s that follow it, unchanged.
pub(crate) fn thens(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("the features must be there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let texts = paths.map(|path| fs::read_to_string(path).expect("a feature must be readable"));
    texts.flat_map(|text| thens_of(&text)).collect()
}

fn thens_of(text: &str) -> Vec<String> {
    let (mut found, mut in_then) = (Vec::new(), false);
    for line in text.lines().map(str::trim) {
        let (keyword, sentence) = line.split_once(' ').unwrap_or((line, ""));
        match keyword {
            "Then" => in_then = true,
            "And" | "But" => {}
            // A table or a comment does not end a step.
            _ if keyword.starts_with(['|', '#']) || line.is_empty() => continue,
            _ => in_then = false,
        }
        if in_then {
            found.push(sentence.to_owned());
        }
    }
    found
}
