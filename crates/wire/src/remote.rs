//! A wire that runs elsewhere, as the harness has it: its history is copied into the run's directory while it grows, and what clients have
//! in hand is told from that.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use evidence::history::{FILE, HistoryError};
use reqwest::{Client, Method, Response};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::control::{LIFE, Status};
use super::lane::Asker;
use super::wire::Written;
use super::{AtWork, Crossing, Rule, Wire, lock};

/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(30);

/// From one try to the next, while there is no way to it.
const AGAIN: Duration = Duration::from_millis(200);

/// From one look at its status to the next.
const LOOK: Duration = Duration::from_millis(500);

/// Longest wait until the requests under way have ended: longer than the wire itself waits for storage.
const FINISH: Duration = Duration::from_secs(150);

/// Kills clients of a wire, by the means of the platform that they run on.
#[async_trait]
pub trait Kills: Send + Sync + fmt::Debug {
    /// Ends the client called `name` at once.
    async fn kill(&self, name: &str);
}

/// A wire that runs elsewhere.
#[derive(Debug)]
pub struct Remote {
    shared: Arc<Shared>,
    written: Written,
    status: watch::Receiver<Status>,
    rules: AtomicU64,
    /// What copies, kills and looks, until this is dropped.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    way: Way,
    patience: Duration,
    /// What of the history is copied.
    copied: watch::Sender<u64>,
    clients: Mutex<HashMap<String, Arc<Asker>>>,
    /// The first thing that went wrong.
    trouble: Mutex<Option<String>>,
    status: watch::Sender<Status>,
}

/// The way to its control.
#[derive(Debug)]
struct Way {
    base: String,
    http: Client,
    /// Which life of it answered first.
    life: Mutex<Option<String>>,
}

impl Remote {
    /// The wire whose control is at `base`, such as `http://127.0.0.1:34567`. Its history is copied into `directory`, and `kills` kills
    /// the clients that a rule has killed. For at most `patience` there may be no way to it: a forwarded port is cut when the API server
    /// restarts.
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
        let way = Way {
            base: base.trim_end_matches('/').to_owned(),
            http: http.context("make a client for the wire's control")?,
            life: Mutex::default(),
        };
        let shared = Arc::new(Shared {
            way,
            patience,
            copied: watch::Sender::new(0),
            clients: Mutex::default(),
            trouble: Mutex::default(),
            status: watch::Sender::default(),
        });
        shared.look().await.context("find the wire")?;
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
    async fn install(&self, rule: Rule) -> anyhow::Result<Box<dyn AtWork>> {
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

    fn struck(&self) -> u64 {
        self.status.borrow().struck
    }

    fn written(&self) -> Written {
        self.written.clone()
    }

    fn in_hand(&self) -> u64 {
        let clients = lock(&self.shared.clients);
        clients.values().map(|client| client.in_hand()).sum()
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

/// A rule at work in a wire that runs elsewhere.
#[derive(Debug)]
struct Ruled {
    number: u64,
    shared: Arc<Shared>,
    status: watch::Receiver<Status>,
}

impl AtWork for Ruled {
    fn struck(&self) -> u64 {
        let status = self.status.borrow();
        status.rules.get(&self.number).copied().unwrap_or_default()
    }
}

impl Drop for Ruled {
    fn drop(&mut self) {
        let (shared, number) = (self.shared.clone(), self.number);
        // Outside a runtime the run is over, and the wire with it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let removed = shared.ridden_out(Method::DELETE, format!("rules/{number}"), Vec::new());
            if let Err(error) = removed.await {
                shared.trouble(format!("a rule could not be taken away: {error:#}"));
            }
        });
    }
}

impl Way {
    /// Whether it is in its first life still, as far as `life` tells.
    fn lives(&self, life: &str) -> bool {
        let mut first = lock(&self.life);
        first.get_or_insert_with(|| life.to_owned()) == life
    }

    /// Asks, and returns the body of the answer; an error says what the wire said.
    async fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> anyhow::Result<Bytes> {
        let url = format!("{}/{path}", self.base);
        let asked = self.http.request(method, url).body(body).send().await;
        let answer = asked.context("reach the wire")?;
        let life = answer.headers().get(LIFE).cloned();
        let status = answer.status();
        let body = whole_or_begun(answer, path.starts_with("history")).await?;
        let life = life.context("read the wire's answer: it is none of a wire")?;
        let life = life.to_str().unwrap_or_default();
        ensure!(self.lives(life), Restarted);
        ensure!(
            status.is_success(),
            "the wire answers {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }
}

/// The body of an answer. Where its connection was cut in the middle, an error, or what came of it if `is_partial`: of a history that is
/// as good as any other part.
async fn whole_or_begun(mut answer: Response, is_partial: bool) -> anyhow::Result<Bytes> {
    let mut body = BytesMut::new();
    loop {
        match answer.chunk().await {
            Ok(Some(part)) => body.extend_from_slice(&part),
            Err(error) if body.is_empty() || !is_partial => {
                return Err(error).context("read the wire's answer");
            }
            Ok(None) | Err(_) => return Ok(body.freeze()),
        }
    }
}

/// Its rules are gone, and nobody knows what it had not written down.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the wire was restarted in the middle of the run: requests may lack in the history")]
struct Restarted;

impl Shared {
    fn client(&self, name: &str) -> Arc<Asker> {
        let mut clients = lock(&self.clients);
        let client = clients.entry(name.to_owned());
        client.or_insert_with(|| Arc::new(Asker::new(name))).clone()
    }

    fn trouble(&self, what: String) {
        lock(&self.trouble).get_or_insert(what);
        // Whoever waits for the history looks again.
        self.copied.send_modify(|_| ());
    }

    /// Returns once something has gone wrong.
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

    /// Asks again for as long as there is no way to the wire, for at most as long as it may be away.
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

/// Copies the history as it grows, until something goes wrong.
async fn copy(shared: Arc<Shared>, file: File) {
    let mut copy = Copy {
        file,
        line: Vec::new(),
    };
    loop {
        let path = format!("history?from={}", *shared.copied.borrow());
        let copied = match shared.ridden_out(Method::GET, path, Vec::new()).await {
            Ok(new) => copy.add(&new, &shared),
            Err(error) => Err(error),
        };
        if let Err(error) = copied {
            shared.trouble(format!("{error:#}"));
            return;
        }
    }
}

/// The copy in the run's directory.
struct Copy {
    file: File,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
}

impl Copy {
    fn add(&mut self, new: &[u8], shared: &Shared) -> anyhow::Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(new);
        written.context("append to the copy of the history")?;
        for part in new.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if self.line.last() == Some(&b'\n') {
                let crossing: Crossing = serde_json::from_slice(&self.line)
                    .context("read what the wire has written down")?;
                let client = shared.client(&crossing.client);
                client.asks(&crossing);
                client.was_answered(&crossing);
                self.line.clear();
            }
        }
        shared
            .copied
            .send_modify(|bytes| *bytes += new.len() as u64);
        Ok(())
    }
}

/// Kills whom the wire asks to be killed.
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
        while under_way.try_join_next().is_some() {}
        // Those that are being killed are told again at once.
        if is_idle && !under_way.is_empty() {
            sleep(AGAIN).await;
        }
    }
}

/// Looks at its status again and again.
async fn look(shared: Arc<Shared>) {
    loop {
        if let Err(error) = shared.look().await {
            shared.trouble(format!("{error:#}"));
            return;
        }
        sleep(LOOK).await;
    }
}
