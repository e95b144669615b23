//! A page about many nights: the outcome of each night, the course of each promise, scenario and figure, and links to all reports.
//! Derived from the event logs alone, so it can be made of any directory of runs at any time.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use maud::{DOCTYPE, Markup, html};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use workflow::exit::WrongInput;

use crate::compare::runs_in;
use crate::measure::{Hop, Micros, Percentile, has_enough};
use crate::outcome::Outcome;
use views::{head, write_whole};

use crate::report::{RunRecord, promises, sign};

/// Which nights, and where the page goes.
#[derive(Debug, Clone, clap::Args)]
pub struct NightsArgs {
    /// Directory that holds the runs or suites of the nights
    pub dir: PathBuf,
    /// File for the page [default: nights.html in that directory]
    #[arg(long)]
    pub page: Option<PathBuf>,
    /// Show only the last N nights
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub last: u32,
}

/// One night.
struct Night {
    /// The link to its report, relative to the page.
    way: String,
    record: RunRecord,
    outcome: Outcome,
}

/// A promise or a scenario: its outcome in each night, with a link to details; `None` where the night does not have it.
struct Course {
    name: String,
    ends: Vec<Option<(Outcome, String)>>,
}

const NIGHTS: WrongInput = WrongInput("make the page over many nights");

/// Writes the page. Returns its path and the number of nights.
pub fn write(args: &NightsArgs) -> anyhow::Result<(PathBuf, usize)> {
    let page = args
        .page
        .clone()
        .unwrap_or_else(|| args.dir.join("nights.html"));
    let from = page.parent().unwrap_or(Path::new(""));
    let runs = runs_in(&args.dir).context(NIGHTS)?;
    let first = runs.len().saturating_sub(args.last as usize);
    let nights = runs[first..].iter().map(|dir| {
        let record = RunRecord::read(dir).context(NIGHTS)?;
        let outcome = record.verdict().outcome;
        let way = way(from, dir);
        Ok(Night {
            way,
            record,
            outcome,
        })
    });
    let mut nights = nights.collect::<anyhow::Result<Vec<_>>>()?;
    nights.sort_by_key(|night| night.record.started);
    let name = page
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("nights.html");
    let dir = if from.as_os_str().is_empty() {
        Path::new(".")
    } else {
        from
    };
    write_whole(dir, name, drawn(&nights).as_bytes())
        .with_context(|| format!("write the page {}", page.display()))?;
    Ok((page, nights.len()))
}

/// The time of a night, to the minute.
fn when(night: &Night) -> String {
    night.record.started.to_string().chars().take(16).collect()
}

/// Characters that are not escaped in the path of a link (RFC 3986, `pchar`, as far as needed here).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The relative path from the page's directory to that of a run; absolute if the run is not below the page.
fn way(from: &Path, dir: &Path) -> String {
    let whole = || std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let below = dir.strip_prefix(from).map(Path::to_path_buf);
    let path = below.unwrap_or_else(|_| whole());
    encoded(&path.to_string_lossy())
}

fn encoded(path: &str) -> String {
    utf8_percent_encode(path, PLAIN).to_string()
}

/// Every name that occurs in any night, with its outcome in each.
fn courses(
    nights: &[Night],
    ends: impl Fn(&Night) -> Vec<(String, Outcome, String)>,
) -> Vec<Course> {
    let mut courses: Vec<Course> = Vec::new();
    for (at, night) in nights.iter().enumerate() {
        for (name, outcome, way) in ends(night) {
            let known = courses.iter().position(|course| course.name == name);
            let known = known.unwrap_or_else(|| {
                courses.push(Course {
                    name,
                    ends: vec![None; nights.len()],
                });
                courses.len() - 1
            });
            courses[known].ends[at] = Some((outcome, way));
        }
    }
    courses
}

fn of_scenarios(night: &Night) -> Vec<(String, Outcome, String)> {
    let ended = night.record.scenarios.iter().map(|scenario| {
        let own = scenario.run_dir.as_ref();
        let way = own.map_or(night.way.clone(), |own| {
            format!("{}/{}", night.way, encoded(own))
        });
        (scenario.name.clone(), scenario.outcome, way)
    });
    ended.collect()
}

fn of_promises(night: &Night) -> Vec<(String, Outcome, String)> {
    let promised = promises(&night.record).into_iter();
    promised
        .map(|promise| (promise.promised, promise.outcome, night.way.clone()))
        .collect()
}

fn drawn(nights: &[Night]) -> String {
    let title = format!("{} nights", nights.len());
    let (kept, scenarios) = (courses(nights, of_promises), courses(nights, of_scenarios));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(&title, OWN_STYLE))
            body.answer {
                header.band.answer { div.inner { h1 { span.headline { (title) } } p.about { (counted(nights)) } } }
                main {
                    section { h2 { "Each night" } (list(nights)) }
                    (matrix("Promises of loads", nights, &kept))
                    (matrix("Scenarios", nights, &scenarios))
                    (figures(nights))
                }
            }
        }
    };
    page.into_string()
}

/// Styles beyond those of the reports.
const OWN_STYLE: &str = ".matrix td.end{text-align:center;padding:0 .15em}.matrix td.end a{text-decoration:none}\
    .wide-table{overflow-x:auto}";

fn counted(nights: &[Night]) -> String {
    let count = |outcome| {
        nights
            .iter()
            .filter(|night| night.outcome == outcome)
            .count()
    };
    let told = Outcome::WORST_FIRST
        .iter()
        .rev()
        .map(|outcome| format!("{} {outcome}", count(*outcome)));
    told.collect::<Vec<_>>().join(", ")
}

fn end(outcome: Outcome, way: &str, night: &Night) -> Markup {
    let told = format!("{outcome}, {}", when(night));
    html! { a.pill.(outcome.as_str()) href=(format!("{way}/report.html")) title=(told) aria-label=(told) { (sign(outcome)) } }
}

/// Lists the nights, the latest first, since readers mostly look for the last night.
fn list(nights: &[Night]) -> Markup {
    html! {
        div.wide-table { table {
            thead { tr { th { "" } th { "began" } th { "what" } th { "outcome" } th { "why" } } }
            tbody { @for night in nights.iter().rev() {
                @let verdict = night.record.verdict();
                tr {
                    td { (end(night.outcome, &night.way, night)) }
                    td { a href=(format!("{}/report.html", night.way)) { (when(night)) } }
                    td { (night.record.title()) }
                    td { (night.outcome) }
                    td { (verdict.reasons.first().map_or("", String::as_str)) }
                }
            } }
        } }
    }
}

fn matrix(title: &str, nights: &[Night], courses: &[Course]) -> Markup {
    let kept = |course: &Course| {
        let known = course.ends.iter().flatten();
        let (passed, all) = known.fold((0, 0), |(passed, all), (outcome, _)| {
            (passed + usize::from(*outcome == Outcome::Pass), all + 1)
        });
        format!("{passed} of {all}")
    };
    html! {
        @if !courses.is_empty() {
            section {
                h2 { (title) }
                div.wide-table { table.matrix { tbody { @for course in courses {
                    tr {
                        td { (course.name) }
                        td { (kept(course)) }
                        @for (ended, night) in course.ends.iter().zip(nights) {
                            td.end { @if let Some((outcome, way)) = ended { (end(*outcome, way, night)) } }
                        }
                    }
                } } } }
            }
        }
    }
}

/// The figures of loads, night by night.
fn figures(nights: &[Night]) -> Markup {
    const SHOWN: [Percentile; 2] = [Percentile::P50, Percentile::P99];
    let measured = |night: &Night| {
        let hops = &night.record.measured.as_ref()?.hops;
        let samples = hops.samples(Hop::EndToEnd);
        let at = SHOWN.map(|percentile| {
            let is_sound = has_enough(samples, percentile);
            let told = samples.at(percentile).filter(|_| is_sound).map(Micros);
            told.map_or_else(|| "too few samples".to_owned(), |it| it.to_string())
        });
        let rows = hops
            .throughput()
            .map_or_else(String::new, |rows| format!("{rows:.0}"));
        Some((at, rows))
    };
    let told: Vec<_> = nights
        .iter()
        .rev()
        .filter_map(|night| Some((night, measured(night)?)))
        .collect();
    html! {
        @if !told.is_empty() {
            section {
                h2 { "Figures of loads" }
                div.wide-table { table {
                    thead { tr { th { "began" } th.figure { "end to end p50" } th.figure { "p99" } th.figure { "rows/s" } } }
                    tbody { @for (night, ([median, high], rows)) in &told {
                        tr {
                            td { a href=(format!("{}/report.html", night.way)) { (when(night)) } }
                            td.figure { (median) } td.figure { (high) } td.figure { (rows) }
                        }
                    } }
                } }
                p { "Whether a change is more than chance: " code { "edw compare" } "." }
            }
        }
    }
}

#[cfg(test)]
mod tests;
