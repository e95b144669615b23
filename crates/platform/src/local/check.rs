//! Checks the settings of the programs under test before anything starts: their own parsers read the arguments and variables
//! that they will get.

use std::process::{Command, Stdio};

use anyhow::{Context as _, anyhow, ensure};
use wire::Endpoints;
use workflow::contract::workload::Description;
use workflow::exit::WrongInput;

use super::Workload;
use crate::settings::{consumer_variables, parse, storage_variables};
use crate::workers::{ConsumerOptions, Seat};

impl Workload {
    /// Checks `producer`, the producer's arguments, and the consumers' `options`, together with the variables that both
    /// inherit. For a consumer other than the project's own, only its command can be checked.
    pub fn check(&self, producer: &[String], options: &ConsumerOptions) -> anyhow::Result<()> {
        let run = "check".parse()?;
        let nowhere = || "http://127.0.0.1:1/devstoreaccount1".to_owned();
        let endpoints = Endpoints {
            queue: nowhere(),
            table: nowhere(),
        };
        let mut variables = storage_variables(&run, "check", &endpoints, "sv=1&sig=1".to_owned());
        let load = parse::<producer::Args>("producer", producer, &variables).context(WrongInput(
            "read the producer's settings, from the flags here and the variables that it inherits",
        ))?;
        load.plan().check().context(WrongInput("check the load"))?;
        if self.in_pods && self.file.is_some() {
            return Ok(());
        }
        if let (None, Some(file)) = (&self.foreign, &self.file)
            && *self.description != *Description::own()
        {
            return Err(anyhow!("worker.command is missing in {}", file.display())).context(
                WrongInput(
                    "start the worker; say how in the description, or with --consumer-command",
                ),
            );
        }
        if let Some(command) = &self.foreign {
            return check_command(command).context(WrongInput("check the consumer command"));
        }
        let seat = Seat::default();
        variables.extend(consumer_variables(
            &self.description,
            "consumer-1",
            options,
            &seat,
        ));
        parse::<consumer::Args>("consumer", &[], &variables).context(WrongInput(
            "read the consumer's settings, from the flags here and the variables that it inherits",
        ))?;
        Ok(())
    }
}

/// Checks that the shell can parse the command and finds its program, as far as that is possible without running anything.
fn check_command(command: &str) -> anyhow::Result<()> {
    let program = command.split_whitespace().next().context(
        "the command is empty; name a program, or leave it away for the project's own consumer",
    )?;
    // -n: parses the command without running it.
    let read = Command::new("sh")
        .args(["-n", "-c", &format!("exec {command}")])
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&read.stderr);
    ensure!(
        read.status.success(),
        "the shell cannot read it: {}",
        said.trim()
    );
    // If the command has quotes, variables or the like, only the shell can tell its program.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._+-".contains(&byte);
    if program.bytes().all(plain) {
        let found = Command::new("sh")
            .args(["-c", "command -v \"$1\"", "sh", program])
            .stdin(Stdio::null())
            .output()?;
        ensure!(
            found.status.success(),
            "there is no program {program:?}; check its path, or the variable PATH"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_cannot_run_is_told_apart_from_one_that_may() {
        for (command, text) in [
            ("", "the command is empty"),
            (" ", "the command is empty"),
            ("echo 'x", "the shell cannot read it"),
            ("no-such-program --flag", "no program \"no-such-program\""),
            ("/no/such/program", "check its path"),
        ] {
            let error = check_command(command).unwrap_err().to_string();
            assert!(error.contains(text), "{command:?}: {error}");
        }
        for command in ["sh -c 'exit 3'", "/bin/sh x", "'no such' x", "$HOME/x"] {
            check_command(command).unwrap();
        }
    }
}
