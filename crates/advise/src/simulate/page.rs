//! `simulate.html`: one self-contained page in the style of the reports, without scripts and external resources.

use maud::{DOCTYPE, Markup, html};

use super::terminal::{cell, cost_note, phases, question, row_names, rows, without_range};
use super::{Forecast, Prospect};
use views::head;
use views::plot::{Line, Panel, over_time};

pub(super) fn page(answer: &Forecast) -> String {
    let sources: Vec<_> = answer
        .settings
        .iter()
        .map(|it| it.source.as_str())
        .collect();
    let title = format!("What {} would do", sources.join(" and "));
    let found: usize = answer.settings.iter().map(|it| it.findings.len()).sum();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(&title, ""))
            body.answer {
                header.band.answer {
                    div.inner {
                        p.about { "model of KEDA and the HPA, not the real ones" }
                        h1 {
                            span.word { "SIMULATED" }
                            span.headline { (title) }
                        }
                        p.about { (question(answer)) }
                    }
                }
                main {
                    (tiles(answer, found))
                    @for prospect in &answer.settings { (findings(answer, prospect)) }
                    @for prospect in &answer.settings { (course(answer, prospect)) }
                    (figures(answer))
                    (definitions())
                }
            }
        }
    };
    page.into_string()
}

fn tiles(answer: &Forecast, found: usize) -> Markup {
    const SHOWN: [&str; 5] = [
        "time to full scale",
        "time to drain",
        "messages stranded",
        "thrash",
        "cost on Spot",
    ];
    let first = answer.settings.first().map(|it| rows(answer, it));
    let first = first.unwrap_or_default();
    html! {
        div.tiles {
            div.tile.(if found > 0 { "fail" } else { "pass" }) {
                div.figure { (found) }
                div.name { "findings" }
            }
            @for (name, figure) in first.iter().filter(|(name, _)| SHOWN.contains(name)) {
                div.tile {
                    // Without the range, which is in the table.
                    div.figure { (without_range(figure)) }
                    div.name { (name) }
                }
            }
        }
        @if let [first, _, ..] = answer.settings.as_slice() {
            p.faint { "These are of " (first.source) "; the table has both." }
        }
    }
}

fn heading(answer: &Forecast, prospect: &Prospect, what: &str) -> String {
    if answer.settings.len() > 1 {
        format!("{what}: {}", prospect.source)
    } else {
        what.to_owned()
    }
}

fn findings(answer: &Forecast, prospect: &Prospect) -> Markup {
    html! {
        section {
            h2 { (heading(answer, prospect, "Found")) }
            @if prospect.findings.is_empty() {
                p { "Nothing that lets messages wait, ends work, or takes away replicas that are needed again, under this load." }
            }
            @for finding in &prospect.findings {
                div.finding {
                    p.kind { strong { (finding.name) } " " code { (finding.field) } }
                    p { (finding.reason) "." }
                    p { strong { "To mend it: " } (finding.mend) "." }
                }
            }
            @if let Some(cut) = &prospect.cut {
                p { (cut) "." }
            }
            @if !prospect.warnings.is_empty() {
                h3 { "Doubtful, whatever the load" }
            }
            @for warning in &prospect.warnings {
                p.remark { (warning) }
            }
        }
    }
}

fn course(answer: &Forecast, prospect: &Prospect) -> Markup {
    let band = |range: &[(f64, f64)]| answer.show_band.then(|| range.to_vec());
    let panels = [
        Panel {
            title: format!("replicas, at most {}", prospect.max_replicas),
            line: Line {
                name: "replicas",
                class: "consumers",
                points: stepped(&prospect.replicas, answer.horizon_s),
            },
            band: band(&prospect.replicas_possible),
        },
        Panel {
            title: "messages in the queue, visible and leased".to_owned(),
            line: Line {
                name: "messages",
                class: "depth",
                points: prospect.messages.clone(),
            },
            band: band(&prospect.messages_possible),
        },
    ];
    html! {
        section.over-time {
            h2 { (heading(answer, prospect, "Over time")) }
            (over_time(answer.horizon_s, &panels))
            @if answer.show_band {
                p.faint { "Shaded: what is possible in other phases." }
            }
        }
    }
}

/// Points of a count that is valid until the next one, and at last until the horizon.
fn stepped(steps: &[(f64, u32)], horizon: f64) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::with_capacity(steps.len() * 2 + 1);
    for &(at, value) in steps {
        if let Some((_, before)) = points.last().copied() {
            points.push((at, before));
        }
        points.push((at, value.into()));
    }
    if let Some((_, last)) = points.last().copied() {
        points.push((horizon, last));
    }
    points
}

fn figures(answer: &Forecast) -> Markup {
    let columns: Vec<_> = answer.settings.iter().map(|it| rows(answer, it)).collect();
    html! {
        section {
            h2 { "Figures" }
            table {
                thead { tr {
                    th { "Of the time simulated" }
                    @for prospect in &answer.settings { th.figure { (prospect.source) } }
                } }
                tbody {
                    @for name in row_names(answer) {
                        tr {
                            td { (name) }
                            @for column in &columns {
                                td.figure { (cell(column, name)) }
                            }
                        }
                    }
                }
            }
            p.faint { (phases(answer)) }
            @for prospect in &answer.settings {
                p.faint { (heading(answer, prospect, "Nodes")) ". " (cost_note(prospect)) }
            }
        }
    }
}

fn definitions() -> Markup {
    html! {
        section {
            h2 { "What the figures are" }
            dl {
                dt { "time to full scale" } dd { "from the first message until maxReplicaCount replicas work for the first time" }
                dt { "time to drain" } dd { "from the last message until none is left; a load that goes on has none" }
                dt { "longest wait" } dd { "of a message, from when it came until a replica took it" }
                dt { "messages left" } dd { "at the end, visible and leased" }
                dt { "messages stranded" } dd { "at the end, with no replica, and too few to be active: they stay until others come" }
                dt { "replicas" } dd { "of a ScaledJob, its jobs that are not finished" }
                dt { "jobs in vain" } dd { "jobs that found no message when they had started: others had taken it" }
                dt { "finished jobs kept" } dd { "by successfulJobsHistoryLimit, at the end" }
                dt { "thrash" } dd { "scale-outs within 5 minutes of a scale-in, the first after each" }
                dt { "ended with work in flight" } dd { "replicas taken away while they worked on messages, the newest first" }
                dt { "not done in their grace" } dd { "messages of those replicas that were not done when the grace was over: the work is lost, and begun anew by another replica" }
                dt { "node-hours" } dd { "replicas fill one node after the other; a node stays for a while when it is no longer needed" }
            }
            p.faint {
                "Messages are amounts in the model: right for backlogs and replicas, silent about single messages. A cluster has what \
                 the model has not: nodes that take minutes to come, evictions, throttled storage."
            }
        }
    }
}
