//! Client of an authority that runs as a pod.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use reqwest::{Client, Method};
use tokio::time::sleep;

use super::Seen;
use super::program::LIFE;

/// Timeout of a request.
const ANSWER: Duration = Duration::from_secs(30);

/// Interval between two tries, while the authority is unreachable.
const AGAIN: Duration = Duration::from_millis(200);

/// An authority in another process.
#[derive(Debug)]
pub struct Remote {
    base: String,
    http: Client,
    patience: Duration,
    /// The start of the program that answered first.
    life: Mutex<Option<String>>,
}

/// Error of an authority that does not answer as the one that answered first.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    /// It was restarted: it has forgotten what it saw.
    #[error("the authority was restarted in the middle of the run: what it saw before is lost")]
    Restarted,
    /// It refused.
    #[error("the authority answers {0}: {1}")]
    Refused(u16, String),
}

impl Remote {
    /// Connects to the authority whose control interface is at `base`, such as `http://127.0.0.1:34567`, and waits until it
    /// answers. It may be unreachable for at most `patience`: a forwarded port breaks when the API server restarts.
    pub async fn connect(base: &str, patience: Duration) -> anyhow::Result<Self> {
        let http = Client::builder().no_proxy().timeout(ANSWER).build();
        let remote = Self {
            base: base.trim_end_matches('/').to_owned(),
            http: http.context("make a client for the authority's control")?,
            patience,
            life: Mutex::default(),
        };
        remote.seen().await.context("find the authority")?;
        Ok(remote)
    }

    /// What it has seen so far.
    pub async fn seen(&self) -> anyhow::Result<Seen> {
        let told = self.ask(Method::GET, "seen").await?;
        serde_json::from_slice(&told).context("read what the authority has seen")
    }

    /// Every token that was given and every assertion that was received: no log or report may contain them.
    pub async fn secrets(&self) -> anyhow::Result<Vec<String>> {
        let told = self.ask(Method::GET, "secrets").await?;
        serde_json::from_slice(&told).context("read the tokens that the authority has given")
    }

    /// Makes it close every connection at once, or serve connections again.
    pub async fn set_away(&self, is_away: bool) -> anyhow::Result<()> {
        let method = if is_away { Method::PUT } else { Method::DELETE };
        self.ask(method, "away").await?;
        Ok(())
    }

    /// Repeats a request while the authority is unreachable, up to the time limit.
    async fn ask(&self, method: Method, path: &str) -> anyhow::Result<Bytes> {
        let since = Instant::now();
        loop {
            match self.once(method.clone(), path).await {
                Ok(answer) => return Ok(answer),
                Err(error) if error.is::<Wrong>() || since.elapsed() > self.patience => {
                    return Err(error);
                }
                Err(_) => sleep(AGAIN).await,
            }
        }
    }

    async fn once(&self, method: Method, path: &str) -> anyhow::Result<Bytes> {
        let url = format!("{}/{path}", self.base);
        let asked = self.http.request(method, url).send().await;
        // What reqwest says holds the address, and no token.
        let answer = asked.context("reach the authority")?;
        let status = answer.status();
        let life = answer.headers().get(LIFE).cloned();
        let body = answer
            .bytes()
            .await
            .context("read the authority's answer")?;
        let life = life.context("read the authority's answer: it is none of an authority")?;
        ensure!(
            self.lives(life.to_str().unwrap_or_default()),
            Wrong::Restarted
        );
        let told = || String::from_utf8_lossy(&body).into_owned();
        ensure!(status.is_success(), Wrong::Refused(status.as_u16(), told()));
        Ok(body)
    }

    /// Whether the authority is still in its first start, according to `life`.
    fn lives(&self, life: &str) -> bool {
        let mut first = super::server::lock(&self.life);
        first.get_or_insert_with(|| life.to_owned()) == life
    }
}
