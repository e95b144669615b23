//! Work that is longer than the grace period, and changes that keep replicas while they work.

use std::time::Duration;

use autoscaler::{LengthStrategy, Settings, Work};

use super::trial::Change;
use super::{Case, Finding};
use crate::simulate::outlook::Question;
use views::clock;

/// A grace period that cuts off less than this share of the messages is long enough.
const RARE: f64 = 0.01;

/// That messages in work count, if they do not yet, and a grace period in which the work is done: each may mend more than a
/// longer window does, and costs less.
pub(super) fn kept_at_work(case: &Case<'_>) -> Vec<Change<Question>> {
    let (settings, service) = (&case.question.settings, &case.question.workload.service);
    let mut changes = Vec::new();
    if settings.strategy == LengthStrategy::VisibleOnly {
        let all = |it: &mut Settings| it.strategy = LengthStrategy::All;
        let change = Change::settings("write queueLengthStrategy: all", all);
        changes.push(change.of("queueLengthStrategy"));
    }
    if case.question.knows_work && service.work.longer_than(service.grace) >= RARE {
        let grace = long_enough(service.work);
        let words = format!(
            "give the Deployment terminationGracePeriodSeconds: {}",
            grace.as_secs()
        );
        changes.push(Change::grace(words, grace).of("terminationGracePeriodSeconds"));
    }
    changes
}

/// Work that takes longer than the grace period, whatever ends the replica; unless how long it takes is a guess.
pub(super) fn short_grace(case: &Case<'_>) -> Option<Finding> {
    let service = &case.question.workload.service;
    let longer = service.work.longer_than(service.grace);
    if longer < RARE || !case.question.knows_work {
        return None;
    }
    let seconds = service.grace.as_secs();
    let share = if longer > 0.995 {
        "each message takes".to_owned()
    } else {
        format!("{:.0} % of the messages take", longer * 100.0)
    };
    let than = match service.work {
        Work::Fixed(time) => clock::words(time),
        _ => format!("more than {}", clock::words(service.grace)),
    };
    let needed = long_enough(service.work).as_secs();
    Some(Finding {
        name: "grace-shorter-than-work",
        field: "Deployment spec.template.spec.terminationGracePeriodSeconds".to_owned(),
        reason: format!(
            "{seconds} s, and {share} {than}: a replica that is told to end, by a scale-in, a rolling update or a node that goes, \
             has no time to end what it works on; another replica begins it anew"
        ),
        mend: format!(
            "write {needed}, or split the work; a Spot node that is taken back gives less whatever is written here"
        ),
    })
}

/// A grace period in which nearly all work is finished, with some seconds to spare.
fn long_enough(work: Work) -> Duration {
    let longest = work.longest().unwrap_or_else(|| work.mean() * 5);
    Duration::from_secs(longest.as_secs().saturating_add(5))
}
