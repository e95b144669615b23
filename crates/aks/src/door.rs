//! Runs all other programs: with a time limit, a record without secrets, and a new sign-in when that helps.

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

/// Default time limit of a program: `az` takes seconds, and its first start on a runner half a minute.
const LIMIT: Duration = Duration::from_secs(180);

/// Interval of the checks whether a program has ended.
const STEP: Duration = Duration::from_millis(5);

/// Variables with which a workflow's job fetches an assertion (see GitHub's reference of OIDC sign-in).
const REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// The audience of an assertion for Entra.
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// Runs programs, and writes `calls.jsonl`.
#[derive(Debug)]
pub(crate) struct Door {
    dir: PathBuf,
    pub(crate) pause: Duration,
}

impl Door {
    /// Makes a door that records its calls in `dir`.
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

    /// The number of polls and their interval for a wait of this many minutes, at the default interval of ten seconds.
    pub(crate) fn minutes(&self, minutes: u32) -> (u32, Duration) {
        (minutes * 6, self.pause)
    }

    /// Runs `az`, and returns its answer.
    pub(crate) fn az(&self, args: &[&str]) -> Result<Value, Refusal> {
        self.az_within(LIMIT, args)
    }

    /// Runs `az` with another time limit. In a workflow, if the sign-in is missing or its assertion has expired, signs in
    /// again and repeats the command once.
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

    /// Signs `az` in with a new assertion: an assertion is valid for ten minutes, and `az` cannot renew it.
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
        // Through standard input, because other users can read command lines.
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

    /// Runs `program`, and returns its standard output.
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
        // A failed record must not stop the program: a full disk must not prevent the removal of a group.
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
        // If the program does not read its input, its own error tells why.
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
        // Reading the output must not panic; if it does, so does this thread.
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

/// The exit status of a child; `None` if it did not end within `limit` and was killed. Its own children may live on, so later
/// steps ask Azure again in any case.
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

/// A command for display and records, without the values of secret flags.
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

/// The failure of a local file that cannot be used.
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
