//! Requests to the control interface of a remote wire.

use std::sync::Mutex;

use anyhow::{Context as _, ensure};
use bytes::{Bytes, BytesMut};
use reqwest::{Client, Method, Response};

use crate::control::LIFE;
use crate::lock;

/// The connection to its control interface.
#[derive(Debug)]
pub(super) struct Way {
    base: String,
    http: Client,
    /// The start of the program that answered first.
    life: Mutex<Option<String>>,
}

impl Way {
    pub(super) fn new(base: &str, http: Client) -> Self {
        Self {
            base: base.trim_end_matches('/').to_owned(),
            http,
            life: Mutex::default(),
        }
    }

    /// Whether the wire is still in its first start, according to `life`.
    fn lives(&self, life: &str) -> bool {
        let mut first = lock(&self.life);
        first.get_or_insert_with(|| life.to_owned()) == life
    }

    /// Sends a request, and returns the body of the answer; an error contains the wire's own message.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<Bytes> {
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

/// The body of an answer. If its connection breaks in the middle: an error, or the part so far if `is_partial`, because any
/// part of a history can be used.
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

/// Error of a wire that was restarted: its rules are lost, and so are requests that it had not recorded.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the wire was restarted in the middle of the run: requests may lack in the history")]
pub(super) struct Restarted;
