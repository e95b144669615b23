//! `azurite-up`: keeps an Azurite running on a laptop until Ctrl-C, and prints the settings that tests need.

mod panics;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use azurite::{Azurite, Error};

#[tokio::main]
async fn main() -> ExitCode {
    panics::watch();
    let ended = run().await;
    exit_code(ended, panics::any())
}

/// Prints the error, if there was one, and returns the exit code: no program ends with success after a panic.
fn exit_code(ended: Result<(), String>, has_panicked: bool) -> ExitCode {
    let said = match ended {
        Ok(()) if !has_panicked => return ExitCode::SUCCESS,
        Ok(()) => "a part of it panicked, which is a bug; the lines above have where".to_owned(),
        Err(message) => format!("failed to {message}"),
    };
    // If standard error is closed, only the exit code remains.
    let _ = writeln!(io::stderr(), "azurite-up: {said}");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_end_without_error_and_without_panic_is_a_success() {
        let code = |ended, has_panicked| format!("{:?}", exit_code(ended, has_panicked));
        let (success, failure) = (ExitCode::SUCCESS, ExitCode::FAILURE);
        assert_eq!(code(Ok(()), false), format!("{success:?}"));
        assert_eq!(code(Ok(()), true), format!("{failure:?}"));
        assert_eq!(code(Err("start".to_owned()), false), format!("{failure:?}"));
    }
}
