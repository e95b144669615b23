//! How large a text of YAML may be, and what is said of one that is larger.

use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error, Options, UserMessageFormatter};

use super::ManifestError;

/// What a `helm template` of many charts has at most.
const DOCUMENTS: usize = 10_000;
/// Values in them: some hundred each.
const VALUES: usize = 4_000_000;

/// What is said of a text that is nested too deeply.
const DEEP: &str = "lists and fields lie in each other deeper than any object of Kubernetes has them; take that document out, or \
                    write fewer brackets";

/// Options that read YAML as kubectl does, to which 010 is 8 (`gopkg.in/yaml.v2`, `resolve`: `strconv.ParseInt(plain, 0, 64)`).
pub(super) fn options() -> Options {
    serde_saphyr::options! {
        legacy_octal_numbers: true,
        budget: serde_saphyr::budget! {
            max_documents: DOCUMENTS,
            max_nodes: VALUES,
            max_events: 4 * VALUES,
        },
    }
}

/// Why the parser gave up on `file`, if the text breaks a limit and not the rules of YAML.
pub(super) fn broken(error: &Error, file: &str) -> Option<ManifestError> {
    let line = error.location().map_or(0, |location| location.line());
    Some(ManifestError::Yaml {
        file: file.to_owned(),
        line,
        problem: problem(error)?,
    })
}

fn problem(error: &Error) -> Option<String> {
    let aliases = "aliases (*name) repeat so much that it gets too large; write each value out where it belongs";
    match error.without_snippet() {
        Error::AliasError { error, .. } => problem(error),
        Error::RecursiveReferencesRequireWeakTypes { .. } => Some(
            "an alias (*name) stands within the value that its anchor (&name) begins, so that there is no end to it; write the \
             value out"
                .to_owned(),
        ),
        Error::Budget { breach, .. } => Some(match breach {
            BudgetBreach::Documents { .. } => format!(
                "it has more than {DOCUMENTS} documents; give only those that the ScaledObject or ScaledJob belongs to"
            ),
            BudgetBreach::Depth { .. } => DEEP.to_owned(),
            BudgetBreach::Events { .. }
            | BudgetBreach::Nodes { .. }
            | BudgetBreach::ScalarBytes { .. }
            | BudgetBreach::InputBytes { .. } => format!(
                "it is too large, with more than {VALUES} values or 64 MiB of text; give only the documents that the \
                 ScaledObject or ScaledJob belongs to"
            ),
            _ => aliases.to_owned(),
        }),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => Some(aliases.to_owned()),
        // The scanner's own limit of nesting has no public type: `serde_saphyr` hands its words on as a message.
        error => {
            let said = error.render_with_formatter(&UserMessageFormatter);
            said.contains("recursion limit exceeded")
                .then(|| DEEP.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    fn told(text: &str) -> String {
        parse("a.yaml", text).unwrap_err().to_string()
    }

    #[test]
    fn a_large_rendering_of_charts_is_read() {
        let object = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {a: b, c: d}}\ndata: {a: b, c: d, e: f, g: h}\n";
        assert_eq!(parse("a.yaml", &object.repeat(9_999)).unwrap().len(), 9_999);
        let list = format!("a: [{}1]\n", "1, ".repeat(300_000));
        assert_eq!(parse("a.yaml", &list).unwrap().len(), 1);
    }

    #[test]
    fn limits_are_told_in_words_with_what_to_do() {
        let levels = (1..9).map(|n| {
            let alias = format!("*a{}", n - 1);
            format!("a{n}: &a{n} [{}]\n", vec![alias; 9].join(", "))
        });
        let laughs = format!("a0: &a0 [x, x]\n{}", levels.collect::<String>());
        let nested: String = (0..2_000).map(|n| " ".repeat(n) + "a:\n").collect();
        for (text, words) in [
            ("---\na: b\n".repeat(10_001), "more than 10000 documents"),
            (
                format!("a: {}{}\n", "[".repeat(90), "]".repeat(90)),
                "deeper than",
            ),
            (
                format!("a: {}{}\n", "[".repeat(9_000), "]".repeat(9_000)),
                "deeper than",
            ),
            (nested, "deeper than"),
            (laughs, "repeat so much"),
            ("a: &a {b: *a}\n".to_owned(), "no end to it"),
        ] {
            let told = told(&text);
            let begin: String = text.chars().take(40).collect();
            assert!(told.contains(words), "{begin}: {told}");
            for word in ["limits breached", "limit exceeded", "not allowed here"] {
                assert!(!told.contains(word), "{begin}: {told}");
            }
        }
    }
}
