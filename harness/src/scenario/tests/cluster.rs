//! Runs the scaling scenarios at pace 1 on a model of a cluster: the model of KEDA and the HPA with the settings of the base, a
//! load that is a fluid, and no process. The numbers of consumers and the deadlines in their sentences must hold on a cluster,
//! wherever in their periods the loops are when the load begins, and whether a consumer starts at once or waits for a node.

use std::time::Duration;

use autoscaler::{
    Arrivals, Phases, Rates, Series, Service, Settings, Start, Work, Workload, simulate,
};
use platform::Need;
use platform::autoscale::Scaling;
use producer::Shape;
use producer::schedule::Schedule;

use super::{cases, directory};
use crate::pace::Pace;
use crate::scenario::durations::{Rate, Time};
use crate::scenario::needs;
use crate::scenario::selection::Case;
use crate::scenario::tables::changes;

/// Times from the decision to a consumer at work: on a node that has the image, and on a node that is created for it ("nodes come
/// within 2 min").
const STARTS: [Duration; 3] = [
    Duration::from_secs(2),
    Duration::from_secs(15),
    Duration::from_secs(120),
];

/// The work of a message in loads that give none: the time of a few requests to storage.
const NO_WORK: Duration = Duration::from_millis(50);

/// Where in their periods the loops are when the load begins, in sixths.
const PHASES: [u32; 4] = [0, 1, 3, 5];

/// A scenario, as input of the model.
struct Stated {
    settings: Settings,
    grace: Duration,
    work: Work,
    in_flight: u32,
    sent: Vec<Duration>,
    promises: Vec<String>,
}

impl Stated {
    fn by(case: &Case) -> Self {
        let (mut changed, mut work) = (Vec::new(), NO_WORK);
        let (mut sent, mut promises) = (Vec::new(), Vec::new());
        for step in &case.steps {
            let sentence = step.value.as_str();
            if sentence.ends_with("settings but for these:") {
                changed = changes(step).unwrap();
            } else if let Some(time) = between(sentence, "each message takes ", " of work") {
                work = time.parse::<Time>().unwrap().0;
            } else if sentence.contains(" sent") {
                sent = offsets(sentence);
            } else if step.ty == cucumber::gherkin::StepType::Then {
                promises.push(sentence.to_owned());
            }
        }
        let base = directory("k8s/base");
        let scaling = Scaling::read(&base, &changed, Pace::PRODUCTION).unwrap();
        let variables = scaling.pod.variables(Pace::PRODUCTION);
        let concurrency = variables.iter().find(|(name, _)| name == "EDW_CONCURRENCY");
        let in_flight: u32 = concurrency.unwrap().1.parse().unwrap();
        Self {
            grace: scaling.pod.grace(Pace::PRODUCTION),
            settings: scaling.settings,
            work: Work::Fixed(work),
            in_flight,
            sent,
            promises,
        }
    }

    fn course(&self, poll: u32, sync: u32, start_delay: Duration) -> Series {
        let start = Start {
            age: Duration::from_secs(86_400),
            phases: Phases {
                poll: self.settings.polling_interval * poll / 6,
                sync: self.settings.controller.sync_period * sync / 6,
                second: Duration::from_millis(500),
            },
            ..Start::default()
        };
        let one = |at: &Duration| Rates {
            at: *at,
            burst: 1,
            per_second: 0.0,
        };
        let workload = Workload {
            arrivals: Arrivals::new(self.sent.iter().map(one)),
            service: Service {
                work: self.work,
                in_flight: self.in_flight,
                start_delay,
                grace: self.grace,
            },
        };
        simulate(
            &self.settings,
            &start,
            &workload,
            Duration::from_secs(3_600),
        )
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.strip_suffix(after)
}

/// The send times that a sentence gives.
fn offsets(sentence: &str) -> Vec<Duration> {
    let (messages, rest) = sentence.split_once(" message").unwrap();
    let rest = rest
        .trim_start_matches("s are sent")
        .trim_start_matches(" is sent");
    let shape: Shape = if rest == " at once" {
        Shape::Burst
    } else if let Some(waves) = rest.strip_prefix(", ") {
        let (size, every) = waves.split_once(" at once every ").unwrap();
        let every = every.parse::<Time>().unwrap().0.as_secs();
        format!("burst:{size}/{every}s").parse().unwrap()
    } else {
        let rates = rest.strip_prefix(" at a rate that falls from ").unwrap();
        let (from, rest) = rates.split_once(" to ").unwrap();
        let (to, over) = rest.split_once(" in ").unwrap();
        let rate = |text: &str| text.parse::<Rate>().unwrap().text();
        let over = over.parse::<Time>().unwrap().0.as_secs();
        format!("ramp:{}..{}:{over}s", rate(from), rate(to))
            .parse()
            .unwrap()
    };
    let messages = messages.parse().unwrap();
    Schedule::new(&shape, 1, Some(messages), None)
        .unwrap()
        .collect()
}

/// One course of a scenario, and how far its promises have been judged.
struct Course {
    series: Series,
    start_delay: Duration,
    /// When the last promise with a deadline was kept; the time of the next promise counts from there.
    now: Duration,
}

impl Course {
    fn kept(&mut self, promise: &str) -> Result<(), String> {
        let Some(timed) = promise.strip_prefix("within ") else {
            return self.holds(promise);
        };
        let words: Vec<_> = timed.splitn(3, ' ').collect();
        let deadline = self.now + words[..2].join(" ").parse::<Time>().unwrap().0;
        if let Some(left) = between(
            words[2],
            "no consumer comes, and the queue keeps its ",
            " messages",
        ) {
            let points = self.series.points.iter().filter(|it| it.at <= deadline);
            let all = points.into_iter().all(|it| {
                it.replicas == 0
                    && it.queue.visible + it.queue.leased == left.parse::<u64>().unwrap()
            });
            return all
                .then_some(())
                .ok_or_else(|| "a consumer came".to_owned());
        }
        let count = between(words[2], "there are ", " consumers").map(|it| it.parse().unwrap());
        let mut came = false;
        let found = self.series.points.iter().find(|it| {
            came |= it.replicas > 0;
            it.at >= self.now
                && match (words[2], count) {
                    (_, Some(count)) => (it.replicas, it.working) == (count, count),
                    ("the last consumer has gone", _) => came && it.replicas == 0,
                    ("every message has exactly one result", _) => it.empty_since.is_some(),
                    (other, _) => panic!("no judge for {other:?}"),
                }
        });
        let at = found.ok_or("it never does")?.at;
        if at > deadline {
            let (after, before) = (
                at.saturating_sub(self.now),
                deadline.saturating_sub(self.now),
            );
            return Err(format!("it takes {after:?}, more than {before:?}"));
        }
        self.now = at;
        Ok(())
    }

    /// Judges a promise without a deadline.
    fn holds(&self, promise: &str) -> Result<(), String> {
        let counts = self.series.replicas.counts();
        let most = counts.iter().copied().max().unwrap_or(0);
        let number = |before: &str, after: &str| -> Option<u32> {
            between(promise, before, after)?.parse().ok()
        };
        let holds = if let Some(limit) = number("there were never more than ", " consumers") {
            most == limit
        } else if let Some(limit) = number("there was never more than ", " consumer") {
            most == limit
        } else if let Some(cut) = number("at once ", " consumers were taken away") {
            let cuts = counts
                .windows(2)
                .map(|pair| pair[0].saturating_sub(pair[1]));
            cuts.max() == Some(cut)
        } else if let Some(limit) = number(
            "the number of consumers turned at most ",
            " time, between rising and falling",
        ) {
            let mut rises: Vec<_> = counts.windows(2).map(|pair| pair[0] < pair[1]).collect();
            rises.dedup();
            rises.len() <= limit as usize + 1
        } else if let Some(least) = number(
            "at least ",
            " consumers were taken away while they had work, and each ended by itself, with exit code 0",
        ) {
            let busy = self.series.points.iter().map(|it| it.ended_at_work);
            busy.sum::<f64>() >= f64::from(least)
        } else if promise.contains("at which the model has them") {
            // There must be work for all consumers as soon as they have started.
            let at = self.series.replicas.reached(15).unwrap() + self.start_delay;
            let point = self.series.points.iter().find(|it| it.at >= at).unwrap();
            point.queue.visible + point.queue.leased > 15 * 5
        } else {
            // The model allows every decision of its own.
            promise
                == "the number of consumers was always one that the model of KEDA and the HPA allows"
        };
        holds
            .then_some(())
            .ok_or_else(|| format!("the numbers are {counts:?}"))
    }
}

#[test]
fn what_scaling_scenarios_promise_holds_on_a_cluster() {
    let mut judged = 0;
    for case in cases() {
        let needs = needs::of_scenario(case.steps.iter(), std::iter::empty());
        if !needs.contains(&Need::Scaling) || needs.contains(&Need::Nodes) {
            continue;
        }
        let stated = Stated::by(&case);
        for (poll, sync) in PHASES
            .iter()
            .flat_map(|poll| PHASES.map(|sync| (*poll, sync)))
        {
            for start_delay in STARTS {
                let mut course = Course {
                    series: stated.course(poll, sync, start_delay),
                    start_delay,
                    now: stated.sent.last().copied().unwrap(),
                };
                for promise in &stated.promises {
                    if let Err(why) = course.kept(promise) {
                        let name = &case.name;
                        panic!(
                            "{name:?}: {promise:?}: {why} (phases {poll}/6 and {sync}/6, a consumer starts in {start_delay:?})"
                        );
                    }
                    judged += 1;
                }
            }
        }
    }
    assert!(judged > 1_000, "{judged}");
}
