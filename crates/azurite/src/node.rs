//! One Azurite as a child process on a leash: reads its output, its ports and its end.

use std::{
    io::{BufRead as _, BufReader, Read},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use crate::{Error, Ports, options::Options};

const LEASH: &str = concat!(
    include_str!("patch.js"),
    include_str!("compiled.js"),
    include_str!("leash.js")
);

/// Time limit: Node.js needs about 2 s on an idle machine to load its modules; a busy machine may need thirty times that.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Time limit: after the leash is released, Azurite has 3 s to write its data; a process that is still there after 5 s hangs.
const END_LIMIT: Duration = Duration::from_secs(5);

/// Lines of standard error that are kept for an error.
const STDERR_LINES: usize = 40;

/// A running child process.
#[derive(Debug)]
pub(crate) struct Node {
    child: Child,
    /// Closing this end makes the child end.
    leash: Option<ChildStdin>,
    has_data: bool,
    stderr: Tail,
    /// The threads that read both outputs, until the child is gone.
    readers: Vec<thread::JoinHandle<()>>,
}

impl Node {
    /// Starts the package's `entry` script and returns when all services listen, with their ports.
    pub(crate) async fn start(entry: &Path, options: &Options) -> Result<(Self, Ports), Error> {
        let mut child = command(entry, options).spawn().map_err(|error| {
            Error::Start(format!("run `node` (install Node.js 20 or later): {error}"))
        })?;
        let leash = child.stdin.take();
        let stdout = child.stdout.take().expect("stdout must be piped");
        let stderr = child.stderr.take().expect("stderr must be piped");
        let (stderr, reads_stderr) = Tail::read(stderr);
        let (mut said, reads_stdout) = lines(stdout);
        let mut node = Self {
            child,
            leash,
            has_data: options.directory.is_some(),
            stderr,
            readers: vec![reads_stdout, reads_stderr],
        };

        let listening = tokio::time::timeout(START_LIMIT, listening_ports(&mut said)).await;
        // A reader that waits for someone to take its line would never end.
        drop(said);
        match listening {
            Ok(Some(ports)) => Ok((node, ports)),
            Ok(None) => {
                node.kill();
                Err(died(&node.stderr.so_far()))
            }
            Err(_) => {
                node.kill();
                let text = node.stderr.so_far();
                Err(Error::Start(format!(
                    "Azurite did not listen within {} s; it said: {text}",
                    START_LIMIT.as_secs()
                )))
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How the process ended by itself, with its last output, if it did.
    pub(crate) fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok()??;
        let said = self.stderr.so_far();
        let said = said.lines().last().unwrap_or_default();
        let pid = self.child.id();
        Some(format!("process {pid}, {status}; the last it said: {said}"))
    }

    /// Lets Azurite write its data and end; returns when the process is gone.
    pub(crate) async fn stop(mut self) {
        #[expect(
            clippy::disallowed_methods,
            reason = "it ends by its time limit, and is awaited at once"
        )]
        let ended = tokio::task::spawn_blocking(move || self.end()).await;
        ended.expect("ending a child process must not panic");
    }

    fn end(&mut self) {
        drop(self.leash.take());
        let deadline = Instant::now() + END_LIMIT;
        while self.has_data && Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.kill();
    }

    /// Kills and reaps the child, and reads its output to the end. Killing and reaping fail only if the child is gone already,
    /// which is fine.
    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for reader in self.readers.drain(..) {
            if reader.join().is_err() {
                tracing::error!("a thread that read what Azurite said panicked, which is a bug");
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end();
    }
}

fn command(entry: &Path, options: &Options) -> Command {
    let mut command = Command::new("node");
    command
        .args(["-e", LEASH, "--"])
        .arg(entry)
        .args(options.flags())
        // Accounts and keys for a developer's own Azurite must not affect this one.
        .env_remove("AZURITE_ACCOUNTS")
        .env_remove("AZURITE_DB")
        // Ctrl-C in a terminal goes to the foreground process group; the parent process decides when the emulator ends.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The error of a process that has ended, from its last output.
fn died(stderr: &str) -> Error {
    let in_use = stderr.lines().find(|line| line.contains("EADDRINUSE"));
    let port = in_use
        .and_then(|line| line.rsplit(':').next())
        .and_then(|port| port.trim().parse().ok());
    match port {
        Some(port) => Error::PortInUse { port },
        None => Error::Start(format!("Azurite died at its start; it said: {stderr}")),
    }
}

/// Reads stdout to its end in a separate thread, since a full pipe would block Azurite. Sends the lines to the receiver, as
/// long as it exists.
fn lines(stdout: impl Read + Send + 'static) -> (mpsc::Receiver<String>, thread::JoinHandle<()>) {
    let (lines, said) = mpsc::channel(1);
    let reader = reader(stdout, move |line| {
        tracing::debug!(target: "azurite", %line, "stdout");
        let _ = lines.blocking_send(line); // nobody listens any more once the ports are known
    });
    (said, reader)
}

#[expect(
    clippy::disallowed_methods,
    reason = "`Node` joins it once the child is gone"
)]
fn reader(
    stream: impl Read + Send + 'static,
    mut hear: impl FnMut(String) + Send + 'static,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let lines = BufReader::new(stream).lines();
        lines.map_while(Result::ok).for_each(&mut hear);
    })
}

/// Resolves to the ports as soon as all are known, or to `None` if stdout ends before.
async fn listening_ports(said: &mut mpsc::Receiver<String>) -> Option<Ports> {
    let mut ports = Ports::default();
    while ports.queue == 0 || ports.table == 0 || ports.blob == 0 {
        let line = said.recv().await?;
        let Some((service, address)) = line.split_once(" is successfully listening at ") else {
            continue;
        };
        let Some(port) = address
            .rsplit(':')
            .next()
            .and_then(|port| port.trim().parse().ok())
        else {
            continue;
        };
        match service {
            "Azurite Queue service" => ports.queue = port,
            "Azurite Table service" => ports.table = port,
            "Azurite Blob service" => ports.blob = port,
            _ => {}
        }
    }
    Some(ports)
}

/// The last lines of a stream, collected by a thread until it ends.
#[derive(Debug)]
struct Tail {
    lines: Arc<Mutex<Vec<String>>>,
}

impl Tail {
    fn read(stream: impl Read + Send + 'static) -> (Self, thread::JoinHandle<()>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let reader = reader(stream, move |line| {
            tracing::debug!(target: "azurite", %line, "stderr");
            let mut kept = kept.lock().expect("no holder of this lock must panic");
            if kept.len() == STDERR_LINES {
                kept.remove(0);
            }
            kept.push(line);
        });
        (Self { lines }, reader)
    }

    /// The output so far; complete once the process was killed.
    fn so_far(&self) -> String {
        let lines = self
            .lines
            .lock()
            .expect("no holder of this lock must panic");
        if lines.is_empty() {
            "nothing".to_owned()
        } else {
            lines.join("\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ports_are_read_from_what_azurite_says() {
        let said = "Azurite Blob service is starting at http://127.0.0.1:0\n\
                    Azurite Blob service is successfully listening at http://127.0.0.1:38887\n\
                    Azurite Queue service is successfully listening at http://127.0.0.1:46083\n\
                    Azurite Table service is successfully listening at http://127.0.0.1:33419\n";
        let (mut lines, reader) = lines(said.as_bytes());
        let ports = listening_ports(&mut lines).await.unwrap();
        drop(lines);
        reader.join().unwrap();
        assert_eq!(
            (ports.blob, ports.queue, ports.table),
            (38887, 46083, 33419)
        );
    }

    #[tokio::test]
    async fn output_that_ends_early_gives_no_ports() {
        let said = &b"Azurite Blob service is successfully listening at http://127.0.0.1:1\n"[..];
        let (mut lines, reader) = lines(said);
        assert!(listening_ports(&mut lines).await.is_none());
        reader.join().unwrap();
    }

    #[test]
    fn a_taken_port_is_told_from_other_deaths() {
        let taken = died(
            "Exit due to unhandled error: listen EADDRINUSE: address already in use 127.0.0.1:18123",
        );
        assert!(matches!(taken, Error::PortInUse { port: 18123 }));
        assert!(
            matches!(died("SyntaxError: no"), Error::Start(text) if text.contains("SyntaxError: no"))
        );
    }
}
