//! Files of people and other programs.

use std::path::Path;

use autoscaler::ScaledObject;
use harness::manifest::Manifests;
use harness::scenario::check_feature;
use producer::schedule::trace;

use crate::text;

/// A trace of arrivals.
pub(crate) fn trace(input: &[u8]) {
    match trace::parse(Path::new("trace.csv"), input) {
        Ok(arrivals) => assert!(!arrivals.is_empty() && arrivals.is_sorted()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A feature file: each problem names a line of it.
pub(crate) fn feature(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let Ok(lint) = check_feature(Path::new("a.feature"), text) else {
        return;
    };
    for problem in &lint.problems {
        assert!(problem.line >= 1, "{problem}");
    }
}

/// Kubernetes manifests, with the checks of their problems; a ScaledObject is also read by the model of the autoscaler.
pub(crate) fn manifest(input: &[u8]) {
    let Some(text) = text(input) else { return };
    if let Ok(documents) = harness::manifest::parse("a.yaml", text)
        && let Ok(manifests) = Manifests::from_documents(&documents)
    {
        for problem in harness::manifest::check(&manifests) {
            assert!(!problem.to_string().is_empty());
        }
    }
    let Ok(object) = serde_saphyr::from_str::<ScaledObject>(text) else {
        return;
    };
    match object.settings() {
        Ok(settings) => drop(settings.warnings()),
        Err(refusals) => assert!(!refusals.to_string().is_empty()),
    }
}

/// A document of Scheduled Events.
pub(crate) fn scheduled_events(input: &[u8]) {
    let Some(text) = text(input) else { return };
    for node in [None, Some("aks-spot-x7f2k"), Some("aks-pool00000a")] {
        let announced = consumer::announces_eviction(text, node);
        // A consumer that does not know its node drains at the eviction of any node.
        if announced.is_ok_and(|announced| announced) {
            let any = consumer::announces_eviction(text, None);
            assert!(any.is_ok_and(|announced| announced));
        }
    }
}
