//! What the page says lies beside it, which sign each reason has, and in which queue a witness is.

use super::*;
use crate::audit::{Finding, Violation, Witness};

fn html(dir: &Path) -> String {
    fs::read_to_string(write(dir).unwrap().1.html).unwrap()
}

/// The sentence about the files beside the page.
fn beside(dir: &Path) -> String {
    let page = html(dir);
    let from = page
        .find("Evidence, beside this file: ")
        .expect("it must be told");
    let told = &page[from..];
    told[..told.find("</p>").unwrap()].to_owned()
}

#[test]
fn the_page_lists_only_files_that_are_there() {
    let whole = events(&good_rows());
    let killed = logged(whole[..2].to_vec());
    let of_log = "Evidence, beside this file: events.jsonl (everything here is derived from it)";
    assert_eq!(
        beside(killed.path()),
        format!("{of_log}, summary.md, summary.json, junit.xml.")
    );
    // A directory without a log in it is not there for a reader.
    let judged = logged(whole);
    fs::create_dir(judged.path().join("logs")).unwrap();
    assert_eq!(
        beside(judged.path()),
        format!(
            "{of_log}, summary.md, summary.json, junit.xml, latency.hlog, latency-*.hgrm, latency-*.csv."
        )
    );
    for name in ["history.jsonl", "producer.json", "logs/consumer-1.log"] {
        fs::write(judged.path().join(name), "").unwrap();
    }
    let told = beside(judged.path());
    let further = "history.jsonl (every request and its answer), producer.json, logs/ (the logs of the processes), ";
    assert!(told.starts_with(&format!("{of_log}, {further}")), "{told}");
}

/// A run that lost a message, and of which something else could not be told.
fn failed() -> Vec<Event> {
    let mut events = events(&good_rows()[1..]);
    for event in &mut events {
        if let Event::Audited(audit) = event {
            audit.fates.undecidable = 2;
            let witness = Witness {
                queue: Some("q2".to_owned()),
                ..Witness::new("r1-1", "nowhere")
            };
            audit.findings = vec![Finding {
                violation: Violation::Lost,
                count: 1,
                witnesses: vec![witness],
            }];
        }
    }
    events
}

#[test]
fn a_reason_that_could_not_be_told_has_its_own_sign_under_a_failure() {
    let dir = logged(failed());
    let (record, report) = write(dir.path()).unwrap();
    let verdict = record.verdict();
    let undecided = "2 sends have no known outcome and left nothing: never sent, or lost";
    let marked: Vec<_> = verdict.marked().collect();
    assert!(
        marked.contains(&(Outcome::Fail, "1 message lost (in q2)")),
        "{marked:?}"
    );
    assert!(
        marked.contains(&(Outcome::Inconclusive, undecided)),
        "{marked:?}"
    );
    let terminal = terminal(&record, false);
    assert!(
        terminal.contains("   \u{2717} 1 message lost (in q2)\n"),
        "{terminal}"
    );
    assert!(
        terminal.contains("   ? 2 sends have no known outcome"),
        "{terminal}"
    );
    let markdown = fs::read_to_string(report.markdown).unwrap();
    assert!(
        markdown.contains("\n- \u{2717} 1 message lost"),
        "{markdown}"
    );
    assert!(
        markdown.contains(&format!("\n- ? {undecided}")),
        "{markdown}"
    );
    let page = html(dir.path());
    let item = |outcome: &str, sign: &str, reason: &str| {
        format!(
            "<li><span class=\"pill {outcome}\" title=\"{outcome}\" aria-label=\"{outcome}\">{sign}</span> {reason}</li>"
        )
    };
    assert!(
        page.contains(&item("fail", "\u{2717}", "1 message lost (in q2)")),
        "{page}"
    );
    assert!(
        page.contains(&item("inconclusive", "?", undecided)),
        "{page}"
    );
}

#[test]
fn a_witness_of_a_run_with_several_queues_is_shown_with_its_queue() {
    let dir = logged(failed());
    let (record, _) = write(dir.path()).unwrap();
    let terminal = terminal(&record, false);
    assert!(
        terminal.contains("  r1-1 in queue q2: nowhere\n"),
        "{terminal}"
    );
    let page = html(dir.path());
    let told = "<code>r1-1</code> in queue <code>q2</code> nowhere";
    assert!(page.contains(told), "{page}");
}
