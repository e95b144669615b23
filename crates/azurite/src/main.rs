//! `azurite-up`: keeps an Azurite running on a laptop until Ctrl-C, and prints the settings that tests need.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use azurite::{Azurite, Error};

#[tokio::main]
async fn main() -> ExitCode {
    let Err(message) = run().await else {
        return ExitCode::SUCCESS;
    };
    // If standard error is closed, only the exit code remains.
    let _ = writeln!(io::stderr(), "azurite-up: failed to {message}");
    ExitCode::FAILURE
}

async fn run() -> Result<(), String> {
    let azurite = Azurite::start()
        .await
        .map_err(|error: Error| error.to_string())?;
    announce(&azurite).map_err(|error| format!("print its addresses: {error}"))?;
    tokio::signal::ctrl_c()
        .await
        .map_err(|error| format!("wait for Ctrl-C: {error}"))?;
    azurite.stop().await;
    Ok(())
}

/// Prints shell variables; the first line is a comment.
fn announce(azurite: &Azurite) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "# {}", azurite.why())?;
    writeln!(out, "EDW_AZURITE_QUEUE_URL='{}'", azurite.queue_url())?;
    writeln!(out, "EDW_AZURITE_TABLE_URL='{}'", azurite.table_url())?;
    writeln!(out, "EDW_AZURITE_BLOB_URL='{}'", azurite.blob_url())?;
    writeln!(out, "EDW_AZURITE_SAS='{}'", azurite.sas())?;
    writeln!(
        out,
        "export EDW_AZURITE_QUEUE_URL EDW_AZURITE_TABLE_URL EDW_AZURITE_BLOB_URL EDW_AZURITE_SAS"
    )?;
    out.flush()
}
