//! Templates of texts that have the values of places within them, and of JSON within a text.

use std::ops::Range;

use workflow::contract::workload::Template;

use super::frozen::is_literal;
use super::guid;
use super::place::{Place, is_constant, text};

/// A text of a message that is shorter may be within any other, unless it stands between other characters than letters and digits.
pub(super) const SHORTEST: usize = 3;

/// A template, and what it stands for in each text.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) template: String,
    pub(super) values: Vec<String>,
    /// Whether the template is text alone, since every message of a run has the same there.
    pub(super) is_fixed: bool,
}

/// The first of what stands for a part while the rest of a text is looked at: of the private use area of Unicode.
const MARK: u32 = 0xe000;

/// What `place` may be within a text: `values` are those of the messages that the texts are of.
pub(super) fn parts(place: &Place, values: &[String]) -> Vec<Part> {
    let Some(template) = place.template.as_deref() else {
        return fixed(place, values).into_iter().collect();
    };
    if template.contains("{uuid") {
        return guid::forms(values);
    }
    let is_whole = template
        .parse::<Template>()
        .is_ok_and(|it| it.whole().is_some());
    let names = ["{id", "{seq", "{payload"];
    if !is_whole || !names.iter().any(|name| template.starts_with(name)) {
        return Vec::new();
    }
    vec![Part {
        template: template.replace(":number", ""),
        values: values.to_vec(),
        is_fixed: false,
    }]
}

/// What stands for a place that is the same in every message of a run, and not here.
fn fixed(place: &Place, values: &[String]) -> Option<Part> {
    let first = place.values.first().filter(|it| !is_literal(it))?;
    (!is_constant(&place.values)).then(|| Part {
        template: Template::of_text(&text(first)),
        values: values.to_vec(),
        is_fixed: true,
    })
}

/// The template of `texts`, in each of which the values of the same parts stand within the same text.
pub(super) fn embedded(texts: &[String], parts: &[Part]) -> Option<String> {
    let one = |part| marked(texts, std::slice::from_ref(part));
    let parts_of_runs = parts.iter().filter(|part| !part.is_fixed);
    parts_of_runs.clone().find_map(one).or_else(|| {
        let all: Vec<Part> = parts_of_runs.cloned().collect();
        marked(texts, &all).or_else(|| marked(texts, parts))
    })
}

fn marked(texts: &[String], parts: &[Part]) -> Option<String> {
    let mark = |at: usize| char::from_u32(MARK + u32::try_from(at).ok()?);
    let rest = |(number, text): (usize, &String)| {
        let mut order: Vec<usize> = (0..parts.len()).collect();
        // A longer value may begin with a shorter one.
        order.sort_by_key(|at| std::cmp::Reverse(parts[*at].values[number].len()));
        let mut rest = text.clone();
        for at in order {
            rest = replaced(&rest, &parts[at].values[number], mark(at)?);
        }
        Some(rest)
    };
    let rests: Vec<String> = texts.iter().enumerate().map(rest).collect::<Option<_>>()?;
    let first = rests.first()?;
    if rests.iter().any(|rest| rest != first) {
        return None;
    }
    let (mut pieces, mut literal) = (Vec::new(), String::new());
    let mut tells = false;
    for letter in first.chars() {
        match (0..parts.len()).find(|at| mark(*at) == Some(letter)) {
            Some(at) => {
                tells |= !parts[at].is_fixed;
                pieces.push((std::mem::take(&mut literal), parts[at].template.clone()));
            }
            None => literal.push(letter),
        }
    }
    tells.then(|| joined(&pieces, &literal))?
}

/// Whether `value` stands within `text`, as [`replaced`] finds it.
pub(super) fn stands_in(text: &str, value: &str) -> bool {
    const MARK: char = '\u{e000}';
    replaced(text, value, MARK).contains(MARK)
}

/// `text` with `mark` for `value`; a number stands between other characters than digits, a short text between others than letters and
/// digits.
pub(super) fn replaced(text: &str, value: &str, mark: char) -> String {
    if value.is_empty() {
        return text.to_owned();
    }
    let is_number = value.bytes().all(|it| it.is_ascii_digit());
    if !is_number && value.len() >= SHORTEST {
        return text.replace(value, &mark.to_string());
    }
    let (mut found, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(value) {
        let (before, after) = (&rest[..at], &rest[at + value.len()..]);
        let goes_on = |c: char| c.is_ascii_digit() || !is_number && c.is_alphanumeric();
        // What was passed over has been found to be another text.
        let last = before.chars().last().or_else(|| found.chars().last());
        let stands_alone = !last.is_some_and(goes_on) && !after.starts_with(goes_on);
        found.push_str(before);
        if stands_alone {
            found.push(mark);
        } else {
            found.push_str(value);
        }
        rest = after;
    }
    found + rest
}

/// The template of literals, each with a template behind it, and of what comes last.
fn joined(pieces: &[(String, String)], last: &str) -> Option<String> {
    let with = |literal: &dyn Fn(&str) -> String| {
        let mut text = String::new();
        for (before, template) in pieces {
            text.push_str(&literal(before));
            text.push_str(template);
        }
        text + &literal(last)
    };
    let plain = with(&|literal| literal.to_owned());
    let quoted = with(&|literal| {
        let quoted = literal.replace('{', "{'{'}");
        match quoted.strip_suffix('$') {
            Some(before) => format!("{before}{{'$'}}"),
            None => quoted,
        }
    });
    let read = quoted.parse::<Template>().ok()?;
    let stays = plain.parse::<Template>().is_ok_and(|it| it == read);
    Some(if stays { plain } else { quoted })
}

/// The template of JSON as `text` has it, with templates at some ways in it.
pub(super) fn json(text: &str, templates: &[(&str, &str)]) -> Option<String> {
    let mut scan = Scan {
        text,
        at: 0,
        found: Vec::new(),
    };
    scan.value("")?;
    let (mut pieces, mut end) = (Vec::new(), 0);
    for (way, range) in scan.found {
        let Some((_, template)) = templates.iter().find(|(at, _)| *at == way) else {
            continue;
        };
        let is_text = text[range.clone()].starts_with('"');
        let template = match (is_text, whole(template)) {
            (true, true) => template.replace('}', ":json}"),
            (true, false) if template.contains(['"', '\\']) => return None,
            (true, false) => format!("\"{template}\""),
            (false, _) => template.replace(":number", ""),
        };
        pieces.push((text[end..range.start].to_owned(), template));
        end = range.end;
    }
    (!pieces.is_empty()).then(|| joined(&pieces, &text[end..]))?
}

/// Whether `template` is one placeholder without a format.
fn whole(template: &str) -> bool {
    let read = template.parse::<Template>();
    !template.contains(':') && read.is_ok_and(|it| it.whole().is_some())
}

/// Where in a text of JSON its single values are. It was read before, so nothing is wrong with it.
struct Scan<'a> {
    text: &'a str,
    at: usize,
    found: Vec<(String, Range<usize>)>,
}

impl Scan<'_> {
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text.as_bytes().get(self.at).copied()
    }

    fn value(&mut self, way: &str) -> Option<()> {
        let first = self.peek()?;
        if matches!(first, b'{' | b'[') {
            return self.inside(way, first);
        }
        let range = self.single()?;
        self.found.push((way.to_owned(), range));
        Some(())
    }

    fn inside(&mut self, way: &str, open: u8) -> Option<()> {
        self.at += 1;
        for place in 0_usize.. {
            if matches!(self.peek()?, b'}' | b']') {
                break;
            }
            let step = if open == b'{' {
                let key = self.single()?;
                let key: String = serde_json::from_str(&self.text[key]).ok()?;
                // Its colon.
                self.peek()?;
                self.at += 1;
                key.replace('~', "~0").replace('/', "~1")
            } else {
                place.to_string()
            };
            self.value(&format!("{way}/{step}"))?;
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        Some(())
    }

    /// A text with its quotes, a number or a word.
    fn single(&mut self) -> Option<Range<usize>> {
        let is_text = self.peek()? == b'"';
        let start = self.at;
        let mut is_escaped = false;
        let text = self.text;
        let rest = text[start..].char_indices().skip(1);
        let mut ends = rest.filter(|(_, letter)| {
            let is_end = match letter {
                '"' => is_text && !is_escaped,
                ',' | ']' | '}' => !is_text,
                letter => !is_text && letter.is_whitespace(),
            };
            is_escaped = !is_escaped && *letter == '\\';
            is_end
        });
        let end = ends.next().map(|(at, _)| start + at + usize::from(is_text));
        self.at = end.unwrap_or(text.len());
        Some(start..self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_form_around_the_templates() {
        let text = r#"{"id": "N-0",  "list":[1, {"a/b": "x \" y"}], "n":7 }"#;
        let found = json(
            text,
            &[
                ("/id", "{id}"),
                ("/list/1/a~1b", "{payload}"),
                ("/n", "{seq:number}"),
            ],
        );
        assert_eq!(
            found.as_deref(),
            Some(r#"{"id": {id:json},  "list":[1, {"a/b": {payload:json}}], "n":{seq} }"#)
        );
    }

    #[test]
    fn braces_before_a_placeholder_stay_text() {
        let part = |template: &str, values: [&str; 2]| Part {
            template: template.to_owned(),
            values: values.map(str::to_owned).to_vec(),
            is_fixed: false,
        };
        let texts = ["{k-7} ${k-7", "{k-8} ${k-8"].map(str::to_owned);
        let found = embedded(&texts, &[part("{id}", ["k-7", "k-8"])]).unwrap();
        let read: Template = found.parse().unwrap();
        let filled = read.fill(|_| Some("k-7".into()));
        assert_eq!(filled.as_ref(), Some(&texts[0]), "{found}");
        // 7 is not in 17.
        let texts = ["17", "18"].map(str::to_owned);
        assert_eq!(embedded(&texts, &[part("{seq}", ["7", "8"])]), None);
    }
}
