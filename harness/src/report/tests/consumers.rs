//! How consumers ended, as reports tell it.

use super::*;
use crate::events::Leeway;

#[test]
fn a_consumer_that_ends_unasked_fails_the_run_and_its_last_words_are_shown_whole() {
    let mut events = events(&good_rows());
    let consumers = (1..=5).flat_map(|n| {
        let name = format!("consumer-{n}");
        [
            Event::ProcessStarted {
                name: name.clone(),
                role: "consumer".into(),
                pid: Some(n),
            },
            Event::ProcessExited {
                name,
                pid: Some(n),
                status: "exit status: 3".into(),
                expected: n == 5,
                last_lines: (n != 5).then(|| HOSTILE.repeat(40)),
                restarted: false,
                end: None,
                cause: None,
            },
        ]
    });
    events.splice(2..2, consumers);
    let dir = logged(events);
    assert_eq!(shown(dir.path()), ["fail"; 5].map(String::from));
    let verdict = RunRecord::read(dir.path()).unwrap().verdict();
    assert_eq!(
        verdict.headline,
        "4 consumers did not end as asked, of 5 that were started one after another"
    );
    let promise = &promises(&RunRecord::read(dir.path()).unwrap())[11];
    assert_eq!(promise.found, "1 of 5");
    assert!(
        promise
            .detail
            .ends_with("consumer-3: exit status: 3, and 1 more")
    );
    let html = fs::read_to_string(dir.path().join("report.html")).unwrap();
    let escaped = "&lt;script&gt;alert(1)&lt;/script&gt; | `x` &amp; &quot;y&quot;";
    assert_eq!(html.matches(&escaped.repeat(40)).count(), 4);
}

#[test]
fn how_consumers_end_is_not_judged_where_their_description_leaves_it_open() {
    let told = |leeway: Vec<Leeway>, expected: bool| {
        let mut events = events(&good_rows());
        if let Event::RunStarted(started) = &mut events[0] {
            started.leeway = leeway;
        }
        let consumers = [("exit status: 1", true), ("signal: 15 (SIGTERM)", false)];
        for (status, restarted) in consumers {
            let name = status.to_owned();
            let started = Event::ProcessStarted {
                name: name.clone(),
                role: "consumer".into(),
                pid: None,
            };
            let exited = Event::ProcessExited {
                name,
                pid: None,
                status: status.into(),
                expected: restarted || expected,
                last_lines: None,
                restarted,
                end: None,
                cause: None,
            };
            events.splice(2..2, [started, exited]);
        }
        let dir = logged(events);
        let record = RunRecord::read(dir.path()).unwrap();
        let mut ends = promises(&record).into_iter();
        let ends = ends.find(|each| each.promised.starts_with("every consumer ends"));
        let open: Vec<_> = (unjudged(&record).into_iter())
            .flat_map(|each| each.promised)
            .filter(|promised| promised.contains("consumer ends"))
            .collect();
        (ends.map(|each| (each.found, each.outcome)), open)
    };
    let in_order = "every consumer ends when asked to, and in order".to_owned();
    let unasked = "no consumer ends unasked".to_owned();
    // A consumer that was restarted is not a consumer that was asked to end.
    let restart = told(vec![Leeway::Restart], true);
    let kept = ("1 of 1".to_owned(), Outcome::Pass);
    assert_eq!(restart, (Some(kept), vec![unasked.clone()]));
    let both = vec![Leeway::Restart, Leeway::Drain];
    assert_eq!(told(both.clone(), true), (None, vec![unasked, in_order]));
    // An end that no leeway covers is still a fault.
    let broken = ("0 of 1".to_owned(), Outcome::Fail);
    assert_eq!(
        told(both, false),
        (Some(broken), vec!["no consumer ends unasked".to_owned()])
    );
}
