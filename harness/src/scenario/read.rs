//! Reads feature files, and reports problems of files that cannot be read.

mod columns;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use cucumber::feature::Ext as _;
use cucumber::gherkin::{Examples, Feature, GherkinEnv, ParseError, ParseFileError};

use super::lint::{Problem, Problems};
use super::selection::scenarios;
use super::text::{
    NoText, decoded, language, of_descriptions, of_keyword, of_text, shown, with_language_first,
    without_colon, without_mark,
};

/// A feature file that was read, its outlines expanded to a scenario for each line of examples.
#[derive(Debug)]
pub(super) struct FeatureFile {
    /// Its path.
    pub(super) file: PathBuf,
    /// Its content.
    pub(super) feature: Feature,
    /// Parts of the file that have no effect, although they look as if they had one.
    pub(super) problems: Vec<Problem>,
}

/// Reads the feature files at `path`: the file itself, or those below the directory, sorted by name. The error lists the problems
/// of each file that cannot be read.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<FeatureFile>> {
    let (features, problems) = read_each(path)?;
    if problems.is_empty() {
        return Ok(features);
    }
    Err(Unreadable(problems).into())
}

/// Reads the same files, and returns the problems of unreadable files beside the readable ones.
pub(super) fn read_each(path: &Path) -> anyhow::Result<(Vec<FeatureFile>, Vec<Problem>)> {
    let (mut features, mut problems) = (Vec::new(), Vec::new());
    for file in feature_files(path)? {
        match read_file(&file) {
            Ok(feature) => features.push(feature),
            Err(Unreadable(found)) => problems.extend(found),
        }
    }
    Ok((features, problems))
}

fn read_file(file: &Path) -> Result<FeatureFile, Unreadable> {
    let wrong = |line: usize, text: String| {
        let file = file.display().to_string();
        Unreadable(vec![Problem { file, line, text }])
    };
    let bytes =
        builtin::read(file).map_err(|error| wrong(1, format!("the file is not read: {error}")))?;
    let text = decoded(&bytes).map_err(|no_text| {
        let (line, text) = no_text.told();
        wrong(line, text)
    })?;
    let has_mark = text.len() < bytes.len();
    // The error of parsing a text does not hold the cause, that of parsing a file does.
    let cause = |file: &Path| match Feature::parse_path(file, GherkinEnv::default()) {
        Err(ParseFileError::Parsing { error, .. }) if !has_mark => error.map(|e| e.to_string()),
        _ => None,
    };
    parsed(file.to_owned(), text, cause)
}

/// Reads one feature file from its text.
pub(super) fn read_text(file: PathBuf, text: &str) -> anyhow::Result<FeatureFile> {
    Ok(parsed(file, without_mark(text), |_| None)?)
}

fn feature_files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let missing = || format!("find the feature files at {}", path.display());
    if builtin::is_file(path) {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    add_files(path, &mut files).with_context(missing)?;
    files.sort();
    ensure!(
        !files.is_empty(),
        "{}: no file there or below ends with .feature; name a directory that has some, or one such file",
        missing()
    );
    Ok(files)
}

/// Adds the files below `directory`, at any depth: a file that is overlooked would never run. Links to directories are not followed.
fn add_files(directory: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for builtin::Entry { path, is_dir } in builtin::read_dir(directory)? {
        let extension = path.extension();
        if is_dir {
            add_files(&path, files)?;
        } else if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("feature")) {
            files.push(path);
        }
    }
    Ok(())
}

/// The problems that make files unreadable, with file and line.
#[derive(Debug)]
struct Unreadable(Vec<Problem>);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Unreadable {}

impl NoText {
    /// The line, and its problem.
    fn told(self) -> (usize, String) {
        match self {
            Self::Wide(encoding) => (1, format!("the file is in {encoding}; save it as UTF-8")),
            Self::NotUtf8(line) => {
                let told = "the file is not in UTF-8 from this line on; save it as UTF-8";
                (line, told.to_owned())
            }
        }
    }
}

/// Parses `text`; if that fails, `cause` is asked for the reason.
fn parsed(
    file: PathBuf,
    text: &str,
    cause: impl FnOnce(&Path) -> Option<String>,
) -> Result<FeatureFile, Unreadable> {
    let mut problems = of_text(&file, text);
    let read = Feature::parse(with_language_first(text).as_ref(), GherkinEnv::default());
    let mut feature = read.map_err(|error| {
        let parser = in_words(&file, text, line_of(&error), cause(&file));
        // Problems in the text up to that line are the cause of the parser's error, or must be fixed first, and are more exact.
        let is_told = problems.iter().any(|problem| problem.line <= parser.line);
        let found = Some(parser).filter(|_| !is_told).into_iter();
        Unreadable(found.chain(problems.clone()).collect())
    })?;
    problems.extend(of_empty_parts(&feature, &file));
    problems.extend(columns::take_out(&mut feature, &file));
    problems.extend(of_descriptions(&file, text, &feature));
    let feature = feature.expand_examples().map_err(|error| {
        let mut last = Problems::of(&file);
        last.add(error.pos.line, columns::no_column(&error.name));
        Unreadable(problems.drain(..).chain(last.found).collect())
    })?;
    Ok(FeatureFile {
        file,
        feature,
        problems,
    })
}

/// Parts of a feature that would run nothing, although they look as if they did; called before its outlines are expanded.
fn of_empty_parts(feature: &Feature, file: &Path) -> Vec<Problem> {
    let mut problems = Problems::of(file);
    let nothing =
        |what: &str, name: &str| format!("the {what} {name:?} has no scenario: nothing of it runs");
    if scenarios(feature).next().is_none() && feature.rules.is_empty() {
        problems.add(feature.position.line, nothing("feature", &feature.name));
    }
    for rule in &feature.rules {
        if rule.scenarios.is_empty() {
            problems.add(rule.position.line, nothing("rule", &rule.name));
        }
    }
    for (_, scenario) in scenarios(feature) {
        let name = &scenario.name;
        for examples in &scenario.examples {
            if let Some(name) = twice(examples) {
                let text =
                    format!("the column {name:?} is there twice; one of them would never be read");
                problems.add(examples.position.line, text);
            }
            // The first row is the header.
            if examples
                .table
                .as_ref()
                .is_none_or(|table| table.rows.len() < 2)
            {
                let text = format!(
                    "these examples of {name:?} have no row: it runs for none of them; a row is one line, with | before, between \
                     and after its cells"
                );
                problems.add(examples.position.line, text);
            }
        }
        if scenario.examples.is_empty() && scenario.keyword.trim().contains(' ') {
            let text = format!("{name:?} is an outline without examples: nothing of it runs");
            problems.add(scenario.position.line, text);
        }
    }
    problems.found
}

/// The name that two columns of the header share.
fn twice(examples: &Examples) -> Option<&str> {
    let header = examples.table.as_ref()?.rows.first()?;
    let mut columns = header.iter().enumerate();
    let found = columns.find(|(n, name)| header[..*n].contains(name));
    found.map(|(_, name)| name.as_str())
}

/// The line of a parser error. Only its text has it, `Error at <line>:<column>: ...`.
fn line_of(error: &ParseError) -> usize {
    let words = error.to_string();
    let place = words.strip_prefix("Error at ");
    let line = place.and_then(|place| place.split(':').next()?.parse().ok());
    line.unwrap_or(1)
}

/// The problem with the `text` of `file`, at which the parser stopped at `line`, with its `cause` if that is known.
fn in_words(file: &Path, text: &str, line: usize, cause: Option<String>) -> Problem {
    let problem = |line: usize, text: String| Problem {
        file: file.display().to_string(),
        line,
        text,
    };
    if text.trim().is_empty() {
        let empty = "the file is empty: a feature begins with a line 'Feature: <name>'";
        return problem(1, empty.to_owned());
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    if let Some(cause) = cause {
        let at = cause_at(&lines, line, &cause);
        let said = shown(lines[at]);
        return problem(at + 1, no_keyword(&lines, &said));
    }
    let said = lines
        .get(line.saturating_sub(1))
        .copied()
        .unwrap_or_default();
    if said.is_empty() {
        let short = "the file ends too early, or something is missing before this line";
        return problem(line, short.to_owned());
    }
    problem(line, no_keyword(&lines, &shown(said)))
}

/// The message about a line that the parser refuses: a keyword of the file's language is missing where one must be.
fn no_keyword(lines: &[&str], said: &str) -> String {
    let mut languages = (1..).zip(lines);
    let found = languages.find_map(|(line, text)| Some((line, language(text)?)));
    let advice = match found.filter(|(_, code)| *code != "en") {
        None if let Some(keyword) = without_colon(said) => {
            format!("if it was to begin a part of the feature, write '{keyword}:'")
        }
        Some((line, code)) => format!(
            "the file is in the language {code:?} of Gherkin, as its line {line} says; write the keywords of that language, or remove \
             that line for those of English"
        ),
        None => "compare it with the features that 'harness export DIR features' writes".to_owned(),
    };
    format!(
        "this line begins with no keyword, or with one that cannot stand here: '{said}'; {advice}{}",
        of_keyword(said).map_or_else(String::new, |told| format!("; {told}"))
    )
}

const UNKNOWN_KEYWORD: &str = "Unknown keyword: '";

/// The index of the line that caused the parser's error. The parser reports `cause` at the end of that line or one line later, and
/// an unknown language at the end of the file.
fn cause_at(lines: &[&str], line: usize, cause: &str) -> usize {
    if cause.starts_with("Requested language") {
        let of_language = |line: &&str| line.starts_with('#') && line.contains("language");
        return lines.iter().position(of_language).unwrap_or_default();
    }
    let above = &lines[..line.min(lines.len())];
    let begins = cause.strip_prefix(UNKNOWN_KEYWORD);
    let begins = begins.and_then(|text| text.trim_end_matches("'.").lines().next());
    let begins = begins.map_or("", str::trim);
    let last = |is: &dyn Fn(&str) -> bool| {
        let mut lines = above.iter();
        lines.rposition(|line| !line.is_empty() && is(line))
    };
    // For a tag that contains a space, the cause names the text after the space.
    let found =
        last(&|line| line.starts_with(begins)).or_else(|| last(&|line| line.contains(begins)));
    found.or_else(|| last(&|_| true)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// UAX #15: macOS and some editors write é as e and U+0301 (form D), and keywords have U+00E9 (`gherkin-languages.json`).
    #[test]
    fn keywords_with_letters_in_two_characters_are_told_so() {
        let whole =
            "# language: fr\nFonctionnalit\u{e9}: f\n  Sc\u{e9}nario: s\n    Soit 1 consumer\n";
        let read = |text: &str| read_text(PathBuf::from("a.feature"), text);
        let good = read(whole).unwrap().problems;
        assert!(good.is_empty(), "{good:?}");
        let error = read(&whole.replace('\u{e9}', "e\u{301}")).unwrap_err();
        assert!(error.to_string().contains("two characters"), "{error}");
        let found = read(&whole.replace("c\u{e9}", "ce\u{301}"))
            .unwrap()
            .problems;
        let told = found.iter().find(|it| it.text.contains("two characters"));
        assert_eq!(told.map(|it| it.line), Some(3), "{found:?}");
    }

    /// UTS #39, `confusables.txt`: U+FF1A, which keyboards for Chinese write, looks like a colon.
    #[test]
    fn a_colon_of_full_width_after_a_keyword_of_any_language_is_named() {
        let whole = "# language: zh-CN\n功能: f\n  API\u{ff1a}x\n\n  场景: s\n    假如1 consumer\n";
        let read = |text: &str| read_text(PathBuf::from("a.feature"), text);
        let good = read(whole).unwrap().problems;
        assert!(good.is_empty(), "{good:?}");
        for (keyword, line) in [("功能", 2), ("场景", 5)] {
            let text = whole.replace(&format!("{keyword}:"), &format!("{keyword}\u{ff1a}"));
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(&format!("a.feature:{line}: ")), "{error}");
            assert!(error.contains("U+FF1A"), "{error}");
        }
    }

    /// `lint` takes paths without a flag, `run` with one: advice about one command must not name the form of the other.
    #[test]
    fn what_has_no_feature_files_is_told_with_its_reason() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("notes.txt"), "Feature: f").unwrap();
        let empty = format!("{:#}", read(directory.path()).unwrap_err());
        let missing = read(&directory.path().join("nosuch.feature")).unwrap_err();
        let missing = format!("{missing:#}");
        assert!(
            empty.contains("no file there or below ends with .feature"),
            "{empty}"
        );
        assert!(
            missing.contains("nosuch.feature: No such file"),
            "{missing}"
        );
        assert!(!format!("{empty}{missing}").contains("--features"));
    }
}
