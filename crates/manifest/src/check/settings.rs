//! The consumer's settings: its own parser reads the values in the manifests.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use clap::builder::ArgAction;
use clap::{Args as _, FromArgMatches as _};

use super::Problem;
use crate::pod::{Container, Deployment};
use crate::{Item, Manifests};

const UNKNOWN: &str = "setting-unknown";
const UNKNOWN_ADVICE: &str =
    "the consumer has no such setting, and would not notice; `consumer --help` lists them";
const MAP_UNKNOWN: &str = "config-map-unknown";

/// Variables of the consumer's container.
pub(super) struct Settings {
    /// The parsed settings, if the consumer accepts them.
    pub(super) args: Option<consumer::Args>,
    /// The place where they are set.
    place: Place,
}

struct Place {
    file: String,
    object: String,
}

impl Settings {
    /// Makes a problem of the setting `variable`.
    pub(super) fn problem(&self, name: &'static str, variable: &str, advice: String) -> Problem {
        Problem {
            name,
            file: self.place.file.clone(),
            object: self.place.object.clone(),
            field: format!("data.{variable}"),
            advice,
        }
    }
}

/// Whether the container runs this project's consumer: by the name of its image, or by a setting that only this consumer has.
/// The consumer's parser cannot judge another program's environment.
fn is_consumer(container: &Container, manifests: &Manifests) -> bool {
    let image = container.image.rsplit('/').next().unwrap_or_default();
    let image = image.split([':', '@']).next().unwrap_or_default();
    let maps = container.env_from.iter().filter_map(|from| {
        let name = &from.config_map_ref.as_ref()?.name;
        let mut maps = manifests.config_maps.iter();
        maps.find(|map| map.metadata.name == *name)
    });
    let mapped = maps.flat_map(|map| map.spec.keys());
    let own = container.env.iter().map(|variable| &variable.name);
    image == "consumer" || own.chain(mapped).any(|name| name.starts_with("EDW_"))
}

/// Reads the settings, and reports variables that the consumer does not know and values that it refuses. Ignores other
/// programs.
pub(super) fn read(
    deployment: &Item<Deployment>,
    container: &Container,
    manifests: &Manifests,
    problems: &mut Vec<Problem>,
) -> Settings {
    let elsewhere = || Place {
        file: deployment.file.clone(),
        object: deployment.object(),
    };
    if !is_consumer(container, manifests) {
        let (args, place) = (None, elsewhere());
        return Settings { args, place };
    }
    let command = consumer::Args::augment_args(clap::Command::new("consumer"));
    let found = problems.len();
    let (mut variables, place) = mapped(&command, deployment, container, manifests, problems);
    let complete = !problems[found..]
        .iter()
        .any(|problem| problem.name == MAP_UNKNOWN);
    for variable in &container.env {
        if !knows(&command, &variable.name) {
            let field = format!("spec.template.spec.containers[{}].env", container.name);
            problems.push(deployment.problem(
                UNKNOWN,
                field,
                format!("{:?}: {UNKNOWN_ADVICE}", variable.name),
            ));
        }
        if let Some(value) = &variable.value {
            variables.insert(variable.name.clone(), value.clone());
        }
    }
    let place = place.unwrap_or_else(elsewhere);
    let args = match parse(command, &variables) {
        Ok(args) => Some(args),
        // Incomplete settings cannot be judged.
        Err(_) if !complete => None,
        Err(error) => {
            problems.push(Problem {
                name: "setting-refused",
                file: place.file.clone(),
                object: place.object.clone(),
                field: "data".to_owned(),
                advice: format!("the consumer would not start: {error}"),
            });
            None
        }
    };
    Settings { args, place }
}

/// The values in the container's `ConfigMap`s, and the last of these.
fn mapped(
    command: &clap::Command,
    deployment: &Item<Deployment>,
    container: &Container,
    manifests: &Manifests,
    problems: &mut Vec<Problem>,
) -> (BTreeMap<String, String>, Option<Place>) {
    let mut variables = BTreeMap::new();
    let mut place = None;
    for from in &container.env_from {
        let Some(reference) = &from.config_map_ref else {
            continue;
        };
        let mut maps = manifests.config_maps.iter();
        let Some(map) = maps.find(|map| map.metadata.name == reference.name) else {
            problems.push(deployment.problem(
                MAP_UNKNOWN,
                format!("spec.template.spec.containers[{}].envFrom", container.name),
                format!(
                    "there is no ConfigMap {:?} here; add it, or name the one that there is",
                    reference.name
                ),
            ));
            continue;
        };
        for variable in map.spec.keys().filter(|name| !knows(command, name)) {
            problems.push(map.problem(UNKNOWN, format!("data.{variable}"), UNKNOWN_ADVICE));
        }
        variables.extend(map.spec.clone());
        place = Some(Place {
            file: map.file.clone(),
            object: map.object(),
        });
    }
    (variables, place)
}

fn knows(command: &clap::Command, variable: &str) -> bool {
    let mut flags = command.get_arguments();
    flags.any(|flag| flag.get_env() == Some(OsStr::new(variable)))
}

/// Parses each variable as the flag that it stands for; nothing is inherited from this process.
fn parse(
    command: clap::Command,
    variables: &BTreeMap<String, String>,
) -> Result<consumer::Args, String> {
    let flag = |(variable, value): (&String, &String)| {
        let mut flags = command.get_arguments();
        let twin = flags.find(|flag| flag.get_env() == Some(OsStr::new(variable)))?;
        let flag = format!("--{}", twin.get_long()?);
        if !matches!(twin.get_action(), ArgAction::SetTrue) {
            return Some(format!("{flag}={value}"));
        }
        // The values that clap's `FalseyValueParser` reads as false.
        let falsey = ["", "n", "no", "f", "false", "off", "0"];
        (!falsey.contains(&value.to_lowercase().as_str())).then_some(flag)
    };
    let words: Vec<_> = std::iter::once("consumer".to_owned())
        .chain(variables.iter().filter_map(flag))
        .collect();
    command
        .mut_args(|flag| flag.env(None::<&'static str>))
        .try_get_matches_from(words)
        .and_then(|matches| consumer::Args::from_arg_matches(&matches))
        .map_err(|error| {
            let text = error.render().to_string();
            let text = text.trim_start_matches("error: ");
            text.split("\n\n").next().unwrap_or(text).to_owned()
        })
}
