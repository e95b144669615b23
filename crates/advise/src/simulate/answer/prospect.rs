//! The results for one of the settings.

use std::time::Duration;

use autoscaler::{
    Arrivals, JobFigures, JobSettings, JobWorkload, Nodes, Reads, Service, Work, Workload,
};

use super::{Cost, JobOutcomes, Outcomes, Prospect, Range, cost};
use crate::simulate::SimulateArgs;
use crate::simulate::findings::{self, Found};
use crate::simulate::jobs::{JobOutlook, JobQuestion};
use crate::simulate::outlook::{AT_REST, Band, Outlook, Question};
use crate::simulate::prices::NodeSize;
use crate::simulate::subject::{Scaled, Subject};

/// Kubernetes' default of `terminationGracePeriodSeconds`.
const DEFAULT_GRACE: Duration = Duration::from_secs(30);
/// Most points of the likely course that are kept.
const POINTS: usize = 2_000;

impl Prospect {
    pub(super) fn new(
        args: &SimulateArgs,
        arrivals: &Arrivals,
        node: &NodeSize,
        subject: &Subject,
        (told, guess): (Option<u32>, u32),
    ) -> (Self, usize) {
        let in_flight = told.unwrap_or(guess);
        let knows_work = args.work.is_some() || told.is_some();
        let service = Service {
            work: args.work.unwrap_or_else(|| at_rate(args, in_flight)),
            in_flight,
            start_delay: args.start_delay,
            grace: args.grace.or(subject.grace).unwrap_or(DEFAULT_GRACE),
        };
        let fits = subject.requests.map(|requests| node.fits(requests));
        let spread = subject
            .spread
            .filter(|most| fits.is_some_and(|fits| *most < fits));
        let per_node = args.pods_per_node.or(spread).or(fits);
        let nodes = Nodes {
            replicas_per_node: per_node.unwrap_or(1),
            linger: args.node_linger,
        };
        let asked = ask(args, arrivals, (service, knows_work), nodes, subject);
        let outlook = &asked.outlook;
        let is_spread = args.pods_per_node.is_none() && spread.is_some();
        let replicas = outlook.replicas.steps().iter();
        let prospect = Self {
            source: subject.source.clone(),
            kind: subject.settings.kind(),
            scaled_object: subject.name.clone(),
            max_replicas: asked.max_replicas,
            in_flight,
            work: work_text(service.work),
            service_per_second: service.per_second(),
            grace_s: service.grace.as_secs_f64(),
            figures: Outcomes::of(outlook),
            jobs: asked.jobs,
            cost: per_node
                .map_or_else(unknown, |per_node| cost(outlook, node, per_node, is_spread)),
            findings: asked.found.findings,
            cut: asked.found.cut,
            warnings: subject.warnings.clone(),
            replicas: replicas
                .map(|step| (step.at.as_secs_f64(), step.replicas))
                .collect(),
            messages: thinned(&outlook.messages),
            replicas_possible: Band::filled(&outlook.band.replicas),
            messages_possible: Band::filled(&outlook.band.messages),
        };
        (prospect, outlook.runs.len())
    }
}

/// The model's results.
struct Asked {
    outlook: Outlook,
    found: Found,
    max_replicas: u32,
    jobs: Option<JobOutcomes>,
}

fn ask(
    args: &SimulateArgs,
    arrivals: &Arrivals,
    (service, knows_work): (Service, bool),
    nodes: Nodes,
    subject: &Subject,
) -> Asked {
    match &subject.settings {
        Scaled::Object(settings) => {
            let question = Question {
                settings: (**settings).clone(),
                workload: Workload {
                    arrivals: arrivals.clone(),
                    service,
                },
                knows_work,
                horizon: args.horizon,
                nodes,
                age: args.age.unwrap_or(AT_REST),
                target_replicas: subject.replicas,
                wall: args.at.unwrap_or_default(),
            };
            answered(&question, args.max_wait)
        }
        Scaled::Job(settings) => {
            let question = JobQuestion {
                workload: JobWorkload {
                    arrivals: arrivals.clone(),
                    start_delay: args.start_delay,
                    work: service.work,
                    messages_per_job: args.messages_per_job.unwrap_or(meant_for(settings)),
                },
                has_own_length: args.messages_per_job.is_some(),
                settings: (**settings).clone(),
                horizon: args.horizon,
                nodes,
                wall: args.at.unwrap_or_default(),
            };
            answered_for_jobs(&question, args.max_wait)
        }
    }
}

fn answered(question: &Question, max_wait: Duration) -> Asked {
    let outlook = Outlook::new(question);
    Asked {
        found: findings::of(question, &outlook, max_wait),
        outlook,
        max_replicas: question.settings.max_replica_count,
        jobs: None,
    }
}

fn answered_for_jobs(question: &JobQuestion, max_wait: Duration) -> Asked {
    let outlook = JobOutlook::new(question);
    let settings = &question.settings;
    let figure = |of: fn(&JobFigures) -> u64| {
        Range::over(&outlook.runs[0], &outlook.runs, |run| Some(of(run) as f64))
    };
    Asked {
        found: findings::of_job(question, &outlook, max_wait),
        max_replicas: settings.least().saturating_add(settings.most_besides()),
        jobs: Some(JobOutcomes {
            messages_per_job: question.workload.messages_per_job,
            jobs_made: figure(|run| run.made),
            jobs_in_vain: figure(|run| run.in_vain),
            jobs_kept: figure(|run| run.kept.into()),
        }),
        outlook: outlook.outlook,
    }
}

/// Messages per Job: `queueLength` of the main queue's trigger.
fn meant_for(settings: &JobSettings) -> u32 {
    let mut triggers = settings.triggers.iter();
    let asked = triggers.find_map(|reads| match reads {
        Reads::Queue(queue) if queue.elsewhere.is_none() => Some(queue.queue_length),
        _ => None,
    });
    let length = asked.and_then(|length| u32::try_from(length).ok());
    length.unwrap_or(1).max(1)
}

/// The same working time for all messages, from the rate and the number of messages at the same time.
fn at_rate(args: &SimulateArgs, in_flight: u32) -> Work {
    let seconds = f64::from(in_flight) / args.service_rate.hz();
    Work::Fixed(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// The form of `--work`.
fn work_text(work: Work) -> String {
    match work {
        Work::Fixed(time) => consumer::Work::Fixed(time),
        Work::Uniform(least, most) => consumer::Work::Uniform(least, most),
        Work::Exponential(mean) => consumer::Work::Exponential(mean),
    }
    .to_string()
}

fn unknown() -> Cost {
    Cost::Unknown {
        unknown: "how many replicas fit a node is not known: give --pods-per-node, or a kustomization whose Deployment has \
                  requests"
            .to_owned(),
    }
}

/// At most [`POINTS`] points: of several, the highest is kept, so that no peak is lost.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let each = points.len().div_ceil(POINTS).max(1);
    let highest = |chunk: &[(f64, f64)]| {
        chunk
            .iter()
            .copied()
            .reduce(|a, b| if b.1 > a.1 { b } else { a })
    };
    points.chunks(each).filter_map(highest).collect()
}
