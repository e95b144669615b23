//! Words of printed commands: values quoted for a shell, placeholders for unknown values.

/// `text` as one word of a POSIX shell, bash or zsh: unchanged if no shell interprets a part of it, otherwise in single quotes.
/// Control characters are removed, because a command is printed on one line.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `text` as a word, or `placeholder`, such as `<pod>`, if it is empty.
pub(super) fn word_or(text: &str, placeholder: &str) -> String {
    if text.is_empty() {
        placeholder.to_owned()
    } else {
        word(text)
    }
}

/// `text` for a sentence, or `otherwise` if it is empty.
pub(super) fn told<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

/// The output of `command` as one word.
pub(super) fn output_of(command: &str) -> String {
    format!("\"$({command})\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_word_whatever_it_holds() {
        for (text, expected) in [
            ("system:serviceaccount:ns:sa", "system:serviceaccount:ns:sa"),
            ("https://issuer/a_b/", "https://issuer/a_b/"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(reboot)", "'$(reboot)'"),
            ("it's", r"'it'\''s'"),
            ("a\n;b", "'a;b'"),
            ("<x>", "'<x>'"),
        ] {
            assert_eq!(word(text), expected);
        }
        assert_eq!(word_or("", "<pod>"), "<pod>");
        assert_eq!(word_or("p 1", "<pod>"), "'p 1'");
    }
}
