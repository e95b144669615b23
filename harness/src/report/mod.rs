//! Reports: views of a run's event log, for a person at a terminal, a reviewer, a CI job page and a program.
//!
//! Every view is derived from the log alone, so a run that was killed, or a run of last year, has the same reports as a run that
//! just ended. All views show the same verdict, which only [`RunRecord::verdict`] makes.

mod advice;
mod cost;
mod exports;
mod files;
mod html;
mod junit;
mod latency;
mod markdown;
mod nodes;
mod plot;
mod promises;
mod rates;
mod record;
mod summary;
mod terminal;
mod timeline;
mod usage;
mod verdict;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use evidence::processes::{ProcessExit, ProcessRecord};
pub use files::ReportError;
pub use promises::{Promise, Unjudged, promises, unjudged};
pub use record::{Mark, MarkKind, RunRecord};
pub use summary::Summary;
pub use terminal::terminal;
pub(crate) use terminal::{not_run_line, sign};
pub use verdict::VerdictText;

/// The paths of a run's reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The page for people: one self-contained file.
    pub html: PathBuf,
    /// For a CI job page.
    pub markdown: PathBuf,
    /// For programs.
    pub json: PathBuf,
    /// For CI's list of test results.
    pub junit: PathBuf,
    /// The latencies, for other tools: `latency.hlog`, and `latency-<hop>.hgrm` and `.csv` for every hop with samples.
    pub exports: Vec<PathBuf>,
}

/// Reads the event log of run directory `dir` and writes every report beside it. Each file is written whole or not at all. Can be
/// repeated at any time; a run that has not ended is reported as incomplete. For a suite, missing reports of its runs are written
/// too.
pub fn write(dir: &Path) -> Result<(RunRecord, Report), ReportError> {
    let record = RunRecord::read(dir)?;
    for run in record.runs(dir) {
        write(&run)?;
    }
    let views = views(&record)?.into_iter();
    let paths: Vec<_> = views
        .map(|(name, content)| files::write(dir, &name, &content))
        .collect::<Result<_, _>>()?;
    let [html, markdown, json, junit, exports @ ..] = &paths[..] else {
        unreachable!("the views of any record begin with these four");
    };
    let report = Report {
        html: html.clone(),
        markdown: markdown.clone(),
        json: json.clone(),
        junit: junit.clone(),
        exports: exports.to_vec(),
    };
    Ok((record, report))
}

/// Every report of `record` that is a file, by its name: the page, the summaries for a job page and for programs, the test results,
/// and then the latencies.
pub fn views(record: &RunRecord) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    let mut others = vec![
        (
            "summary.md".to_owned(),
            markdown::summary(record).into_bytes(),
        ),
        (
            "summary.json".to_owned(),
            summary::json(record).into_bytes(),
        ),
        ("junit.xml".to_owned(), junit::xml(record)?.into_bytes()),
    ];
    others.extend(exports::views(record)?);
    // The page lists the files that are there, and so is made last.
    let names: Vec<&str> = others.iter().map(|(name, _)| name.as_str()).collect();
    let page = html::page(record, &names).into_bytes();
    let page = ("report.html".to_owned(), page);
    Ok([page].into_iter().chain(others).collect())
}
