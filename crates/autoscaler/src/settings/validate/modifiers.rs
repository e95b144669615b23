//! `spec.advanced.scalingModifiers`: a formula over the triggers.

use super::super::manifest::{ScalingModifiers, Spec};
use super::super::{Modifiers, Refusal, RefusedBy, Settings};
use super::Check;
use crate::Formula;
use crate::formula::ParseError;
use crate::scaler::from_units;

/// The text, unless it is absent or empty.
fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// Whether there is a formula: only then may a fallback refer to it (KEDA `scaledobject_webhook.go`, `verifyScaledObjects`).
pub(super) fn has_formula(spec: &Spec) -> bool {
    let advanced = spec.advanced.as_ref();
    let modifiers = advanced.and_then(|it| it.scaling_modifiers.as_ref());
    modifiers.is_some_and(|it| given(it.formula.as_ref()).is_some())
}

impl Check {
    /// KEDA `scaledobject_types.go`, `IsUsingModifiers`; `scaledobject_webhook.go`, `ValidateAndCompileScalingModifiers`;
    /// `scale_handler.go`, `getScaledObjectState`, which parses the activation target.
    pub(super) fn modifiers(
        &mut self,
        modifiers: &ScalingModifiers,
        settings: &Settings,
    ) -> Option<Modifiers> {
        let field = |name: &str| format!("spec.advanced.scalingModifiers.{name}");
        let keda = RefusedBy::Keda;
        let (formula, target) = (
            given(modifiers.formula.as_ref()),
            given(modifiers.target.as_ref()),
        );
        let activation = given(modifiers.activation_target.as_ref());
        let kind = given(modifiers.metric_type.as_ref());
        if [formula, target, activation, kind]
            .iter()
            .all(Option::is_none)
        {
            return None;
        }
        match kind {
            None | Some("AverageValue") => {}
            Some("Value") => {
                let reason =
                    "is Value, which counts replicas that are ready: the model knows AverageValue";
                self.refuse(RefusedBy::Model, field("metricType"), reason);
            }
            Some(other) => {
                let reason = format!("is {other:?}, must be AverageValue or Value");
                self.refuse(RefusedBy::Schema, field("metricType"), reason);
            }
        }
        let activation_target = activation.map_or(Some(0.0), |text| text.parse::<f64>().ok());
        if activation_target.is_none() {
            let text = activation.unwrap_or_default();
            let reason = format!("is {text:?}, must be a number in quotes");
            self.refuse(keda, field("activationTarget"), reason);
        }
        let value = target.and_then(|text| text.parse::<f64>().ok());
        let value = value.filter(|value| *value > 0.0 && value.is_finite());
        match (target, value) {
            (None, _) => self.refuse(keda, field("target"), "is missing: a formula needs one"),
            (Some(text), None) => {
                let reason = format!("is {text:?}, must be a number over 0 in quotes");
                self.refuse(keda, field("target"), reason);
            }
            (Some(text), Some(value)) if from_units(value) <= 0 => {
                // A number that is too large becomes negative (`from_units`).
                let reason = format!(
                    "is {text:?}, must be 0.001 or more, and a number that a queue can reach"
                );
                self.refuse(RefusedBy::Hpa, field("target"), reason);
            }
            _ => {}
        }
        let Some(text) = formula else {
            self.refuse(keda, field("formula"), "is missing");
            return None;
        };
        Some(Modifiers {
            formula: self.formula(text, settings)?,
            target: value?,
            activation_target: activation_target?,
            whole_target: target?.parse::<i64>().is_ok(),
        })
    }

    fn formula(&mut self, text: &str, settings: &Settings) -> Option<Formula> {
        // The formula may name a trigger that was refused.
        let of_triggers = |refusal: &Refusal| refusal.field.starts_with("spec.triggers");
        if self.refusals.iter().any(of_triggers) {
            return None;
        }
        let others = settings.others.iter().map(|it| it.name.as_deref());
        let names: Vec<_> = std::iter::once(settings.trigger_name.as_deref())
            .chain(others)
            .collect();
        let (by, reason) = match Formula::parse(text, &names) {
            Ok(formula) => return Some(formula),
            Err(ParseError::Wrong(reason)) => (RefusedBy::Keda, reason),
            Err(ParseError::Unknown(what)) => (
                RefusedBy::Model,
                format!("uses {what}: docs/SCALING.md lists what the model knows of formulas"),
            ),
        };
        let field = "spec.advanced.scalingModifiers.formula";
        self.refuse(by, field, reason);
        None
    }
}
