//! Tables of steps: settings that are changed, and limits. What is wrong with one is found before anything runs.

use std::collections::HashMap;
use std::fmt::Display;

use anyhow::{Context as _, bail, ensure};
use cucumber::gherkin::Step;

use super::durations::Time;
use crate::measure::LatencyLimit;
use crate::pace::Pace;

/// The rows of a step's table, which must have these columns and at least one row.
pub(super) fn rows<'a, const N: usize>(
    step: &'a Step,
    columns: [&str; N],
) -> anyhow::Result<Vec<[&'a str; N]>> {
    let table = step.table.as_ref().context("the step needs a table")?;
    let (header, rows) = table.rows.split_first().context("the table is empty")?;
    ensure!(
        header == &columns && !rows.is_empty(),
        "the table has the columns {columns:?}, in this order, and at least one row"
    );
    let cells =
        |row: &'a Vec<String>| std::array::from_fn(|at| row.get(at).map_or("", String::as_str));
    Ok(rows.iter().map(cells).collect())
}

/// The limits in a table with the columns `hop`, `percentile` and `limit`, in any order, converted to `pace`.
pub(super) fn limits(step: &Step, pace: Pace) -> anyhow::Result<Vec<LatencyLimit>> {
    let table = step
        .table
        .as_ref()
        .context("the step needs a table of limits")?;
    let (header, rows) = table
        .rows
        .split_first()
        .context("the table of limits is empty")?;
    ensure!(!rows.is_empty(), "the table of limits has no limit");
    rows.iter()
        .map(|row| {
            let cells: HashMap<_, _> = header.iter().map(String::as_str).zip(row).collect();
            let cell = |name: &str| {
                let missing = || {
                    let header = header.join(", ");
                    format!("the table of limits has no column {name}; it has {header}")
                };
                cells
                    .get(name)
                    .map(|text| text.as_str())
                    .with_context(missing)
            };
            let time: Time = cell("limit")?.parse().map_err(anyhow::Error::msg)?;
            ensure!(
                !time.0.is_zero(),
                "no message takes {}; write a limit above 0",
                cell("limit")?
            );
            Ok(LatencyLimit::new(
                cell("hop")?.parse()?,
                cell("percentile")?.parse()?,
                pace.time(time.0),
            ))
        })
        .collect()
}

/// The fields of the ScaledObject that a table of settings changes. Times in the table are those of a cluster, at any pace: the
/// pace divides the whole ScaledObject afterwards.
pub(super) fn changes(step: &Step) -> anyhow::Result<Vec<(String, String)>> {
    let rows = rows(step, ["setting", "value"])?.into_iter();
    rows.map(|[setting, value]| change(setting, value))
        .collect()
}

/// The field of the ScaledObject for the name of a setting, and its value.
fn change(setting: &str, value: &str) -> anyhow::Result<(String, String)> {
    let seconds = || {
        let time: Time = value.parse().map_err(anyhow::Error::msg)?;
        ensure!(
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
    ensure!(!is_none, "{setting} of {value}: write 1 or more");
    let (field, value) = match setting {
        "polling interval" => ("pollingInterval", seconds()?),
        "cooldown" => ("cooldownPeriod", seconds()?),
        "activation threshold" => ("activationQueueLength", number(" messages")?),
        "limit" => ("maxReplicaCount", number(" consumers")?),
        "scale-in window" => (SCALE_IN_WINDOW, seconds()?),
        "scaling policies" if value == "none" => ("advanced", value.to_owned()),
        _ => bail!("{}", unknown(setting, value)),
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
