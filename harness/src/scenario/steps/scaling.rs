//! Consumers whose number the autoscaler decides.

use std::fmt::Display;

use anyhow::Context as _;
use cucumber::gherkin::Step;
use cucumber::given;
use platform::autoscale::Scaling;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult};
use super::rows;

declare_needs!(Scaling);
#[given("no consumer, and the workload's own scaling settings")]
fn own(scenario: &mut Scenario) -> StepResult {
    scaled(scenario, &[])
}

/// The sentence of [`changed`].
pub(super) const CHANGED: &str =
    "no consumer, and the workload's own scaling settings but for these:";

declare_needs!(Scaling);
#[given("no consumer, and the workload's own scaling settings but for these:")]
fn changed(scenario: &mut Scenario, step: &Step) -> StepResult {
    scaled(scenario, &changes(step)?)
}

fn scaled(scenario: &mut Scenario, changes: &[(String, String)]) -> StepResult {
    let manifests = scenario.manifests()?;
    scenario.given.scaling = Some(Scaling::read(manifests, changes, scenario.pace)?);
    // Messages of other runs in the same storage would slow it down, and without answers from storage the autoscaler does nothing.
    scenario.given.own_storage = true;
    Ok(())
}

/// The fields of the ScaledObject that a table of settings changes. Times in the table are those of a cluster, at any pace: the
/// pace divides the whole ScaledObject afterwards.
pub(in crate::scenario) fn changes(step: &Step) -> anyhow::Result<Vec<(String, String)>> {
    let rows = rows(step, ["setting", "value"])?.into_iter();
    rows.map(|[setting, value]| change(setting, value))
        .collect()
}

/// The field of the ScaledObject for the name of a setting, and its value.
fn change(setting: &str, value: &str) -> anyhow::Result<(String, String)> {
    let seconds = || {
        let time: Time = value.parse().map_err(anyhow::Error::msg)?;
        anyhow::ensure!(
            time.0.subsec_nanos() == 0,
            "{setting} of {value}: a ScaledObject has whole seconds; write such a time"
        );
        anyhow::Ok(time.0.as_secs().to_string())
    };
    let number = |unit: &str| {
        let number = value.strip_suffix(unit).map(str::trim_end);
        let number = number.and_then(|number| number.parse::<u32>().ok());
        let number = number.with_context(|| format!("{value:?} is not a number of{unit}"))?;
        anyhow::Ok(number.to_string())
    };
    // A cooldown, a threshold or a window of 0 is valid; a polling interval or a limit of 0 is not.
    let is_none = value.starts_with("0 ") && ["polling interval", "limit"].contains(&setting);
    anyhow::ensure!(!is_none, "{setting} of {value}: write 1 or more");
    let (field, value) = match setting {
        "polling interval" => ("pollingInterval", seconds()?),
        "cooldown" => ("cooldownPeriod", seconds()?),
        "activation threshold" => ("activationQueueLength", number(" messages")?),
        "limit" => ("maxReplicaCount", number(" consumers")?),
        "scale-in window" => (SCALE_IN_WINDOW, seconds()?),
        "scaling policies" if value == "none" => ("advanced", value.to_owned()),
        _ => anyhow::bail!("{}", unknown(setting, value)),
    };
    Ok((field.to_owned(), value))
}

const SCALE_IN_WINDOW: &str =
    "advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.stabilizationWindowSeconds";

fn unknown(setting: &str, value: impl Display) -> String {
    format!(
        "{setting:?} is no setting with a value {value}; there are: polling interval (30 s), cooldown (10 s), activation \
         threshold (20 messages), limit (6 consumers), scale-in window (30 s), scaling policies (none)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_the_names_that_people_use_for_them() {
        for (setting, value, field, written) in [
            ("polling interval", "30 s", "pollingInterval", "30"),
            ("cooldown", "5 min", "cooldownPeriod", "300"),
            (
                "activation threshold",
                "20 messages",
                "activationQueueLength",
                "20",
            ),
            ("limit", "6 consumers", "maxReplicaCount", "6"),
            ("cooldown", "0 s", "cooldownPeriod", "0"),
            (
                "activation threshold",
                "0 messages",
                "activationQueueLength",
                "0",
            ),
            ("scale-in window", "30 s", SCALE_IN_WINDOW, "30"),
            ("scaling policies", "none", "advanced", "none"),
        ] {
            let expected = (field.to_owned(), written.to_owned());
            assert_eq!(change(setting, value).unwrap(), expected);
        }
        for (setting, value) in [
            ("cooldownPeriod", "10"),
            ("cooldown", "10"),
            ("limit", "6"),
            ("scaling policies", "some"),
            ("polling interval", "0 s"),
            ("polling interval", "0 min"),
            ("polling interval", "500 ms"),
            ("cooldown", "1500 ms"),
            ("limit", "0 consumers"),
        ] {
            assert!(change(setting, value).is_err(), "{setting} {value}");
        }
    }
}
