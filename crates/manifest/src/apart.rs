//! Reads the documents of a text one by one, so that one that is no YAML does not keep others from being read.

use serde_json::Value;

use super::about::{Object, SCALED};
use super::{Document, ManifestError, parse};

/// What files hold: objects, and documents that are none.
#[derive(Debug, Default)]
pub struct Reading {
    /// The objects.
    pub documents: Vec<Document>,
    /// Documents that cannot be read.
    pub broken: Vec<Broken>,
}

/// A document that cannot be read.
#[derive(Debug)]
pub struct Broken {
    /// Its kind and name, as far as its lines tell; otherwise empty.
    pub(super) object: Object,
    pub(super) error: ManifestError,
}

impl Reading {
    /// The objects, or the first error.
    pub fn whole(self) -> Result<Vec<Document>, ManifestError> {
        match self.broken.into_iter().next() {
            Some(broken) => Err(broken.error),
            None => Ok(self.documents),
        }
    }

    /// The name of the ScaledObject or ScaledJob, if there is one alone: all else matters only as far as it names it.
    pub fn only_scaled(&self) -> Option<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let is_scaled = |kind: &str| SCALED.iter().any(|it| it.eq_ignore_ascii_case(kind));
        let mut scaled = self.documents.iter().map(|it| &it.value).filter(|value| {
            let is_of_keda = text(&value["apiVersion"]).starts_with("keda.");
            is_of_keda && is_scaled(&text(&value["kind"]))
        });
        let broken = self.broken.iter().any(|it| is_scaled(&it.object.0));
        let only = scaled
            .next()
            .filter(|_| scaled.next().is_none() && !broken)?;
        Some(text(&only["metadata"]["name"])).filter(|name| !name.is_empty())
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.documents.extend(other.documents);
        self.broken.extend(other.broken);
    }
}

/// Parses each YAML document of `text`, and each object of a list that is no YAML as a whole.
pub(super) fn parse_apart(file: &str, text: &str) -> Reading {
    match parse(file, text) {
        Ok(documents) => Reading {
            documents,
            broken: Vec::new(),
        },
        Err(error) => {
            let parts = documents(text);
            let parts = if parts.len() > 1 { parts } else { items(text) };
            if parts.len() < 2 {
                let object = object(text);
                return Reading {
                    documents: Vec::new(),
                    broken: vec![Broken { object, error }],
                };
            }
            let mut reading = Reading::default();
            for Part { before, text } in parts {
                let mut found = parse_apart(file, &text);
                for broken in &mut found.broken {
                    broken.error.move_by(before);
                }
                reading.extend(found);
            }
            reading
        }
    }
}

/// A part of a text.
struct Part {
    /// How many lines are before it.
    before: usize,
    text: String,
}

/// The documents of `text`, each with the line that begins it. Such a line can stand within no value (YAML 1.2, 9.1.2, "Document
/// Markers", `c-forbidden`).
fn documents(text: &str) -> Vec<Part> {
    split(text, |line| {
        line == "---" || line.starts_with("--- ") || line.starts_with("---\t")
    })
}

/// The parts of `text`, each but the first beginning with a line for which `begins` holds.
fn split(text: &str, begins: impl Fn(&str) -> bool) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (before, line) in text.lines().enumerate() {
        if parts.is_empty() || begins(line.trim_end()) {
            let text = String::new();
            parts.push(Part { before, text });
        }
        if let Some(part) = parts.last_mut() {
            part.text.push_str(line);
            part.text.push('\n');
        }
    }
    let is_blank = |part: &Part| {
        let mut lines = part.text.lines().map(str::trim);
        lines.all(|line| line.is_empty() || line.starts_with('#') || line == "---")
    };
    parts.retain(|part| !is_blank(part));
    parts
}

/// The objects of a list as kubectl prints it, `items:` and below it an entry for each; none if `text` is no such list.
fn items(text: &str) -> Vec<Part> {
    let is_list = text.lines().any(|line| {
        let kind = line.strip_prefix("kind:").map(str::trim);
        kind.is_some_and(|kind| kind.ends_with("List"))
    });
    let Some(at) = text
        .lines()
        .position(|line| line.trim_end() == "items:")
        .filter(|_| is_list)
    else {
        return Vec::new();
    };
    let below: Vec<&str> = text.lines().skip(at + 1).collect();
    let Some(first) = below
        .iter()
        .find(|line| line.trim_start().starts_with("- "))
    else {
        return Vec::new();
    };
    let indent = indent(first);
    let is_more = |line: &str| {
        line.trim().is_empty() || self::indent(line) > indent || is_entry(line, indent)
    };
    let end = below
        .iter()
        .position(|line| !is_more(line))
        .unwrap_or(below.len());
    let mut parts = split(&below[..end].join("\n"), |line| is_entry(line, indent));
    for part in &mut parts {
        part.before += at + 1;
        if let Some(dash) = part.text.find("- ").filter(|dash| *dash == indent) {
            part.text.replace_range(dash..=dash, " ");
        }
    }
    parts
}

fn is_entry(line: &str, indent: usize) -> bool {
    self::indent(line) == indent && line.trim_start().starts_with("- ")
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The kind and the name that the lines of `text` give, where it is one object in block style.
fn object(text: &str) -> Object {
    let lines = || {
        text.lines()
            .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with(['#', '-']))
    };
    let least = lines().map(indent).min().unwrap_or_default();
    let outer = |line: &&str| indent(line) == least;
    let value = |line: &str, field: &str| {
        let rest = line
            .trim_start_matches(['{', ' ', ','])
            .strip_prefix(field)?;
        let word = rest.split([',', '}', '#']).next().unwrap_or_default();
        Some(word.trim().trim_matches(['"', '\'']).to_owned())
    };
    let kind = lines().filter(outer).find_map(|line| value(line, "kind:"));
    let mut lines =
        lines().skip_while(|line| !(outer(line) && line.trim_start().starts_with("metadata:")));
    let head = lines.next().and_then(|line| line.split_once("metadata:"));
    let flow = head.and_then(|(_, rest)| {
        let at = rest.find("name:")?;
        value(&rest[at..], "name:")
    });
    let block = || {
        lines
            .take_while(|line| !outer(line))
            .find_map(|line| value(line, "name:"))
    };
    (
        kind.unwrap_or_default(),
        flow.or_else(block).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(reading: &Reading) -> Vec<(Object, String)> {
        let broken = reading.broken.iter();
        broken
            .map(|it| (it.object.clone(), it.error.to_string()))
            .collect()
    }

    const GOOD: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";

    #[test]
    fn a_document_that_is_no_yaml_is_apart_from_the_others_with_its_line() {
        let wrong = "kind: Deployment\nmetadata:\n  labels: {a: b}\n  name: \"app\"\nspec:\n\treplicas: 1\n";
        let text = format!("# one\n---\n{GOOD}---\n{wrong}--- # three\n{GOOD}");
        let reading = parse_apart("all.yaml", &text);
        assert_eq!(reading.documents.len(), 2);
        let found = told(&reading);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, ("Deployment".to_owned(), "app".to_owned()));
        assert!(
            found[0]
                .1
                .starts_with("read all.yaml as YAML: line 12: a tab indents"),
            "{found:?}"
        );
        assert!(reading.whole().is_err());
    }

    #[test]
    fn what_stands_in_a_document_decides_what_is_said_of_it() {
        for (wrong, words) in [
            (
                "kind: {{KIND}}\nmetadata: {name: x}\n",
                "its line 5 has the placeholder {{KIND}}",
            ),
            (
                "kind: A\nmetadata: {name: x}\n  \u{a0}a: b\n c: d\n",
                "its line 7 has U+00A0",
            ),
            (
                "kind: A\n<<<<<<< HEAD\na: b\n=======\n>>>>>>> x\n",
                "line 6: a conflict of git",
            ),
        ] {
            let reading = parse_apart("a.yaml", &format!("{GOOD}---\n{wrong}"));
            let found = told(&reading);
            assert_eq!((reading.documents.len(), found.len()), (1, 1), "{found:?}");
            assert!(found[0].1.contains(words), "{found:?}");
        }
    }

    /// `kubectl get -o yaml` prints the entries of a list without indenting them; people indent them.
    #[test]
    fn an_object_of_a_list_is_apart_from_the_others() {
        for indent in ["", "  "] {
            let entry = |lines: &str| {
                let lines: Vec<_> = lines
                    .lines()
                    .map(|line| format!("{indent}  {line}\n"))
                    .collect();
                lines
                    .concat()
                    .replacen(&format!("{indent}  "), &format!("{indent}- "), 1)
            };
            let wrong =
                "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\nspec:\n  a: b: c\n";
            let text = format!(
                "apiVersion: v1\nitems:\n{}{}{}kind: List\nmetadata: {{}}\n",
                entry(GOOD),
                entry(wrong),
                entry(GOOD)
            );
            let reading = parse_apart("all.yaml", &text);
            assert_eq!(reading.documents.len(), 2, "{text}");
            let found = told(&reading);
            assert_eq!(found[0].0, ("Deployment".to_owned(), "app".to_owned()));
            assert!(
                found[0].1.starts_with("read all.yaml as YAML: line 11: "),
                "{found:?}"
            );
        }
    }

    #[test]
    fn the_only_object_that_keda_scales_is_told_from_several() {
        let scaled = |kind: &str, name: &str| {
            format!("apiVersion: keda.sh/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\n---\n")
        };
        let only = |text: &str| parse_apart("a.yaml", text).only_scaled();
        let one = scaled("ScaledObject", "a");
        assert_eq!(
            only(&format!("{one}{GOOD}---\na: b: c\n")).as_deref(),
            Some("a")
        );
        assert_eq!(only(GOOD), None);
        assert_eq!(only(&format!("{one}{}", scaled("ScaledJob", "b"))), None);
        assert_eq!(
            only(&format!(
                "{one}{}x: y: z\n",
                scaled("ScaledObject", "b").replace("---\n", "")
            )),
            None
        );
    }

    #[test]
    fn a_text_without_another_document_is_broken_as_a_whole() {
        for text in [
            "a: b: c\n",
            "---\na: b: c\n---\n# none\n",
            "- a\n- b: c: d\n",
        ] {
            let reading = parse_apart("a.yaml", text);
            assert_eq!(
                (reading.documents.len(), reading.broken.len()),
                (0, 1),
                "{text}"
            );
        }
    }
}
