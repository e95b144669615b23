//! What is found wrong with a description whose shape is right.

use super::Problem;
use super::node::YamlValue;

/// Problems as they are found in the description that `root` is the tree of.
pub(super) struct Problems<'a> {
    pub(super) root: &'a YamlValue,
    pub(super) text: &'a str,
    /// Fields at the top in which something of another kind is wrong, of which what is found here may be a consequence.
    pub(super) passed_over: Vec<String>,
    pub(super) found: Vec<Problem>,
}

impl Problems<'_> {
    /// Whether what is found in the field `section` at the top may be a consequence of something else.
    pub(super) fn is_passed_over(&self, section: &str) -> bool {
        self.passed_over.iter().any(|it| it == section)
    }

    pub(super) fn add<S: AsRef<str>>(&mut self, way: &[S], text: impl Into<String>) {
        self.add_in(self.root.line_of(way), way, text);
    }

    pub(super) fn add_in<S: AsRef<str>>(&mut self, line: u64, way: &[S], text: impl Into<String>) {
        if self.is_passed_over(way.first().map_or("", AsRef::as_ref)) {
            return;
        }
        let text = text.into();
        self.found.push(Problem { line, text });
    }
}
