//! Names of invisible characters; and texts that git leaves in files.

/// The name of a character that is invisible or looks like a space.
pub fn hidden(letter: char) -> Option<&'static str> {
    Some(match letter {
        '\t' => "tab",
        '\u{85}' | '\u{2028}' | '\u{2029}' => "another end of line",
        '\u{a0}' => "no-break space",
        '\u{202f}' => "narrow no-break space",
        '\u{ad}' => "soft hyphen",
        '\u{200b}' => "zero width space",
        '\u{200c}' => "zero width non-joiner",
        '\u{200d}' => "zero width joiner",
        '\u{2060}' => "word joiner",
        '\u{feff}' => "byte order mark",
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "mark of a direction of writing"
        }
        '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{205f}' | '\u{3000}' => "space of another width",
        letter if letter.is_control() => "control character",
        _ => return None,
    })
}

/// The text that git has left in `text`, with its line: an unresolved conflict ("git merge", "How conflicts are presented"), or
/// the pointer to a file of Git LFS ("The Pointer").
pub fn left_by_git(text: &str) -> Option<(usize, &'static str)> {
    if text.starts_with("version https://git-lfs.github.com/") {
        let pointer = "the file is a pointer of Git LFS; fetch its content with 'git lfs pull'";
        return Some((1, pointer));
    }
    let mut lines = (1..).zip(text.lines());
    let (line, _) = lines.find(|(_, line)| line.starts_with("<<<<<<< "))?;
    let is_whole = text.lines().any(|line| line.starts_with(">>>>>>> "));
    let conflict =
        "a conflict of git begins here, which nobody has resolved; choose one of its sides";
    is_whole.then_some((line, conflict))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_leaves_is_told_from_text() {
        let conflict = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> other\n";
        assert_eq!(left_by_git(conflict).unwrap().0, 2);
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 12\n";
        assert!(left_by_git(pointer).unwrap().1.contains("git lfs pull"));
        for text in [
            "",
            "version: 1\n",
            "<<<<<<< here it begins\n",
            "Title\n=======\n",
        ] {
            assert_eq!(left_by_git(text), None, "{text}");
        }
    }
}
