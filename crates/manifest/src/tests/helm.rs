//! What Helm prints besides manifests.

use crate::parse;

const OBJECT: &str = "---\n# Source: orders/templates/map.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

/// Source: Helm `cmd/helm/status.go`, `statusPrinter.WriteTable`; `cmd/helm/root.go`, `debug`.
#[test]
fn what_helm_prints_around_manifests_is_told() {
    let log = "install.go:194: [debug] Original chart version: \"\"\ninstall.go:211: [debug] CHART PATH: /charts/orders\n\n";
    let status = "NAME: orders\nLAST DEPLOYED: Mon Nov 30 10:00:00 2026\nSTATUS: pending-install\nHOOKS:\nMANIFEST:\n";
    let notes = "\nNOTES:\n1. Get the URL:\n  export POD_NAME=$(kubectl get pods)\n";
    let levels = "level=DEBUG msg=\"Original chart version\" version=\"\"\n";
    for (text, words) in [
        (
            format!("{status}{OBJECT}{notes}"),
            "the status of the release",
        ),
        (format!("{status}{OBJECT}"), "the status of the release"),
        (
            format!("{log}{status}{OBJECT}{notes}"),
            "the status of the release",
        ),
        (format!("{log}{OBJECT}"), "the log of helm --debug"),
        (format!("{levels}{OBJECT}"), "the log of helm --debug"),
    ] {
        let told = parse("a.yaml", &text).unwrap_err().to_string();
        assert!(told.contains(words), "{text}: {told}");
        assert!(
            told.contains("helm template CHART | harness simulate -"),
            "{told}"
        );
    }
    assert_eq!(parse("a.yaml", OBJECT).unwrap().len(), 1);
    let map = format!("{OBJECT}data:\n  log: |\n    install.go:1: [debug] a\n    MANIFEST:\n");
    assert_eq!(parse("a.yaml", &map).unwrap().len(), 1);
}
