//! The trigger types that KEDA has (KEDA `pkg/scaling/scalers_builder.go`, `buildScaler`).

use super::super::RefusedBy;

#[rustfmt::skip]
const KNOWN: [&str; 77] = [
    "activemq", "apache-kafka", "arangodb", "artemis-queue", "aws-cloudwatch", "aws-dynamodb",
    "aws-dynamodb-streams", "aws-kinesis-stream", "aws-sqs-queue", "azure-app-insights", "azure-blob",
    "azure-data-explorer", "azure-eventhub", "azure-log-analytics", "azure-monitor", "azure-pipelines",
    "azure-queue", "azure-servicebus", "beanstalkd", "cassandra", "couchdb", "cpu", "cron", "datadog",
    "dynatrace", "elastic-forecast", "elasticsearch", "etcd", "external", "external-mock", "external-push",
    "forgejo-runner", "gcp-cloudtasks", "gcp-pubsub", "gcp-stackdriver", "gcp-storage", "github-runner",
    "graphite", "huawei-cloudeye", "ibmmq", "influxdb", "kafka", "kubernetes-resource", "kubernetes-workload",
    "liiklus", "loki", "memory", "metrics-api", "mongodb", "mssql", "mysql", "nats-jetstream", "new-relic",
    "nsq", "opensearch", "openstack-metric", "openstack-swift", "postgresql", "predictkube", "prometheus",
    "pulsar", "rabbitmq", "redis", "redis-cluster", "redis-cluster-streams", "redis-sentinel",
    "redis-sentinel-streams", "redis-streams", "selenium-grid", "solace-direct-messaging", "solace-event-queue",
    "solarwinds", "solr", "splunk", "splunk-observability", "sumologic", "temporal",
];

/// The component that refuses a trigger of a type that is not modelled, and the reason.
pub(super) fn refusal(kind: &str) -> (RefusedBy, String) {
    if kind.is_empty() {
        return (RefusedBy::Schema, "is empty".to_owned());
    }
    if KNOWN.contains(&kind) {
        let reason = format!("is {kind:?}: the model knows azure-queue and cron");
        return (RefusedBy::Model, reason);
    }
    (
        RefusedBy::Keda,
        format!("is {kind:?}, which KEDA has no scaler for"),
    )
}
