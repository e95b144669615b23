//! What the values at each place most likely are: times, ids, numbers, GUIDs, texts with one of these in them, digests and payloads.

use std::cmp::Reverse;

use workflow::contract::workload::Name;

use super::digests::digest;
use super::embed::{embedded, parts};
use super::frozen::{frozen, is_literal};
use super::guid;
use super::hidden::is_packed;
use super::owners::{KEYS, Owned, Rows, folded, held};
use super::place::{Place, is_constant};
use super::times::{is_same_instant, time_format, with_format};

/// A text that is longer, or that has a blank, is no id, unless a key of rows holds it.
const LONGEST_ID: usize = 64;

/// Most payloads of one message.
const PAYLOADS: usize = 9;

/// The rank of a place that nothing shows to be an id; a lower one is shown to be.
pub(super) const NO_ID: usize = 9;

/// The ranks of what only the key of a partition is, or holds.
const IN_PARTITION: [usize; 2] = [1, 3];

/// Gives every place that is not the same in all messages what it most likely is.
pub(super) fn name(places: &mut [Place], rows: &Rows<'_>, untold: &mut Vec<String>) {
    if places.first().is_some_and(|place| place.values.len() < 2) {
        untold.push(
            "One message alone does not tell constants from values: look at every field."
                .to_owned(),
        );
    }
    let mut times = Times::default();
    let mut open = Vec::new();
    for (at, place) in places.iter_mut().enumerate() {
        if let Some(why) = frozen(place) {
            untold.push(format!("{} {why}", place.way));
        } else if is_constant(&place.values) || place.values.iter().any(is_literal) {
        } else if let Some(format) = time_format(&place.values) {
            place.template = times.name(place).map(|name| with_format(name, format));
            if place.template.is_none() {
                untold.push(format!(
                    "{} is another time than the first two, and stays as it is in the first message.",
                    place.way
                ));
            }
        } else {
            open.push(at);
        }
    }
    let mut naming = Naming {
        places,
        rows,
        untold,
        open,
    };
    let mut payloads = (1..).take(PAYLOADS);
    if let Some(source) = naming.digests() {
        naming.pay(source, &mut payloads);
    }
    naming.guids();
    // What holds a GUID is no id beside it.
    naming.embedded();
    naming.ids();
    naming.copies();
    naming.embedded();
    naming.numbers();
    naming.payloads(&mut payloads);
}

/// The times that have a name.
#[derive(Default)]
struct Times(Vec<(Name, Vec<String>)>);

impl Times {
    /// The name of the times at `place`: that of another place where all messages have the same times, or the next.
    fn name(&mut self, place: &Place) -> Option<Name> {
        let texts = place.texts();
        let is_same = |(_, known): &&(Name, Vec<String>)| {
            let pairs = |a: &[String], b: &[String]| -> bool {
                let pairs: Vec<(&str, String)> = a
                    .iter()
                    .map(String::as_str)
                    .zip(b.iter().cloned())
                    .collect();
                is_same_instant(&pairs)
            };
            // Either may be cut.
            pairs(known, &texts) || pairs(&texts, known)
        };
        if let Some((name, _)) = self.0.iter().find(is_same) {
            return Some(*name);
        }
        let name = *[Name::Intended, Name::Sent].get(self.0.len())?;
        self.0.push((name, texts));
        Some(name)
    }
}

/// Whether the field at `way` is called `id`, or something that ends so.
fn is_named_id(way: &str) -> bool {
    let mut steps = way.rsplit('/');
    let step = steps.find(|step| step.parse::<usize>().is_err());
    let name = step.unwrap_or_default();
    let ends = [
        "Id", "ID", "_id", "-id", ".id", "Guid", "Uuid", "GUID", "UUID",
    ];
    matches!(name.to_lowercase().as_str(), "id" | "guid" | "uuid")
        || ends.iter().any(|end| name.ends_with(end))
}

/// How surely a place is an id: a key of each row is it, or holds it, or it is called so.
pub(super) fn rank(place: &Place, rows: &Rows<'_>) -> usize {
    let texts = place.texts();
    for (at, key) in KEYS.iter().enumerate() {
        let owned = rows.owned(key);
        let is_key = owned
            .iter()
            .all(|it| folded(&it.text) == folded(&texts[it.message]));
        if !owned.is_empty() && is_key {
            return at;
        }
    }
    for (at, key) in KEYS.iter().enumerate() {
        let owned = rows.owned(key);
        let is_held = |it: &Owned| held(&texts, &it.text) == [it.message];
        if !owned.is_empty() && place.is_text() && owned.iter().all(is_held) {
            return KEYS.len() + at;
        }
    }
    if is_named_id(&place.way) {
        2 * KEYS.len()
    } else {
        NO_ID
    }
}

/// The number that each of `texts` is, in as many digits as it needs.
fn counted(texts: &[String]) -> bool {
    let is_count = |text: &String| {
        let is_plain = text == "0" || !text.starts_with(['0', '+']);
        is_plain && text.parse::<u64>().is_ok()
    };
    texts.iter().all(is_count)
}

pub(super) struct Naming<'a> {
    pub(super) places: &'a mut [Place],
    pub(super) rows: &'a Rows<'a>,
    untold: &'a mut Vec<String>,
    /// The places that nothing is said of yet.
    pub(super) open: Vec<usize>,
}

impl Naming<'_> {
    pub(super) fn give(&mut self, at: usize, template: String) {
        self.places[at].template = Some(template);
        self.open.retain(|it| *it != at);
    }

    fn freeze(&mut self, at: usize, why: &str) {
        let line = format!(
            "{} {why}; it stays as it is in the first message.",
            self.places[at].way
        );
        self.untold.push(line);
        self.open.retain(|it| *it != at);
    }

    /// The first of `those` by rank, and its rank; of several with the same rank, the one that is called an id.
    fn best(&self, those: &[usize]) -> Option<(usize, usize)> {
        let ranked = those.iter().map(|at| {
            let place = &self.places[*at];
            (rank(place, self.rows), !is_named_id(&place.way), *at)
        });
        ranked.min().map(|(rank, _, at)| (rank, at))
    }

    fn has(&self, name: &str) -> bool {
        let mut templates = self.places.iter().filter_map(|it| it.template.as_ref());
        templates.any(|template| template.contains(name))
    }

    fn guids(&mut self) {
        let template = |place: &Place| {
            place
                .is_text()
                .then(|| guid::template(&place.texts()))
                .flatten()
        };
        let all: Vec<usize> = self
            .open
            .iter()
            .copied()
            .filter(|at| template(&self.places[*at]).is_some())
            .collect();
        let Some((_, best)) = self.best(&all) else {
            return;
        };
        let digits =
            |place: &Place| -> Vec<_> { place.texts().iter().map(|it| guid::digits(it)).collect() };
        let (chosen, way) = (digits(&self.places[best]), self.places[best].way.clone());
        for at in all {
            let place = &self.places[at];
            match template(place) {
                Some(template) if digits(place) == chosen => self.give(at, template),
                _ => self.freeze(
                    at,
                    &format!("is a GUID of its own, and {{uuid}} stands for that of {way} alone"),
                ),
            }
        }
    }

    fn ids(&mut self) {
        let (mut texts, mut counts) = (Vec::new(), Vec::new());
        for at in &self.open {
            let place = &self.places[*at];
            let all = place.texts();
            let is_short = |text: &String| {
                text.len() <= LONGEST_ID && !text.contains(char::is_whitespace) && !text.is_empty()
            };
            if counted(&all) {
                counts.push(*at);
            } else if place.is_text()
                && (rank(place, self.rows) < KEYS.len()
                    || all.iter().all(is_short) && digest(&all).is_none() && !are_numbers(&all))
            {
                texts.push(*at);
            }
        }
        // A partition is of many rows: what is in its key alone is an id where nothing else is.
        let is_told = self.has("{uuid")
            || texts.iter().chain(&counts).any(|at| {
                let rank = rank(&self.places[*at], self.rows);
                rank < NO_ID && !IN_PARTITION.contains(&rank)
            });
        texts.retain(|at| {
            let place = &self.places[*at];
            let is_in_partition = IN_PARTITION.contains(&rank(place, self.rows));
            !is_told || !is_in_partition || is_named_id(&place.way)
        });
        let shown = |best: Option<(usize, usize)>| best.filter(|(rank, _)| *rank < NO_ID);
        let (text, count) = (self.best(&texts), self.best(&counts));
        let (mut id, mut seq) = (shown(text), shown(count));
        if id.is_none() && seq.is_none() && !self.has("{uuid") {
            (id, seq) = (text, count.filter(|_| text.is_none()));
        }
        if let Some((_, at)) = id {
            self.give(at, "{id}".to_owned());
        }
        if let Some((_, at)) = seq {
            let is_text = self.places[at].is_text();
            self.give(
                at,
                if is_text { "{seq}" } else { "{seq:number}" }.to_owned(),
            );
        }
    }

    /// What has the values of another place in all messages is the same.
    fn copies(&mut self) {
        for at in self.open.clone() {
            let place = &self.places[at];
            let texts = place.texts();
            let mut named = self.places.iter().filter(|it| it.template.is_some());
            let same = named
                .find(|it| it.texts() == texts)
                .and_then(|it| it.template.clone());
            let Some(template) = same else { continue };
            let bare = template.replace(":number", "");
            if place.is_text() {
                self.give(at, bare);
            } else if bare == "{seq}" {
                self.give(at, "{seq:number}".to_owned());
            }
        }
    }

    /// Texts that hold an id among the same text.
    fn embedded(&mut self) {
        let named = self.places.iter().filter(|it| it.template.is_some());
        let parts: Vec<_> = named.flat_map(|it| parts(it, &it.texts())).collect();
        for at in self.open.clone() {
            let place = &self.places[at];
            let texts = place.texts();
            // A sentence with a number is a sentence.
            let has_blank = texts.iter().any(|text| text.contains(char::is_whitespace));
            let fits = parts
                .iter()
                .filter(|it| !has_blank || !it.template.starts_with("{seq"));
            let fits: Vec<_> = fits.cloned().collect();
            let template = place.is_text().then(|| embedded(&texts, &fits)).flatten();
            if let Some(template) = template.filter(|_| texts.len() > 1) {
                self.give(at, template);
            }
        }
    }

    /// Numbers that no placeholder stands for, also in texts: a worker that reads a number cannot take a payload.
    fn numbers(&mut self) {
        for at in self.open.clone() {
            let place = &self.places[at];
            if !place.is_text() {
                let why = if self.has("{seq") {
                    "is a second number, and {seq} stands for another"
                } else {
                    "is a number of which nobody can say what it means"
                };
                self.freeze(at, why);
            } else if are_numbers(&place.texts()) {
                self.freeze(at, "is a number in a text, for which no placeholder stands");
            }
        }
    }

    fn pay(&mut self, at: usize, payloads: &mut impl Iterator<Item = u8>) {
        let Some(number) = payloads.next() else {
            self.freeze(
                at,
                "is a text beyond the nine payloads that a message can have",
            );
            return;
        };
        let format = if is_packed(&self.places[at]) {
            ":base64"
        } else {
            ""
        };
        self.give(at, format!("{{{}{format}}}", Name::Payload(number)));
        self.copies();
    }

    /// The longest texts are the payloads.
    fn payloads(&mut self, payloads: &mut impl Iterator<Item = u8>) {
        let length = |at: usize| {
            self.places[at]
                .texts()
                .iter()
                .map(String::len)
                .sum::<usize>()
        };
        let mut long = self.open.clone();
        long.sort_by_key(|at| (Reverse(length(*at)), *at));
        for at in &long {
            let place = &self.places[*at];
            if digest(&place.texts()).is_none() {
                continue;
            }
            self.untold.push(format!(
                "{} looks like a SHA-256, and is that of no payload of the message: it is taken for a text.",
                place.way
            ));
        }
        for at in long {
            if self.open.contains(&at) {
                self.pay(at, payloads);
            }
        }
    }
}

fn are_numbers(texts: &[String]) -> bool {
    texts.iter().all(|text| {
        text.parse::<f64>().is_ok() && text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
    })
}
