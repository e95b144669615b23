//! The wire as a program: in a cluster it runs as a pod between the workload and storage, and the harness controls it through a
//! forwarded port. `wire authority` is the authority of a run, which stands for Entra, as a pod of the same image: wherever it is
//! needed a wire is needed too, and a cluster with one more image of the harness would be one more thing to build and to load.

mod pod;

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use clap::Parser;
use contract::RunId;
use contract::panics;
use contract::text::decode;
use contract::workload::{Description, Lens};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use wire::control::Program;
use wire::{Endpoints, History, Tls};

/// Proxy between a workload and Azure Storage: records every request, and injects the faults that the harness sets
///
/// Each client puts its own name before the account in the path: `http://wire:10001/NAME/account`. If storage uses HTTPS, clients
/// must use HTTPS too, so that no token travels unencrypted. The harness controls the wire at the loopback address only. `wire
/// authority --help` is about the authority of a run, which is in this program too.
#[derive(Debug, Parser)]
#[command(name = "wire", version)]
struct Args {
    /// URL of the storage's queue service, account included, such as <http://azurite:10001/devstoreaccount1> or
    /// <https://myaccount.queue.core.windows.net>
    #[arg(long, env = "EDW_WIRE_QUEUE")]
    queue: String,
    /// URL of the storage's table service, account included
    #[arg(long, env = "EDW_WIRE_TABLE")]
    table: String,
    /// IP address to listen at for clients
    #[arg(long, env = "EDW_WIRE_LISTEN", default_value_t = Ipv4Addr::UNSPECIFIED.into())]
    listen: IpAddr,
    /// Port for requests to the queue service
    #[arg(long, env = "EDW_WIRE_QUEUE_PORT", default_value_t = 10_001)]
    queue_port: u16,
    /// Port for requests to the table service
    #[arg(long, env = "EDW_WIRE_TABLE_PORT", default_value_t = 10_002)]
    table_port: u16,
    /// Port at which the harness controls the wire, on 127.0.0.1 only
    #[arg(long, env = "EDW_WIRE_CONTROL_PORT", default_value_t = 10_010)]
    control_port: u16,
    /// PEM file with the certificate that the wire shows to clients; needed if storage uses HTTPS [default: none, HTTP]
    #[arg(long, env = "EDW_WIRE_CERTIFICATE", requires = "certificate_key")]
    certificate: Option<PathBuf>,
    /// PEM file with the private key of the certificate
    #[arg(long, env = "EDW_WIRE_CERTIFICATE_KEY", requires = "certificate")]
    certificate_key: Option<PathBuf>,
    /// Directory for the history of requests; a history that exists is continued
    #[arg(long, env = "EDW_WIRE_DIRECTORY")]
    directory: PathBuf,
    /// Seed of the random choices that faults make
    #[arg(long, env = "EDW_WIRE_SEED", default_value_t = 0)]
    seed: u64,
    /// Id of the run whose messages pass, for workloads whose messages do not name their run
    #[arg(long, env = "EDW_WIRE_RUN", default_value = "wire")]
    run: RunId,
    /// File that describes the workload (docs/DESCRIPTION.md) [default: the project's own workload]
    #[arg(long, env = "EDW_WIRE_WORKLOAD")]
    workload: Option<PathBuf>,
}

impl Args {
    fn lens(&self) -> anyhow::Result<Lens> {
        let Some(file) = &self.workload else {
            return Ok(Lens::own(self.run.clone()));
        };
        let description = Description::read(&read(file)?).map_err(|problems| {
            let problems = problems
                .iter()
                .map(|it| format!("{}: {it}", file.display()));
            anyhow!(problems.collect::<Vec<_>>().join("\n"))
        })?;
        Ok(Lens::new(Arc::new(description), self.run.clone()))
    }

    fn tls(&self) -> anyhow::Result<Option<Tls>> {
        let (Some(certificate), Some(key)) = (&self.certificate, &self.certificate_key) else {
            return Ok(None);
        };
        Ok(Some(Tls::outwards(&read(certificate)?, &read(key)?)?))
    }
}

pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    decode(&bytes).with_context(|| {
        format!(
            "read {}: it is neither UTF-8 nor UTF-16; save it as UTF-8",
            path.display()
        )
    })
}

#[tokio::main]
async fn main() -> ExitCode {
    panics::watch();
    let is_authority = std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == "authority");
    let done = if is_authority {
        pod::run(pod::Args::parse_from(std::env::args_os().skip(1))).await
    } else {
        run(Args::parse()).await
    };
    match done {
        Ok(()) if panics::any() => {
            let _ = writeln!(
                io::stderr(),
                "error: a task of this program panicked, which is a bug of it"
            );
            ExitCode::FAILURE
        }
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let lens = args.lens()?;
    let gates = [
        bind(args.listen, args.queue_port).await?,
        bind(args.listen, args.table_port).await?,
    ];
    let control = bind(Ipv4Addr::LOCALHOST.into(), args.control_port).await?;
    writeln!(
        io::stdout(),
        "queue {} table {} control {}",
        gates[0].local_addr()?,
        gates[1].local_addr()?,
        control.local_addr()?
    )?;
    let tls = args.tls()?;
    let storage = Endpoints {
        queue: args.queue,
        table: args.table,
    };
    let history = History::open(&args.directory)?;
    let program = Program::start(&storage, history, args.seed, gates, lens, tls).await?;
    let program = Arc::new(program);
    let stop = CancellationToken::new();
    until_told(program.serve(control, stop.clone())).await
}

pub(crate) async fn bind(host: IpAddr, port: u16) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind((host, port)).await;
    bound.with_context(|| format!("listen at {host}, port {port}"))
}

/// Serves until the program is told to end.
pub(crate) async fn until_told(serving: impl Future<Output = ()>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    tokio::select! {
        () = serving => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
