//! SHA-256 digests of payloads, in messages and in rows.

use std::collections::BTreeSet;

use workflow::contract::Digest;

use super::names::{NO_ID, Naming, rank};

impl Naming<'_> {
    /// Names the digests of the text that is to be the first payload, and returns this one.
    pub(super) fn digests(&mut self) -> Option<usize> {
        let is_digest = |at: &usize| digest(&self.places[*at].texts()).is_some();
        let (digests, texts): (Vec<usize>, Vec<usize>) =
            self.open.iter().copied().partition(is_digest);
        let of = |at: usize| -> Vec<String> {
            let all = self.places[at].texts();
            all.iter().map(|it| Digest::of(it).to_string()).collect()
        };
        let is_of = |at: usize, source: usize| {
            let lower: Vec<String> = self.places[at]
                .texts()
                .iter()
                .map(|it| it.to_lowercase())
                .collect();
            lower == of(source)
        };
        // What is an id is no payload.
        let mut sources = texts.into_iter().filter(|at| {
            let place = &self.places[*at];
            place.is_text() && rank(place, self.rows) == NO_ID
        });
        let source = sources.find(|source| {
            digests.iter().any(|at| is_of(*at, *source)) || self.rows_have(&of(*source))
        })?;
        let known: Vec<usize> = digests
            .into_iter()
            .filter(|at| is_of(*at, source))
            .collect();
        for at in known {
            if let Some(template) = digest(&self.places[at].texts()) {
                self.give(at, template.to_owned());
            }
        }
        Some(source)
    }

    /// Whether a column of the rows holds these digests.
    fn rows_have(&self, digests: &[String]) -> bool {
        let columns: BTreeSet<&String> = self.rows.all.iter().flat_map(|row| row.keys()).collect();
        columns.into_iter().any(|column| {
            let owned = self.rows.owned(column);
            let mut all = owned.iter();
            !owned.is_empty() && all.all(|it| it.text.to_lowercase() == digests[it.message])
        })
    }
}

/// The template of digests, in small or in large letters.
pub(super) fn digest(texts: &[String]) -> Option<&'static str> {
    let all = |is: fn(&str) -> bool| texts.iter().all(|text| is(text));
    if all(|text| text.parse::<Digest>().is_ok()) {
        return Some("{digest}");
    }
    let is_upper = |text: &str| {
        let has_small = text.contains(|c: char| c.is_ascii_lowercase());
        !has_small && text.to_ascii_lowercase().parse::<Digest>().is_ok()
    };
    all(is_upper).then_some("{digest:upper}")
}
