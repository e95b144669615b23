//! Words of a POSIX shell, for commands that the harness prints.

use std::borrow::Cow;

/// `text` as one word, in quotes if it needs them.
pub fn word(text: &str) -> Cow<'_, str> {
    let quoted = shlex::try_quote(text);
    quoted.expect("no argument of a process holds a NUL, the only character that cannot be quoted")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The local shell, and the crate's own parser, return the quoted text.
    #[test]
    fn a_word_is_one_whatever_it_holds() {
        for text in [
            "messageId",
            "my column",
            "it's",
            "",
            "a\\b",
            "$HOME `date` !1",
            "\"'\"",
            "~",
            "*",
            "a\nb",
            "#x",
            "k=v",
            "'/bin/harness' consumer",
            "Größe",
        ] {
            let word = word(text);
            assert_eq!(shlex::split(&word), Some(vec![text.to_owned()]), "{word}");
            let script = format!("printf %s {word}");
            let printed = std::process::Command::new("sh")
                .args(["-c", &script])
                .output();
            let printed = String::from_utf8(printed.unwrap().stdout).unwrap();
            assert_eq!(printed, text, "{word}");
        }
        assert_eq!(word("messageId"), "messageId");
    }
}
