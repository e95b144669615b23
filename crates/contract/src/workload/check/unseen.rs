//! What an editor, a web page or git has done to a text, and its parser knows nothing of.

use serde_saphyr::Error;

use crate::letters::{hidden, left_by_git};

/// What keeps `text`, which `error` is about, from being YAML: the line, and what is wrong there.
pub(super) fn no_yaml(error: &Error, text: &str) -> (u64, String) {
    if let Some((line, said)) = left_by_git(text) {
        return (u64::try_from(line).unwrap_or(0), said.to_owned());
    }
    let (line, said) = crate::yaml::trouble(error, text);
    let indented = (1..).zip(text.lines()).find_map(|(at, written)| {
        let is_blank = |it: &char| it.is_whitespace() || hidden(*it).is_some();
        let end = written.chars().take_while(is_blank).map(char::len_utf8);
        Some((at, first(&written[..end.sum()])?))
    });
    if let Some((at, what)) = indented.filter(|(at, _)| *at <= line) {
        let said = format!(
            "this line begins with {what}; YAML allows only spaces before a name, so type the blanks again"
        );
        return (at, said);
    }
    let before = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let written = text.lines().nth(before).unwrap_or_default();
    (line, also(said, written))
}

/// What is said of the line `written`, and what cannot be seen in it.
pub(super) fn also(said: String, written: &str) -> String {
    match first(written.trim_end_matches('\r')) {
        Some(what) => format!("{said}; the line holds {what}"),
        None => said,
    }
}

/// The first character in `text` that cannot be seen, in words. Tabs are told otherwise.
pub(super) fn first(text: &str) -> Option<String> {
    let mut letters = text.chars().filter(|letter| *letter != '\t');
    letters.find_map(|letter| {
        let what = hidden(letter)?;
        let code = u32::from(letter);
        Some(format!(
            "a character that is invisible or looks like a space, {what} (U+{code:04X})"
        ))
    })
}

/// `name` without what cannot be seen in it.
pub(super) fn without(name: &str) -> String {
    let seen = name.chars().filter(|letter| hidden(*letter).is_none());
    seen.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use crate::workload::Description;

    fn told(text: &str) -> String {
        let problems = Description::read(text).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].to_string()
    }

    #[test]
    fn characters_that_cannot_be_seen_are_named() {
        let good = "version: 1\nname: a\nmessage:\n  body:\n    a: \"{id}\"\n    b: \"c\"\nrow:\n  columns:\n    a: \"{id}\"\n";
        assert_eq!(Description::read(good).err(), None);
        let no_break = "no-break space (U+00A0)";
        for (from, to, begins, what) in [
            (
                "    a: \"{id}\"\n    b",
                "  \u{a0} a: \"{id}\"\n    b",
                "line 5: this line begins with a character",
                no_break,
            ),
            (
                "  body:",
                "\u{a0} body:",
                "line 4: unknown field body: its name holds a character",
                no_break,
            ),
            (
                "name: a",
                "name:\u{a0}a",
                "line 2: this line is no 'name: value'",
                no_break,
            ),
            (
                "row:",
                "ro\u{200b}w:",
                "line 7: unknown field row: its name holds a character",
                "zero width space (U+200B)",
            ),
            (
                "row:",
                "worker:\n  drains: true\u{a0}\nrow:",
                "line 8: true or false is expected here",
                no_break,
            ),
        ] {
            let said = told(&good.replacen(from, to, 1));
            assert!(said.starts_with(begins), "{said}");
            assert!(said.contains(what), "{said}");
        }
    }

    #[test]
    fn what_git_leaves_is_told_as_that() {
        let conflict = "version: 1\n<<<<<<< HEAD\nname: a\n=======\nname: b\n>>>>>>> other\n";
        let said = told(conflict);
        assert!(
            said.starts_with("line 2: a conflict of git begins here"),
            "{said}"
        );
    }
}
