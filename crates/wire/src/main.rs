//! The wire as a program: in a cluster it runs as a pod between the workload and storage, and the harness controls it through a
//! forwarded port.

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

/// Sits between a workload and Azure Storage, writes down every request, and breaks those that it is told to
///
/// Clients put a name of their own in front of the account's path: `http://wire:10001/NAME/account`. Before a storage that speaks HTTPS,
/// clients must speak it too: tokens do not travel in the clear. The program that controls it speaks to it at the loopback alone.
#[derive(Debug, Parser)]
#[command(name = "wire", version)]
struct Args {
    /// The queue service, with the account, such as <http://azurite:10001/devstoreaccount1> or
    /// <https://myaccount.queue.core.windows.net>
    #[arg(long, env = "EDW_WIRE_QUEUE")]
    queue: String,
    /// The table service, with the account
    #[arg(long, env = "EDW_WIRE_TABLE")]
    table: String,
    /// The address at which clients find it
    #[arg(long, env = "EDW_WIRE_LISTEN", default_value_t = Ipv4Addr::UNSPECIFIED.into())]
    listen: IpAddr,
    /// The port of its queue service
    #[arg(long, env = "EDW_WIRE_QUEUE_PORT", default_value_t = 10_001)]
    queue_port: u16,
    /// The port of its table service
    #[arg(long, env = "EDW_WIRE_TABLE_PORT", default_value_t = 10_002)]
    table_port: u16,
    /// The port of its control, at the loopback
    #[arg(long, env = "EDW_WIRE_CONTROL_PORT", default_value_t = 10_010)]
    control_port: u16,
    /// The certificate under which clients find it, PEM; needed where storage speaks HTTPS
    #[arg(long, env = "EDW_WIRE_CERTIFICATE", requires = "certificate_key")]
    certificate: Option<PathBuf>,
    /// The private key of the certificate, PEM
    #[arg(long, env = "EDW_WIRE_CERTIFICATE_KEY", requires = "certificate")]
    certificate_key: Option<PathBuf>,
    /// The directory of the history; one that is there is gone on with
    #[arg(long, env = "EDW_WIRE_DIRECTORY")]
    directory: PathBuf,
    /// What chances are drawn from
    #[arg(long, env = "EDW_WIRE_SEED", default_value_t = 0)]
    seed: u64,
    /// The run whose messages pass; those of the project's own workload name theirs themselves
    #[arg(long, env = "EDW_WIRE_RUN", default_value = "wire")]
    run: RunId,
    /// The description of the workload [default: the project's own]
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

fn read(path: &Path) -> anyhow::Result<String> {
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
    match run(Args::parse()).await {
        Ok(()) if panics::any() => {
            let _ = writeln!(
                io::stderr(),
                "error: a task of the wire panicked, which is a bug of it"
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
    let bind = async |host: IpAddr, port: u16| {
        let bound = TcpListener::bind((host, port)).await;
        bound.with_context(|| format!("listen at {host}, port {port}"))
    };
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
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let serving = program.serve(control, stop.clone());
    tokio::select! {
        () = serving => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
