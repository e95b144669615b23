//! Telemetry: logs on standard error, for people or for machines; spans over OTLP if that is built in and requested.

use std::io::{self, IsTerminal as _};

use clap::{Args, ValueEnum};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

/// The default log filter of producer and consumer. The Azure SDK's HTTP client logs each failed request at INFO, in an outage
/// one line for each poll; the workload's own events report the loss of storage once, and its return once.
pub const DEFAULT_FILTER: &str = "info,typespec_client_core=warn";

/// The format of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// One line an event, for a terminal.
    #[default]
    Human,
    /// One JSON object a line, for a log pipeline.
    Json,
}

/// The telemetry flags that every binary has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Telemetry")]
pub struct TelemetryArgs {
    /// Format of the logs on standard error
    #[arg(
        long,
        env = "EDW_LOG_FORMAT",
        value_enum,
        default_value_t,
        global = true
    )]
    pub log_format: LogFormat,
    /// Which events are logged: a level, or directives such as 'info,consumer=debug' [default: info; for the harness: warn]
    #[arg(long, env = "EDW_LOG", global = true, value_parser = parse_filter)]
    pub log: Option<String>,
}

/// Checks directives at parse time, so that a typing error is a usage error and not ignored.
fn parse_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

/// Reason why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `init` was called twice, or another subscriber is installed.
    #[error("install the log subscriber")]
    AlreadySet(#[source] tracing_subscriber::util::TryInitError),
    /// The OTLP exporter cannot be built from the `OTEL_*` variables.
    #[error("set up the OTLP exporter; check the OTEL_EXPORTER_OTLP_* variables")]
    Otlp(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Keeps telemetry active; flushes spans when dropped. Keep it until the process ends.
#[derive(Debug)]
#[must_use = "spans are flushed when this is dropped"]
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    provider: Option<opentelemetry_sdk::trace::SdkTracerProvider>,
}

impl TelemetryArgs {
    /// Starts logging with the flag's filter, or `unless_asked` without the flag, and exports spans of `service` if
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` is set and the `otlp` feature is built in.
    pub fn init(
        &self,
        service: &'static str,
        unless_asked: &str,
    ) -> Result<Telemetry, TelemetryError> {
        let filter = EnvFilter::new(self.log.as_deref().unwrap_or(unless_asked));
        let logs: Box<dyn Layer<Registry> + Send + Sync> = match self.log_format {
            LogFormat::Human => fmt::layer()
                .with_writer(io::stderr)
                .with_ansi(io::stderr().is_terminal())
                .with_target(false)
                .boxed(),
            LogFormat::Json => json_lines(io::stderr).boxed(),
        };
        let registry = tracing_subscriber::registry().with(logs.with_filter(filter));
        export(registry, service)
    }
}

/// Writes each event as a line of JSON, whose fields stand beside `level` and `message`: the logs of pods, which the harness reads.
pub fn json_lines<S, W>(writer: W) -> impl Layer<S> + Send + Sync
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    fmt::layer().json().flatten_event(true).with_writer(writer)
}

#[cfg(not(feature = "otlp"))]
fn export(
    registry: impl SubscriberInitExt,
    _service: &'static str,
) -> Result<Telemetry, TelemetryError> {
    registry.try_init().map_err(TelemetryError::AlreadySet)?;
    if std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_some() {
        tracing::warn!(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but this build has no OTLP: build with --features otlp"
        );
    }
    Ok(Telemetry {})
}

#[cfg(feature = "otlp")]
fn export<S>(registry: S, service: &'static str) -> Result<Telemetry, TelemetryError>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a> + Send + Sync,
{
    use opentelemetry::trace::TracerProvider as _;
    let provider = match std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT") {
        None => None,
        Some(_) => Some(provider(service).map_err(TelemetryError::Otlp)?),
    };
    let spans = provider.as_ref().map(|provider| {
        // Only this project's spans: exporting the spans of the exporter's HTTP client would create new ones without end.
        let own = EnvFilter::new("off,workflow=debug,producer=debug,consumer=debug");
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer(service))
            .with_filter(own)
    });
    registry
        .with(spans)
        .try_init()
        .map_err(TelemetryError::AlreadySet)?;
    Ok(Telemetry { provider })
}

#[cfg(feature = "otlp")]
fn provider(
    service: &'static str,
) -> Result<opentelemetry_sdk::trace::SdkTracerProvider, Box<dyn std::error::Error + Send + Sync>> {
    use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .build()?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name(service).build())
        .build())
}

#[cfg(feature = "otlp")]
impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.provider.take().map(|provider| provider.shutdown()) {
            tracing::warn!(%error, "spans were not flushed");
        }
    }
}
