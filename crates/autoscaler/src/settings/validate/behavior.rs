//! `spec.advanced`: the HPA's settings, checked as the API server checks the HPA.

use std::time::Duration;

use super::super::manifest::{self, Quantity};
use super::super::{Behavior, Policy, PolicyKind, RefusedBy, Rules, SelectPolicy};
use super::{Check, INT32_MAX};

impl Check {
    pub(super) fn advanced(&mut self, advanced: &manifest::Advanced) -> Option<Behavior> {
        let behavior = advanced
            .horizontal_pod_autoscaler_config
            .as_ref()?
            .behavior
            .as_ref()?;
        let field =
            |direction| format!("spec.advanced.horizontalPodAutoscalerConfig.behavior.{direction}");
        Some(Behavior {
            scale_up: self.rules(
                behavior.scale_up.as_ref(),
                Rules::default_up(),
                &field("scaleUp"),
            ),
            scale_down: self.rules(
                behavior.scale_down.as_ref(),
                Rules::default_down(),
                &field("scaleDown"),
            ),
        })
    }

    /// Kubernetes `pkg/apis/autoscaling/v2/defaults.go`, `copyHPAScalingRules`, and `validation.go`, `validateScalingRules`.
    /// KEDA's own encoding drops an empty list of policies (`omitempty`), so it counts as absent.
    fn rules(
        &mut self,
        given: Option<&manifest::ScalingRules>,
        mut rules: Rules,
        field: &str,
    ) -> Rules {
        let Some(given) = given else { return rules };
        let hpa = RefusedBy::Hpa;
        if let Some(seconds) = given.stabilization_window_seconds {
            let field = format!("{field}.stabilizationWindowSeconds");
            let seconds = self.number(hpa, &field, seconds, 0, 3_600);
            rules.stabilization_window = Some(Duration::from_secs(seconds.into()));
        }
        match given.select_policy.as_deref() {
            None => {}
            Some("Max") => rules.select_policy = SelectPolicy::Max,
            Some("Min") => rules.select_policy = SelectPolicy::Min,
            Some("Disabled") => rules.select_policy = SelectPolicy::Disabled,
            Some(other) => {
                let reason = format!("is {other:?}, must be Max, Min or Disabled");
                self.refuse(hpa, format!("{field}.selectPolicy"), reason);
            }
        }
        if let Some(tolerance) = &given.tolerance {
            rules.tolerance = self.tolerance(tolerance, &format!("{field}.tolerance"));
        }
        if let Some(policies) = given.policies.as_ref().filter(|it| !it.is_empty()) {
            let policies = policies.iter().enumerate();
            rules.policies = policies
                .map(|(n, policy)| self.policy(policy, &format!("{field}.policies[{n}]")))
                .collect();
        }
        rules
    }

    /// Kubernetes `validation.go`, `validateScalingPolicy`.
    fn policy(&mut self, policy: &manifest::ScalingPolicy, field: &str) -> Policy {
        let hpa = RefusedBy::Hpa;
        let kind = match policy.kind.as_str() {
            "Pods" => PolicyKind::Pods,
            "Percent" => PolicyKind::Percent,
            other => {
                let reason = format!("is {other:?}, must be Pods or Percent");
                self.refuse(hpa, format!("{field}.type"), reason);
                PolicyKind::Pods
            }
        };
        let period = self.number(
            hpa,
            &format!("{field}.periodSeconds"),
            policy.period_seconds,
            1,
            1_800,
        );
        Policy {
            kind,
            value: self.number(hpa, &format!("{field}.value"), policy.value, 1, INT32_MAX),
            period: Duration::from_secs(period.into()),
        }
    }

    fn tolerance(&mut self, quantity: &Quantity, field: &str) -> Option<f64> {
        let value = match quantity {
            Quantity::Number(number) => Some(*number),
            Quantity::Text(text) => match text.strip_suffix('m') {
                Some(milli) => milli.parse::<f64>().ok().map(|milli| milli / 1_000.0),
                None => text.parse().ok(),
            },
        };
        let value = value.filter(|value| value.is_finite() && *value >= 0.0);
        if value.is_none() {
            let reason =
                format!("is {quantity:?}, must be a number from 0 on, such as 0.05 or 50m");
            self.refuse(RefusedBy::Hpa, field, reason);
        }
        value
    }
}
