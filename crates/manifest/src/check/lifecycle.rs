//! Relations between times, and probes that must reach the consumer.

use std::time::Duration;

use consumer::Listen;
use serde_json::Value;

use super::{Problem, Workload};
use crate::pod::Probe;

/// Time after the grace period in which a consumer hands messages back, for up to 3 s, and its process ends (`consumer --help`,
/// `--grace`).
const AFTER_GRACE: Duration = Duration::from_secs(5);

/// Kubernetes' default.
const DEFAULT_TERMINATION_GRACE_SECONDS: u64 = 30;

/// Azure's documented notice for Spot machines; the consumer polls for it every second.
const NOTICE: Duration = Duration::from_secs(30);

/// Time for a renewal, which may need a new connection: up to 5 s.
const RENEWAL: Duration = Duration::from_secs(5);

pub(super) fn check(workload: &Workload<'_>, problems: &mut Vec<Problem>) {
    times(workload, problems);
    probes(workload, problems);
}

fn times(workload: &Workload<'_>, problems: &mut Vec<Problem>) {
    let Some(args) = &workload.settings.args else {
        return;
    };
    let pod = &workload.deployment.spec.template.spec;
    let termination = pod
        .termination_grace_period_seconds
        .unwrap_or(DEFAULT_TERMINATION_GRACE_SECONDS);
    let drain = args.grace + AFTER_GRACE;
    if Duration::from_secs(termination) < drain {
        problems.push(workload.deployment.problem(
            "termination-shorter-than-drain",
            "spec.template.spec.terminationGracePeriodSeconds",
            format!(
                "{termination}: a drain takes up to {} s (EDW_GRACE, and {} s to end), and would be cut off; write at least \
                 that, or lower EDW_GRACE",
                drain.as_secs_f64(),
                AFTER_GRACE.as_secs()
            ),
        ));
    }
    if args.scheduled_events_endpoint.is_some() && drain > NOTICE {
        problems.push(workload.settings.problem(
            "drain-longer-than-notice",
            "EDW_GRACE",
            format!(
                "a drain takes up to {} s, and a Spot notice leaves {} s at best; write 25s or less",
                drain.as_secs_f64(),
                NOTICE.as_secs()
            ),
        ));
    }
    // The lease is renewed at half of its time, so the other half remains.
    let left = args.visibility / 2;
    if left < RENEWAL {
        problems.push(workload.settings.problem(
            "visibility-too-short",
            "EDW_VISIBILITY",
            format!(
                "leases are renewed at half of it, which leaves {} s, less than the {} s that one renewal may take; write \
                 10s or more",
                left.as_secs_f64(),
                RENEWAL.as_secs()
            ),
        ));
    }
}

fn probes(workload: &Workload<'_>, problems: &mut Vec<Problem>) {
    let served = match &workload.settings.args {
        Some(args) => args.listen,
        None => return,
    };
    let container = workload.container;
    for (name, field, probe, path) in [
        (
            "liveness-not-asked",
            "livenessProbe",
            &container.liveness_probe,
            "/livez",
        ),
        (
            "readiness-not-asked",
            "readinessProbe",
            &container.readiness_probe,
            "/readyz",
        ),
    ] {
        let asked = probe.as_ref().and_then(|probe| asks(workload, probe));
        let served = match served {
            Listen::At(address) => Some((address.port(), path.to_owned())),
            Listen::None => None,
        };
        if served.is_none() || asked != served {
            problems.push(workload.deployment.problem(
                name,
                workload.container_field(field),
                format!("get {path} from the port of EDW_LISTEN, and give EDW_LISTEN a port, such as 0.0.0.0:8080"),
            ));
        }
    }
}

/// The port and path of a probe.
fn asks(workload: &Workload<'_>, probe: &Probe) -> Option<(u16, String)> {
    let get = probe.http_get.as_ref()?;
    let port = match &get.port {
        Value::String(name) => {
            let mut ports = workload.container.ports.iter();
            ports.find(|port| port.name.as_ref() == Some(name))?.number
        }
        number => number.as_u64()?.try_into().ok()?,
    };
    Some((port, get.path.clone()))
}
