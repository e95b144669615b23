//! The program from its arguments to its exit code.

mod args;
mod panics;

use std::{
    error::Error as _,
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    process::ExitCode,
};

pub use args::Args;

use crate::{Engine, Error};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A thread or a task has panicked, which is a bug.
const BUG: u8 = 1;
/// A flag, a variable or a file is wrong.
const WRONG_INPUT: u8 = 2;
/// A port is in use, or a directory cannot be written.
const LOCAL_RESOURCE: u8 = 6;

/// An error that ends the program, and its exit code.
#[derive(Debug)]
struct Failure {
    code: u8,
    message: String,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self {
            code: LOCAL_RESOURCE,
            message: error.to_string(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (code, advice) = match &error {
            Error::Account(_) | Error::Tls(_) => (WRONG_INPUT, ""),
            Error::Listen { .. } => (
                LOCAL_RESOURCE,
                "; choose another port, or 0 for any free one",
            ),
            Error::Directory { .. } => (
                LOCAL_RESOURCE,
                "; choose another directory, or end what uses it",
            ),
        };
        let source = error.source().map(|source| format!(": {source}"));
        Self {
            code,
            message: format!("{error}{}{advice}", source.unwrap_or_default()),
        }
    }
}

/// Runs the engine until it is told to end, and returns the exit code.
pub fn main(args: &Args) -> ExitCode {
    panics::watch();
    telemetry();
    let runtime = tokio::runtime::Runtime::new();
    let served = runtime
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(serve(args)));
    exit_code(served, panics::any())
}

/// Logs to standard error, with the filter in `EDW_LOG`.
fn telemetry() {
    let filter = EnvFilter::try_from_env("EDW_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}

/// Serves until a signal.
async fn serve(args: &Args) -> Result<(), Failure> {
    // First of all, because the parent process may end this one at once.
    let mut ends = [
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    ];
    let mut builder = Engine::builder()
        .host(args.host)
        .queue_port(args.queue_port)
        .table_port(args.table_port)
        .account(&args.account, &args.key);
    if let Some(directory) = &args.directory {
        builder = builder.directory(directory);
    }
    if let (Some(certificate), Some(key)) = (&args.certificate, &args.certificate_key) {
        builder = builder.https(&read(certificate)?, &read(key)?);
    }
    let engine = builder.start().await?;
    if let Err(error) = announce(&engine, args) {
        // A closed standard output is no reason not to serve.
        tracing::warn!(%error, "the addresses were not told on standard output");
    }
    end_of(&mut ends).await;
    tracing::info!("ending");
    engine.shutdown().await;
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| Failure {
        code: WRONG_INPUT,
        message: format!("read {}: {error}", file.display()),
    })
}

/// Prints the addresses of the services on standard output: for people, and for programs that read the first line.
fn announce(engine: &Engine, args: &Args) -> io::Result<()> {
    let data = match &args.directory {
        Some(directory) => format!("in {}", directory.display()),
        None => "in memory".to_owned(),
    };
    // The public key may be printed; users insert their own key themselves.
    let published = engine.key() == crate::KEY;
    let connection = engine.connection_string();
    let connection = if published {
        connection
    } else {
        connection.replace(engine.key(), "...")
    };
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "queue {} table {} data {data}",
        engine.queue_url(),
        engine.table_url()
    )?;
    writeln!(out, "{connection}")?;
    out.flush()
}

async fn end_of(signals: &mut [Signal; 2]) {
    let [terminate, interrupt] = signals;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Prints the error, if there was one, and returns the exit code.
fn exit_code(served: Result<(), Failure>, has_panicked: bool) -> ExitCode {
    match served {
        Ok(()) if has_panicked => {
            let bug = "error: a part of the engine panicked while it served, which is a bug; its log has where";
            let _ = writeln!(io::stderr(), "{bug}");
            ExitCode::from(BUG)
        }
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // If standard error is closed, the message is lost.
            let _ = writeln!(io::stderr(), "error: failed to {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_does_not_end_well_after_a_panic() {
        let shown = |code: ExitCode| format!("{code:?}");
        assert_eq!(shown(exit_code(Ok(()), false)), shown(ExitCode::SUCCESS));
        assert_eq!(shown(exit_code(Ok(()), true)), shown(ExitCode::from(BUG)));
    }
}
