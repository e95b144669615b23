//! Characters that stand in a line of YAML in the place of those that mean something to YAML.

use crate::letters::{alike, ascii, named};

/// Names the character of `line` in the place of one that means something to YAML: a dash before an entry of a list, a quote around a
/// value, a letter in a name. In a text, such characters mean nothing.
pub(super) fn misread(line: &str) -> Option<String> {
    let line = line.trim_start();
    let entry = line.strip_prefix("- ").unwrap_or(line);
    let first = entry.chars().next()?;
    if let Some('-' | '"' | '\'') = ascii(first)
        && !first.is_ascii()
    {
        return ascii(first).map(|of_ascii| named(first, of_ascii));
    }
    let full = entry
        .find('\u{ff1a}')
        .filter(|at| entry.find(": ").is_none_or(|colon| *at < colon));
    if full.is_some() {
        return Some(named('\u{ff1a}', ':'));
    }
    let (name, value) = entry.split_once(':')?;
    let quote = value
        .trim_start()
        .chars()
        .next()
        .filter(|it| !it.is_ascii());
    let quote = quote.filter(|it| matches!(ascii(*it), Some('"' | '\'')));
    quote
        .map(|it| named(it, if ascii(it) == Some('"') { '"' } else { '\'' }))
        .or_else(|| alike(name))
}

#[cfg(test)]
mod tests {
    use crate::yaml::tests::told;

    /// What word processors and web pages make of quotes and hyphens ("smart punctuation").
    #[test]
    fn a_dash_or_a_quote_of_a_word_processor_is_named() {
        for (text, what) in [
            ("a:\n  \u{2013} b: 1\n    c: 2\n", "U+2013, an en dash"),
            (
                "a: \u{201c}b: c\u{201d}\n",
                "U+201C, a curly quote, and not '\"'",
            ),
            ("\u{201c}a\u{201d}\n", "U+201C, a curly quote"),
            (
                "a\u{ff1a} b\n",
                "U+FF1A, a character of full width, and not ':'",
            ),
            ("n\u{430}me: b: c\n", "U+0430, a letter of Cyrillic"),
        ] {
            let (_, said) = told(text);
            assert!(said.contains(what), "{text}: {said}");
        }
        // In a text, and in a remark, they are right.
        for text in ["a: b \u{2014} c: d\n", "a: b: c # \u{201c}d\u{201d}\n"] {
            let (_, said) = told(text);
            assert!(!said.contains("U+"), "{text}: {said}");
        }
    }
}
