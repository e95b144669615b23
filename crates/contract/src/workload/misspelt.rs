//! Texts in braces that are not placeholders, and the placeholders that were probably meant.

use std::fmt;

use super::placeholder::{NAMES, PAYLOADS};

/// Similarity from which a name counts as a misspelt placeholder.
const LIKE: f64 = 0.8;

/// The placeholder that was probably meant, and how to write the same as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meant {
    near: Option<String>,
    /// The present text, written as literal text.
    literally: String,
    /// Whether a valid placeholder follows a dollar sign.
    is_dollar: bool,
}

impl Meant {
    /// The meaning of `written`, which begins with a brace or a `$`, and whose name is `name`.
    pub(super) fn by(written: &str, name: &str) -> Self {
        let bare = written.trim_start_matches('$');
        let is_dollar = bare != written && name.starts_with(|c: char| c.is_ascii_lowercase());
        let is_dollar = is_dollar && is_known(name);
        let literally = match bare.strip_prefix('{') {
            Some(rest) if !is_dollar => {
                format!("{}{{'{{'}}{rest}", if bare == written { "" } else { "$" })
            }
            _ => format!("{{'$'}}{bare}"),
        };
        Self {
            near: near(name),
            literally,
            is_dollar,
        }
    }
}

impl fmt::Display for Meant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(near) = &self.near {
            write!(f, "do you mean {{{near}}}?")?;
        } else {
            let known: Vec<_> = NAMES
                .iter()
                .map(|(name, _)| format!("{{{name}}}"))
                .collect();
            write!(
                f,
                "known are {} and {{payload2}} to {{payload{PAYLOADS}}}.",
                known.join(" ")
            )?;
        }
        let what = if self.is_dollar {
            "With a dollar sign before it"
        } else {
            "As text"
        };
        write!(f, " {what}, write {}", self.literally)
    }
}

/// Normalises `text` to the form of names: lower case, with `-` between words, without spaces around the colon of a format.
fn normal(text: &str) -> String {
    let mut normal = String::new();
    let mut parts = text.split(':').map(str::trim);
    let name = parts.next().unwrap_or_default();
    for (at, c) in name.char_indices() {
        match c {
            '_' | ' ' | '.' => normal.push('-'),
            // Words that begin with capital letters.
            c if c.is_ascii_uppercase() => {
                let follows = name[..at].ends_with(|c: char| c.is_ascii_lowercase());
                normal.extend(follows.then_some('-'));
                normal.push(c.to_ascii_lowercase());
            }
            c => normal.push(c),
        }
    }
    for format in parts {
        normal.push(':');
        normal.push_str(format);
    }
    normal
}

fn is_known(name: &str) -> bool {
    let name = name.split(':').next().unwrap_or_default();
    let further = name.strip_prefix("payload").and_then(|n| n.parse().ok());
    NAMES.iter().any(|(known, _)| *known == name)
        || further.is_some_and(|n| (2..=PAYLOADS).contains(&n))
}

/// The placeholder that is similar to `text`, if there is one.
fn near(text: &str) -> Option<String> {
    let normal = normal(text);
    if is_known(&normal) {
        return Some(normal);
    }
    let name = normal.split(':').next().unwrap_or_default();
    let likeness = |known: &str| strsim::jaro_winkler(known, name);
    let near = NAMES.iter().map(|(known, _)| *known);
    let near = near.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let near = near.filter(|near| likeness(near) >= LIKE);
    near.map(ToOwned::to_owned)
}

/// The text at the start of `text`, which is a brace, if it looks like a misspelt placeholder, with the name in it. Two forms
/// remain text: a GUID in braces, and several words that make no name.
pub(super) fn at_brace(text: &str) -> Option<(&str, &str)> {
    let braces = text.bytes().take_while(|byte| *byte == b'{').count();
    let (inner, rest) = match text[braces..].split_once('}') {
        Some((inner, rest)) => (inner, Some(rest)),
        None => (&text[braces..], None),
    };
    let name = inner.trim().trim_start_matches(['$', '.', '%']);
    let name = name.trim_end_matches('%').trim();
    let Some(rest) = rest else {
        // The closing brace is missing.
        return is_known(name).then_some((text, name));
    };
    let closing = rest.bytes().take_while(|byte| *byte == b'}').count() + 1;
    // For example {{id:json}: 1}, which is an object whose key is the id.
    if braces > 1 && closing < braces {
        return None;
    }
    let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_:.".contains(c));
    let is_told = is_word && !is_guid(name) || is_known(&normal(name));
    let end = braces + inner.len() + closing.min(braces);
    is_told.then(|| (&text[..end], name))
}

/// A placeholder between quotes of a word processor, which are characters of the text, not quotes of YAML.
pub(super) const CURLY: &str =
    r"^\s*[\u2018-\u201f\u00ab\u00bb]\s*\{[^{}]*\}\s*[\u2018-\u201f\u00ab\u00bb]\s*$";

/// Whether `text` is what [`CURLY`] says.
pub(super) fn is_in_curly_quotes(text: &str) -> bool {
    let is_quote = |c: char| matches!(c, '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}');
    let bare = text.trim().strip_prefix(is_quote);
    let bare = bare.and_then(|rest| rest.strip_suffix(is_quote));
    let inner = bare.and_then(|bare| bare.trim().strip_prefix('{')?.strip_suffix('}'));
    inner.is_some_and(|inner| !inner.contains(['{', '}']))
}

fn is_guid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::super::template::Template;

    fn told(text: &str) -> Option<String> {
        let error = text.parse::<Template>().err();
        error.map(|error| error.to_string())
    }

    #[test]
    fn what_looks_like_a_placeholder_is_told_with_the_one_that_is_meant() {
        for (text, written, meant) in [
            ("{Payload}", "{Payload}", "payload"),
            ("a {PAYLOAD3} b", "{PAYLOAD3}", "payload3"),
            ("{ id }", "{ id }", "id"),
            ("{{id}}", "{{id}}", "id"),
            ("{{ .id }}", "{{ .id }}", "id"),
            ("{{{id}}}", "{{{id}}}", "id"),
            ("${id}", "${id}", "id"),
            ("${ID}", "${ID}", "id"),
            ("{%seq%}", "{%seq%}", "seq"),
            ("{queueEndpoint}", "{queueEndpoint}", "queue-endpoint"),
            ("{message_id}", "{message_id}", "message-id"),
            ("{message id}", "{message id}", "message-id"),
            ("{id : json}", "{id : json}", "id:json"),
            ("order-{seq", "{seq", "seq"),
            ("{payloads}", "{payloads}", "payload"),
        ] {
            let told = told(text).unwrap_or_default();
            let expected = format!("{written} is no placeholder; do you mean {{{meant}}}? ");
            assert!(told.starts_with(&expected), "{text}: {told}");
        }
        let unknown = told("{OrderNumber}").unwrap();
        assert!(unknown.contains("; known are {run} {id} "), "{unknown}");
        assert!(
            unknown.contains(" {payload} and {payload2} to {payload9}. As text"),
            "{unknown}"
        );
    }

    #[test]
    fn what_is_told_can_be_written_as_text() {
        for (text, literally) in [
            ("{Level}", "{'{'}Level}"),
            ("{{id}}", "{'{'}{id}}"),
            ("${id}", "{'$'}{id}"),
            ("${ID}", "${'{'}ID}"),
            ("{id", "{'{'}id"),
        ] {
            let told = told(text).unwrap();
            assert!(told.ends_with(&format!(", write {literally}")), "{told}");
            let template: Template = literally.parse().unwrap();
            let filled = template.fill(|_| Some("7".into())).unwrap();
            assert_eq!(filled, text.replace("{id}", "7"), "{literally}");
        }
    }

    #[test]
    fn braces_that_are_not_around_a_name_are_text() {
        for text in [
            "{}",
            "{",
            "}",
            "{0}",
            "{ not a name }",
            r#"{"a": {}}"#,
            r#"{"callbacks": null}"#,
            "{a, b}",
            "{A6F9619F-8B86-D011-B42D-00CF4FC964FF}",
            "$ 7",
            "{'a': 1}",
        ] {
            let template: Template = text.parse().unwrap();
            assert_eq!(template.fill(|_| None).as_deref(), Some(text));
        }
        let key: Template = "{{id:json}: 1}".parse().unwrap();
        assert_eq!(key.fill(|_| Some("a".into())).unwrap(), r#"{"a": 1}"#);
    }
}
