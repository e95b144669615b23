//! Client of a wire in another process: copies its history into the run's directory as it grows, and derives the messages in
//! hand from it.

mod copy;
mod way;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use evidence::history::{FILE, HistoryError};
use reqwest::{Client, Method};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use copy::copy;
use way::{Restarted, Way};

use super::control::{FORMAT, Status};
use super::lane::Asker;
use super::wire::Written;
use super::{InForce, Rule, Wire, lock};

/// Timeout of a request.
const ANSWER: Duration = Duration::from_secs(30);

/// Interval between two tries, while the wire is unreachable.
const AGAIN: Duration = Duration::from_millis(200);

/// Interval between two reads of its status.
const LOOK: Duration = Duration::from_millis(500);

/// Time limit for the pending requests to end: longer than the wire itself waits for storage.
const FINISH: Duration = Duration::from_secs(150);

/// Kills clients of a wire, with the means of the platform on which they run.
#[async_trait]
pub trait Kills: Send + Sync + fmt::Debug {
    /// Kills the client `name` at once.
    async fn kill(&self, name: &str);
}

/// A wire in another process.
#[derive(Debug)]
pub struct Remote {
    shared: Arc<Shared>,
    written: Written,
    status: watch::Receiver<Status>,
    rules: AtomicU64,
    /// The tasks that copy the history, kill clients and read the status, until this is dropped.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    way: Way,
    patience: Duration,
    /// The number of copied bytes of the history.
    copied: watch::Sender<u64>,
    clients: Mutex<HashMap<String, Arc<Asker>>>,
    /// The first error.
    trouble: Mutex<Option<String>>,
    status: watch::Sender<Status>,
    /// Removals of rules that are pending; the history is finished after them.
    removals: TaskTracker,
}

impl Remote {
    /// Connects to the wire whose control interface is at `base`, such as `http://127.0.0.1:34567`. Its history is copied into
    /// `directory`, and `kills` kills the clients that a rule selects. The wire may be unreachable for at most `patience`: a
    /// forwarded port breaks when the API server restarts.
    pub async fn connect(
        base: &str,
        directory: &Path,
        kills: Arc<dyn Kills>,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let http = Client::builder().no_proxy().timeout(ANSWER).build();
        let path = directory.join(FILE);
        let opened = OpenOptions::new().append(true).create_new(true).open(&path);
        let file = opened.map_err(|source| HistoryError::Open {
            path: path.clone(),
            source,
        })?;
        let http = http.context("make a client for the wire's control")?;
        let way = Way::new(base, http);
        let shared = Arc::new(Shared {
            way,
            patience,
            copied: watch::Sender::new(0),
            clients: Mutex::default(),
            trouble: Mutex::default(),
            status: watch::Sender::default(),
            removals: TaskTracker::new(),
        });
        let status = shared.look().await.context("find the wire")?;
        same_format(status.format)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(copy(shared.clone(), file));
        tasks.spawn(kill(shared.clone(), kills));
        tasks.spawn(look(shared.clone()));
        Ok(Self {
            status: shared.status.subscribe(),
            written: Written::at(path),
            rules: AtomicU64::new(0),
            shared,
            _tasks: tasks,
        })
    }

    fn client(&self, name: &str) -> Arc<Asker> {
        self.shared.client(name)
    }
}

#[async_trait]
impl Wire for Remote {
    async fn install(&self, rule: Rule) -> anyhow::Result<Box<dyn InForce>> {
        let number = self.rules.fetch_add(1, Ordering::Relaxed) + 1;
        let body = serde_json::to_vec(&rule).context("write the rule")?;
        let put = self
            .shared
            .ridden_out(Method::PUT, format!("rules/{number}"), body);
        put.await.context("put a rule to work in the wire")?;
        Ok(Box::new(Ruled {
            number,
            shared: self.shared.clone(),
            status: self.status.clone(),
        }))
    }

    async fn hold(&self, name: &str, is_held: bool) -> anyhow::Result<()> {
        let method = if is_held { Method::PUT } else { Method::DELETE };
        let asked = (self.shared).ridden_out(method, format!("held/{name}"), Vec::new());
        let asked = asked.await;
        asked.with_context(|| format!("hold the requests of {name} in the wire"))?;
        Ok(())
    }

    async fn cut_off(&self, name: &str) -> anyhow::Result<()> {
        let asked = (self.shared).ridden_out(Method::PUT, format!("dead/{name}"), Vec::new());
        let asked = asked.await;
        asked.with_context(|| format!("cut {name} off in the wire"))?;
        Ok(())
    }

    fn struck(&self) -> u64 {
        self.status.borrow().struck
    }

    fn written(&self) -> Written {
        self.written.clone()
    }

    fn in_hand_of(&self, name: &str) -> u64 {
        self.client(name).in_hand()
    }

    async fn until_received(
        &self,
        name: &str,
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<()> {
        self.client(name).until_received(count, patience).await
    }

    async fn until_in_hand(
        &self,
        name: &str,
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<()> {
        self.client(name).until_in_hand(count, patience).await
    }

    async fn finish(&self) -> anyhow::Result<()> {
        let finished = async {
            self.shared.removals.close();
            self.shared.removals.wait().await;
            let finish = self
                .shared
                .ridden_out(Method::PUT, "finish".to_owned(), Vec::new());
            finish.await.context("finish the history of the wire")?;
            let status = self.shared.look().await?;
            let mut copied = self.shared.copied.subscribe();
            let whole = copied.wait_for(|bytes| *bytes >= status.history);
            tokio::select! {
                whole = whole => whole.map(drop).context("copy the history of the wire"),
                failed = self.shared.failed() => Err(failed),
            }
        };
        tokio::time::timeout(FINISH, finished).await.context(
            "wait for the requests under way in the wire: storage does not answer them",
        )??;
        self.check()
    }

    fn check(&self) -> anyhow::Result<()> {
        if let Some(trouble) = lock(&self.shared.trouble).clone() {
            bail!("keep the history: {trouble}");
        }
        if let Some(trouble) = self.status.borrow().trouble.clone() {
            bail!("keep the history: the wire says: {trouble}");
        }
        Ok(())
    }
}

/// A rule in force in a remote wire.
#[derive(Debug)]
struct Ruled {
    number: u64,
    shared: Arc<Shared>,
    status: watch::Receiver<Status>,
}

impl InForce for Ruled {
    fn struck(&self) -> u64 {
        let status = self.status.borrow();
        status.rules.get(&self.number).copied().unwrap_or_default()
    }
}

impl Drop for Ruled {
    fn drop(&mut self) {
        let (shared, number) = (self.shared.clone(), self.number);
        // Without a runtime the run is over, and so is the wire.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let removal = async move {
            let removed = shared.ridden_out(Method::DELETE, format!("rules/{number}"), Vec::new());
            if let Err(error) = removed.await {
                shared.trouble(format!("a rule could not be taken away: {error:#}"));
            }
        };
        self.shared.removals.spawn_on(removal, &runtime);
    }
}

impl Shared {
    fn client(&self, name: &str) -> Arc<Asker> {
        let mut clients = lock(&self.clients);
        let client = clients.entry(name.to_owned());
        client.or_insert_with(|| Arc::new(Asker::new(name))).clone()
    }

    fn trouble(&self, what: String) {
        lock(&self.trouble).get_or_insert(what);
        // Wakes the tasks that wait for the history.
        self.copied.send_modify(|_| ());
    }

    /// Returns when there has been an error.
    async fn failed(&self) -> anyhow::Error {
        let mut copied = self.copied.subscribe();
        loop {
            if let Some(trouble) = lock(&self.trouble).clone() {
                return anyhow::anyhow!(trouble);
            }
            if copied.changed().await.is_err() {
                return anyhow::anyhow!("the copy of the history has ended");
            }
        }
    }

    /// Repeats a request while the wire is unreachable, up to its time limit.
    async fn ridden_out(
        &self,
        method: Method,
        path: String,
        body: Vec<u8>,
    ) -> anyhow::Result<Bytes> {
        let since = Instant::now();
        loop {
            match self.way.ask(method.clone(), &path, body.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) if error.is::<Restarted>() || since.elapsed() > self.patience => {
                    self.trouble(format!("{error:#}"));
                    return Err(error);
                }
                Err(_) => sleep(AGAIN).await,
            }
        }
    }

    async fn look(&self) -> anyhow::Result<Status> {
        let told = self
            .ridden_out(Method::GET, "status".to_owned(), Vec::new())
            .await?;
        let status: Status = serde_json::from_slice(&told).context("read the wire's status")?;
        self.status.send_replace(status.clone());
        Ok(status)
    }
}

/// Returns an error unless the wire records the data that the judge reads.
fn same_format(format: u32) -> anyhow::Result<()> {
    ensure!(
        format == FORMAT,
        "use the wire in the cluster: its image is of another version of the harness (its histories have format {format}, and {FORMAT} is \
         needed); build the images of this version anew (ci/images/build producer consumer wire), and load them into the cluster"
    );
    Ok(())
}

/// Kills the clients that the wire names.
async fn kill(shared: Arc<Shared>, kills: Arc<dyn Kills>) {
    let mut known = BTreeSet::new();
    let mut under_way = JoinSet::new();
    loop {
        let told = shared
            .ridden_out(Method::GET, "kills".to_owned(), Vec::new())
            .await;
        let open = told.and_then(|told| {
            let open: HashMap<u64, String> = serde_json::from_slice(&told)?;
            Ok(open)
        });
        let open = match open {
            Ok(open) => open,
            Err(error) => {
                shared.trouble(format!("{error:#}"));
                return;
            }
        };
        let new: Vec<_> = open
            .into_iter()
            .filter(|(number, _)| known.insert(*number))
            .collect();
        let is_idle = new.is_empty();
        for (number, name) in new {
            let (shared, kills) = (shared.clone(), kills.clone());
            under_way.spawn(async move {
                kills.kill(&name).await;
                let done = shared.ridden_out(Method::PUT, format!("kills/{number}"), Vec::new());
                if let Err(error) = done.await {
                    shared.trouble(format!("tell the wire that {name} is dead: {error:#}"));
                }
            });
        }
        while let Some(killed) = under_way.try_join_next() {
            if killed.is_err() {
                shared.trouble(
                    "a task that kills a client panicked, which is a bug of the harness".to_owned(),
                );
            }
        }
        // Clients that are being killed are listed again at once.
        if is_idle && !under_way.is_empty() {
            sleep(AGAIN).await;
        }
    }
}

/// Reads the wire's status periodically.
async fn look(shared: Arc<Shared>) {
    loop {
        if let Err(error) = shared.look().await {
            shared.trouble(format!("{error:#}"));
            return;
        }
        sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wire_of_another_version_is_refused() {
        same_format(FORMAT).unwrap();
        // The answer of a wire that does not report its format yet.
        let old: Status =
            serde_json::from_str(r#"{"struck": 0, "rules": {}, "history": 0, "trouble": null}"#)
                .unwrap();
        let told = same_format(old.format).unwrap_err().to_string();
        assert!(told.contains("ci/images/build"), "{told}");
    }
}
