//! The one way to other programs: bounded in time, written down without secrets, and signed in again where that helps.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::args::Common;
use crate::failure::{Exit, Failure};
use crate::refusal::{Kind, Refusal};
use crate::stamp;

/// What a program may take unless it is given more: `az` takes seconds, and its first start on a runner half a minute.
const LIMIT: Duration = Duration::from_secs(180);

/// Between two looks at whether a program has ended.
const STEP: Duration = Duration::from_millis(5);

/// What a workflow's job has to fetch an assertion with (the reference of its sign-in without secrets).
const REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// The audience of an assertion that Entra exchanges.
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// Runs programs, and keeps `calls.jsonl`.
#[derive(Debug)]
pub(crate) struct Door {
    dir: PathBuf,
    pub(crate) pause: Duration,
}

impl Door {
    /// A door whose calls are written down in `dir`.
    pub(crate) fn open(common: &Common, dir: PathBuf) -> Result<Self, Failure> {
        fs::create_dir_all(&dir).map_err(|error| missing(&dir, &error))?;
        Ok(Self {
            dir,
            pause: Duration::from_secs(common.poll_seconds),
        })
    }

    /// The directory of the run.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The looks of a wait: `minutes` at the default pause of ten seconds.
    pub(crate) fn minutes(&self, minutes: u32) -> (u32, Duration) {
        (minutes * 6, self.pause)
    }

    /// Runs `az`, and returns what it answered.
    pub(crate) fn az(&self, args: &[&str]) -> Result<Value, Refusal> {
        self.az_within(LIMIT, args)
    }

    /// Runs `az` with another limit. Signs in first and tries once more where a workflow can do so.
    pub(crate) fn az_within(&self, limit: Duration, args: &[&str]) -> Result<Value, Refusal> {
        let mut all = args.to_vec();
        all.extend(["--output", "json", "--only-show-errors"]);
        let answer = self.run("az", &all, None, limit);
        let answer = match answer {
            Err(refusal)
                if matches!(refusal.kind, Kind::AssertionExpired | Kind::NotSignedIn)
                    && std::env::var_os(REQUEST_URL).is_some() =>
            {
                self.sign_in()?;
                self.run("az", &all, None, limit)
            }
            other => other,
        }?;
        if answer.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&answer)
            .map_err(|error| Refusal::of(shown("az", args), format!("answer is no JSON: {error}")))
    }

    /// Signs `az` in with an assertion fetched afresh: one lives ten minutes, and `az` cannot renew its own.
    fn sign_in(&self) -> Result<(), Refusal> {
        let variable = |name: &str| {
            std::env::var(name).map_err(|_| {
                Refusal::of(
                    "az login".to_owned(),
                    format!("az login: {name} is not set"),
                )
            })
        };
        let (url, bearer) = (variable(REQUEST_URL)?, variable(REQUEST_TOKEN)?);
        let (client, tenant) = (variable("AZURE_CLIENT_ID")?, variable("AZURE_TENANT_ID")?);
        // By standard input: what is on a command line can be read by others.
        let config = format!(
            "url = \"{url}&audience={AUDIENCE}\"\nheader = \"Authorization: bearer {bearer}\"\nsilent\nshow-error\nfail\nmax-time = 30\n"
        );
        let answer = self.run("curl", &["--config", "-"], Some(&config), LIMIT)?;
        let answer: Value = serde_json::from_str(&answer).unwrap_or(Value::Null);
        let assertion = answer["value"].as_str().unwrap_or_default();
        let login = [
            "login",
            "--service-principal",
            "--username",
            &client,
            "--tenant",
            &tenant,
            "--federated-token",
            assertion,
            "--output",
            "none",
        ];
        self.run("az", &login, None, LIMIT)?;
        if let Ok(subscription) = std::env::var("AZURE_SUBSCRIPTION_ID") {
            let set = ["account", "set", "--subscription", &subscription];
            self.run("az", &set, None, LIMIT)?;
        }
        Ok(())
    }

    /// Runs `program`, and returns what it wrote to standard output.
    pub(crate) fn run(
        &self,
        program: &str,
        args: &[&str],
        stdin: Option<&str>,
        limit: Duration,
    ) -> Result<String, Refusal> {
        let begun = Instant::now();
        let result = finished(program, args, stdin, limit);
        let refused = result.as_ref().err();
        let entry = json!({
            "stamp": stamp::text(stamp::now()),
            "command": shown(program, args),
            "took_ms": u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            "refused": refused.map(|refusal| format!("{:?}", refusal.kind)),
            "said": refused.map(|refusal| &refusal.text),
        });
        // Evidence, and no reason to stop: a full disk must not keep a group from being removed.
        let calls = self.dir.join("calls.jsonl");
        if let Ok(mut calls) = OpenOptions::new().create(true).append(true).open(calls) {
            drop(writeln!(calls, "{entry}"));
        }
        result
    }
}

fn finished(
    program: &str,
    args: &[&str],
    stdin: Option<&str>,
    limit: Duration,
) -> Result<String, Refusal> {
    let refused = |kind, text| Refusal {
        command: shown(program, args),
        kind,
        text,
    };
    let mut child = Command::new(program)
        .args(args)
        .stdin(if stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                refused(Kind::NoProgram, format!("there is no program {program}"))
            }
            _ => refused(Kind::Other, error.to_string()),
        })?;
    let out = reader(child.stdout.take());
    let err = reader(child.stderr.take());
    if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
        // A program that does not read says itself why.
        drop(pipe.write_all(text.as_bytes()));
    }
    let status = match ended(&mut child, limit) {
        Ok(Some(status)) => status,
        Ok(None) => {
            let text = format!("not done after {} s, and killed", limit.as_secs());
            return Err(refused(Kind::TimedOut, text));
        }
        Err(error) => return Err(refused(Kind::Other, error.to_string())),
    };
    let read = |thread: thread::JoinHandle<String>| {
        // Reading an output must not panic; where it does, this thread does too.
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    };
    let (out, err) = (read(out), read(err));
    if status.success() {
        return Ok(out);
    }
    let text = if err.trim().is_empty() { out } else { err };
    Err(Refusal::of(
        shown(program, args),
        format!("{text}\n({status})"),
    ))
}

/// How a child ended within `limit`; `None` when it did not, and was killed. What it started itself may live on: Azure is asked
/// again in any case.
fn ended(child: &mut Child, limit: Duration) -> std::io::Result<Option<std::process::ExitStatus>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(STEP);
    }
}

#[expect(clippy::disallowed_methods, reason = "joined once the child has ended")]
fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            drop(pipe.read_to_end(&mut bytes));
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A command as it is shown and written down: what follows a flag for secrets is left out.
fn shown(program: &str, args: &[&str]) -> String {
    let mut words = vec![program.to_owned()];
    let mut secret = false;
    for arg in args {
        let word = if secret { "<secret>" } else { arg };
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=@,".contains(&b);
        words.push(if !word.is_empty() && word.bytes().all(is_plain) {
            word.to_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        });
        secret = matches!(*arg, "--federated-token" | "--password");
    }
    words.join(" ")
}

/// A file of this machine that cannot be used.
pub(crate) fn missing(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Missing, format!("{} cannot be used", path.display()))
        .said(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(dir: &Path) -> Door {
        Door {
            dir: dir.to_owned(),
            pause: Duration::ZERO,
        }
    }

    #[test]
    fn a_program_that_hangs_is_ended_and_one_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let door = door(dir.path());
        let hung = door.run("sleep", &["60"], None, Duration::from_millis(50));
        assert_eq!(hung.unwrap_err().kind, Kind::TimedOut);
        let none = door.run("no-such-program-here", &[], None, LIMIT);
        assert_eq!(none.unwrap_err().kind, Kind::NoProgram);
        assert_eq!(
            door.run("cat", &[], Some("through"), LIMIT).unwrap(),
            "through"
        );
    }

    #[test]
    fn a_secret_is_neither_shown_nor_written_down() {
        let dir = tempfile::tempdir().unwrap();
        let refusal = door(dir.path())
            .run("false", &["--federated-token", "eyJhb", "x y"], None, LIMIT)
            .unwrap_err();
        let calls = fs::read_to_string(dir.path().join("calls.jsonl")).unwrap();
        for text in [refusal.command, calls] {
            assert!(text.contains("--federated-token '<secret>'"), "{text}");
            assert!(!text.contains("eyJhb"), "{text}");
        }
    }
}
