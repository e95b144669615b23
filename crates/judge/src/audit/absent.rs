//! Columns that a description lets be absent: where they are absent, they prove nothing. If that leaves a row without any column that would show a
//! promise, the promise is not judged.

use contract::StoredRow;
use contract::workload::{Lens, Name};
use evidence::audit::NotJudged;

use super::Violation;

/// The promises that may be left without a column to show them.
#[derive(Debug)]
pub(super) struct Absent(Vec<Shown>);

/// The columns of a row that show whether a promise is kept; all of them may be absent.
#[derive(Debug)]
struct Shown {
    promise: Violation,
    columns: Vec<(Place, String)>,
    /// The placeholders of such columns, in words.
    values: &'static str,
    /// Number of rows without any of these columns.
    rows_without: u64,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Known(Name),
    /// The index among the columns that are compared as they are.
    Further(usize),
}

impl Absent {
    pub(super) fn of(lens: &Lens) -> Self {
        let content = |name: Name| matches!(name, Name::Payload(_) | Name::Digest);
        let claim = |name: Name| {
            matches!(
                name,
                Name::Received | Name::Done | Name::Attempt | Name::Worker
            )
        };
        let claims = "{received}, {done}, {attempt} or {worker}";
        let all = [
            Shown::of(lens, Violation::Corrupted, content, "{payload} or {digest}"),
            Shown::of(lens, Violation::Misreported, claim, claims),
        ];
        Self(all.into_iter().flatten().collect())
    }

    /// Takes a row of a message of the run.
    pub(super) fn row(&mut self, row: &StoredRow) {
        for shown in &mut self.0 {
            let mut columns = shown.columns.iter();
            let is_any = columns.any(|(place, _)| match place {
                Place::Known(name) => row.has(*name),
                Place::Further(at) => row.further.get(*at).is_some_and(Option::is_some),
            });
            shown.rows_without += u64::from(!is_any);
        }
    }

    /// The promises that at least one of `rows` rows has no column for.
    pub(super) fn not_judged(&self, rows: u64) -> impl Iterator<Item = NotJudged> + '_ {
        let open = self.0.iter().filter(|shown| shown.rows_without > 0);
        open.map(move |shown| {
            let names: Vec<_> = shown.columns.iter().map(|(_, name)| name.as_str()).collect();
            let why = format!(
                "{} of {rows} rows have no value in {}, which the description lets be absent, and no other column holds {}",
                shown.rows_without,
                names.join(", "),
                shown.values
            );
            NotJudged {
                violation: shown.promise,
                why,
            }
        })
    }
}

impl Shown {
    /// `None` if a column with such a value must be there, or if there is none at all.
    fn of(
        lens: &Lens,
        promise: Violation,
        shows: impl Fn(Name) -> bool,
        values: &'static str,
    ) -> Option<Self> {
        let mut columns = Vec::new();
        for column in lens.description().row.columns() {
            let Some(name) = column
                .template
                .holes()
                .map(|hole| hole.name)
                .find(|name| shows(*name))
            else {
                continue;
            };
            if !column.is_optional {
                return None;
            }
            let further = lens.further().iter().position(|it| it.name == column.name);
            let place = further.map_or(Place::Known(name), Place::Further);
            columns.push((place, column.name));
        }
        (!columns.is_empty()).then_some(Self {
            promise,
            columns,
            values,
            rows_without: 0,
        })
    }
}
