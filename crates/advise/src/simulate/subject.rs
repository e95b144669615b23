//! The subject of the question: a ScaledObject or a ScaledJob, and its manifests' settings of the replicas.

mod hosts;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use autoscaler::manifest::{JobSpec, Spec};
use autoscaler::{JobSettings, Reads, Refusals, Settings};
use manifest::pod::Container;
use manifest::pod::Deployment;
use manifest::{
    Asked, Item, ManifestError, Manifests, Problem, check, check_job, foreign, named, quantity,
    read_apart,
};

use super::SimulateArgs;
use super::prices::Requests;

/// The problem that occurs if the scale target is not among the given files.
const NO_TARGET: &str = "scale-target-unknown";
const NO_AUTHENTICATION: &str = "trigger-authentication-unknown";

/// Reason why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// The manifests are unreadable, or have a field that no API server accepts.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// There is no object, or not the requested one.
    #[error("find {wanted} in {path}, which has {found}")]
    NoSuch {
        /// The requested object.
        wanted: String,
        /// The path.
        path: PathBuf,
        /// The existing objects.
        found: String,
    },
    /// The file belongs to another tool.
    #[error("find a ScaledObject or a ScaledJob in {path}: {what}")]
    Foreign {
        /// The path.
        path: PathBuf,
        /// The kind of file, and what to do.
        what: &'static str,
    },
    /// There are several objects.
    #[error("choose one of {path}: it has {found}; {to_do}")]
    Several {
        /// The path.
        path: PathBuf,
        /// The existing objects.
        found: String,
        /// How to choose one.
        to_do: &'static str,
    },
    /// Required information is missing.
    #[error("simulate {object} of {path}: {missing}")]
    Missing {
        /// Kind and name.
        object: String,
        /// The path.
        path: PathBuf,
        /// The missing information.
        missing: &'static str,
    },
    /// A cluster would refuse the object, or scale nothing with it.
    #[error("simulate {object} of {path}, which is refused:\n{refusals}")]
    Refused {
        /// Kind and name.
        object: String,
        /// The path.
        path: PathBuf,
        /// Each refusal with its field and reason.
        refusals: Refusals,
    },
}

/// How a workload is scaled.
#[derive(Debug, Clone)]
pub(super) enum Scaled {
    /// By a ScaledObject.
    Object(Box<Settings>),
    /// By a ScaledJob.
    Job(Box<JobSettings>),
}

impl Scaled {
    /// The object's kind.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Object(_) => "ScaledObject",
            Self::Job(_) => "ScaledJob",
        }
    }

    /// Names and periods of the loops that poll and sync.
    pub(super) fn loops(&self) -> Vec<(&'static str, Duration)> {
        const POLLS: &str = "polls of KEDA";
        match self {
            Self::Object(settings) => vec![
                ("syncs of the HPA", settings.controller.sync_period),
                (POLLS, settings.polling_interval),
            ],
            Self::Job(settings) => vec![(POLLS, settings.polling_interval)],
        }
    }

    fn has_cron(&self) -> bool {
        match self {
            Self::Object(settings) => settings.has_cron(),
            Self::Job(settings) => {
                let mut triggers = settings.triggers.iter();
                triggers.any(|reads| matches!(reads, Reads::Cron(_)))
            }
        }
    }
}

/// The subject of the question.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// Its path, as the user gave it.
    pub(super) source: String,
    /// The name of the ScaledObject or ScaledJob.
    pub(super) name: String,
    pub(super) settings: Scaled,
    /// Messages that one replica works on at the same time, if its manifest says it; for a job, 1.
    pub(super) concurrency: Option<u32>,
    /// Messages for each of which a replica is wanted.
    pub(super) queue_length: u32,
    /// The requests of one pod; `None`: there is no Deployment.
    pub(super) requests: Option<Requests>,
    /// Highest number of new pods per node by spread constraints and anti-affinity; `None`: as many as fit.
    pub(super) spread: Option<u32>,
    /// The Deployment's `replicas`, 1 if not set; `None`: there is no Deployment.
    pub(super) replicas: Option<u32>,
    /// `terminationGracePeriodSeconds`, 30 s if not set; `None`: there is no Deployment.
    pub(super) grace: Option<Duration>,
    /// Warnings about the settings and their manifests.
    pub(super) warnings: Vec<String>,
}

impl Subject {
    /// Reads the object that the flags name, or the only one, of a file or a kustomization.
    pub(super) fn read(path: &Path, args: &SimulateArgs) -> Result<Self, SubjectError> {
        let reading = read_apart(path)?;
        if let Some(what) = foreign(&reading.documents) {
            let path = path.to_owned();
            return Err(SubjectError::Foreign { path, what });
        }
        let only = args.scaled_object.clone().or_else(|| reading.only_scaled());
        let (manifests, left_out) = match only {
            Some(name) => Manifests::about(reading, &name)?,
            None => (Manifests::from_documents(&reading.whole()?)?, Vec::new()),
        };
        let asked = Asked {
            queue: args.queue.clone(),
            waiting: args.waiting.iter().cloned().collect(),
        };
        let mut subject = match chosen(path, &manifests, args.scaled_object.as_deref())? {
            Chosen::Object(scaled) => Self::of_object(path, &manifests, scaled, &asked)?,
            Chosen::Job(scaled) => Self::of_job(path, &manifests, scaled, &asked)?,
        };
        subject.warnings.extend(left_out);
        let missing = if subject.settings.has_cron() && args.at.is_none() {
            "it has a cron trigger, which goes by the clock; give the time when the load begins, such as \
             --at 2026-11-30T07:55:00+01:00"
        } else if matches!(subject.settings, Scaled::Job(_)) && args.in_flight.is_some() {
            "a job of the model takes one message after the other; leave --in-flight away"
        } else {
            return Ok(subject);
        };
        Err(SubjectError::Missing {
            object: format!("{}/{}", subject.settings.kind(), subject.name),
            path: path.to_owned(),
            missing,
        })
    }

    fn of_object(
        path: &Path,
        manifests: &Manifests,
        scaled: &Item<Spec>,
        asked: &Asked,
    ) -> Result<Self, SubjectError> {
        let settings = manifests.settings_asked(scaled, asked);
        let settings = settings.map_err(|refusals| refused(path, scaled, refusals))?;
        let target = manifests.target(scaled);
        let queue_length = u32::try_from(settings.queue_length).unwrap_or(u32::MAX);
        Ok(Self {
            source: named(path),
            name: scaled.metadata.name.clone(),
            concurrency: concurrency(manifests, scaled),
            queue_length,
            requests: target.and_then(|it| requests(&it.spec.template.spec.containers)),
            spread: target.and_then(|it| hosts::most_on_one(manifests, it)),
            replicas: target.map(|it| it.spec.replicas.unwrap_or(1)),
            grace: target.map(grace),
            warnings: warnings(manifests, scaled, &settings),
            settings: Scaled::Object(Box::new(settings)),
        })
    }

    fn of_job(
        path: &Path,
        manifests: &Manifests,
        scaled: &Item<JobSpec>,
        asked: &Asked,
    ) -> Result<Self, SubjectError> {
        let settings = manifests.job_settings(scaled, asked);
        let settings = settings.map_err(|refusals| refused(path, scaled, refusals))?;
        let target = manifests.job_target(scaled);
        let warnings = scaled.unheeded().into_iter();
        let mut warnings: Vec<_> = warnings.map(|it| it.to_string()).collect();
        if !manifests.authentications.is_empty() {
            warnings.extend(check_job(scaled, manifests).iter().map(told));
        }
        Ok(Self {
            source: named(path),
            name: scaled.metadata.name.clone(),
            concurrency: Some(1),
            queue_length: 1,
            requests: target.and_then(|it| requests(it.containers())),
            spread: None,
            replicas: None,
            grace: None,
            warnings,
            settings: Scaled::Job(Box::new(settings)),
        })
    }
}

fn refused<T>(path: &Path, scaled: &Item<T>, refusals: Refusals) -> SubjectError {
    SubjectError::Refused {
        object: scaled.object(),
        path: path.to_owned(),
        refusals,
    }
}

#[derive(Clone, Copy)]
enum Chosen<'a> {
    Object(&'a Item<Spec>),
    Job(&'a Item<JobSpec>),
}

impl Chosen<'_> {
    fn name(self) -> String {
        match self {
            Self::Object(item) => item.metadata.name.clone(),
            Self::Job(item) => item.metadata.name.clone(),
        }
    }
}

fn chosen<'a>(
    path: &Path,
    manifests: &'a Manifests,
    name: Option<&str>,
) -> Result<Chosen<'a>, SubjectError> {
    let objects = manifests.scaled_objects.iter().map(Chosen::Object);
    let all: Vec<_> = objects
        .chain(manifests.scaled_jobs.iter().map(Chosen::Job))
        .collect();
    let found = || {
        let names: Vec<_> = all.iter().map(|it| it.name()).collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    let called = |name: &str| all.iter().filter(|it| it.name() == name).count();
    // The user can choose by name only if all names are different, otherwise by file.
    let several = |names: Vec<String>| {
        let distinct: BTreeSet<_> = names.iter().collect();
        let to_do = if distinct.len() == names.len() {
            "name one with --scaled-object"
        } else {
            "some have the same name: give the file that has only the one that is meant"
        };
        SubjectError::Several {
            path: path.to_owned(),
            found: names.join(", "),
            to_do,
        }
    };
    match (name, all.as_slice()) {
        (None, [only]) => Ok(*only),
        (None, [_, ..]) => Err(several(all.iter().map(|it| it.name()).collect())),
        (Some(name), _) if called(name) > 1 => Err(several(vec![name.to_owned(); called(name)])),
        (name, _) => {
            let mut named = all.iter().filter(|it| Some(it.name().as_str()) == name);
            let named = named.next().copied();
            named.ok_or_else(|| SubjectError::NoSuch {
                wanted: name.map_or("a ScaledObject or a ScaledJob".to_owned(), |name| {
                    format!("ScaledObject/{name} or ScaledJob/{name}")
                }),
                path: path.to_owned(),
                found: found(),
            })
        }
    }
}

/// The consumers' concurrency in their manifests.
fn concurrency(manifests: &Manifests, scaled: &Item<Spec>) -> Option<u32> {
    const VARIABLE: &str = "EDW_CONCURRENCY";
    let deployment = manifests.target(scaled)?;
    let container = deployment.spec.template.spec.containers.first()?;
    let own = container.env.iter().find(|it| it.name == VARIABLE);
    let own = own.and_then(|variable| variable.value.as_ref());
    let mut maps = container.env_from.iter().filter_map(|from| {
        let name = &from.config_map_ref.as_ref()?.name;
        let mut maps = manifests.config_maps.iter();
        maps.find(|map| map.metadata.name == *name)?
            .spec
            .get(VARIABLE)
    });
    let value = own.or_else(|| maps.next_back())?;
    value.parse().ok().filter(|count| *count > 0)
}

/// The sum over the pod's containers; `None` if a container has no requests, or an invalid quantity.
fn requests(containers: &[Container]) -> Option<Requests> {
    let mut sum = Requests::default();
    for container in containers {
        let asked = &container.resources.requests;
        if asked.is_empty() {
            return None;
        }
        let of = |name| match asked.get(name) {
            Some(value) => quantity(value),
            None => Some(0.0),
        };
        sum.cpu += of("cpu")?;
        sum.memory += of("memory")?;
    }
    Some(sum)
}

/// Kubernetes `pkg/apis/core/v1/defaults.go`, `SetDefaults_PodSpec`: 30 s.
fn grace(deployment: &Item<Deployment>) -> Duration {
    let pod = &deployment.spec.template.spec;
    Duration::from_secs(pod.termination_grace_period_seconds.unwrap_or(30))
}

/// The model's warnings and the broken relations; if both concern one field of the ScaledObject, only the relation, since it
/// says what to do.
fn warnings(manifests: &Manifests, scaled: &Item<Spec>, settings: &Settings) -> Vec<String> {
    let alone = manifests.deployments.is_empty();
    let unkeyed = alone && manifests.authentications.is_empty();
    let says_nothing = |problem: &Problem| {
        (alone && problem.name == NO_TARGET) || (unkeyed && problem.name == NO_AUTHENTICATION)
    };
    let target = manifests.target(scaled).map(Item::object);
    // With several ScaledObjects, problems of the others are left out.
    let several = manifests.scaled_objects.len() > 1;
    let is_anothers = |problem: &Problem| {
        let object = &problem.object;
        let anothers = (object.starts_with("ScaledObject/") && *object != scaled.object())
            || (object.starts_with("Deployment/") && Some(object) != target.as_ref());
        several && anothers
    };
    let mut problems = check(manifests);
    problems.retain(|problem| !says_nothing(problem) && !is_anothers(problem));
    let warnings = scaled.unheeded().into_iter().chain(settings.warnings());
    let warnings = warnings.filter(|warning| {
        !problems.iter().any(|problem| {
            problem.object.starts_with("ScaledObject/") && problem.field.ends_with(&warning.field)
        })
    });
    let warnings = warnings.map(|warning| warning.to_string());
    warnings.chain(problems.iter().map(told)).collect()
}

fn told(problem: &Problem) -> String {
    format!("{} {}: {}", problem.object, problem.field, problem.advice)
}
