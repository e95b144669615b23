//! Token cache: one token for all clients of a process, renewed in the background at half of its lifetime.
//!
//! The SDK keeps a token until five minutes before its expiry. Then all requests of a client wait while it asks for a new one,
//! and it reads the pod's token again at most every ten minutes, which is the shortest lifetime that Kubernetes allows. With
//! this cache no request waits as long as there is a valid token, the authority may be unavailable for half of a token's
//! lifetime without an effect, and each token request reads the pod's token again.

mod on_its_way;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::time::OffsetDateTime;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::http::TRY;
use super::sign_in::{Asked, SignInError};
use crate::task;

pub(super) use on_its_way::OnItsWay;

/// The scope of storage. Tokens for other scopes are not cached: nothing here asks for one.
const SCOPE: &str = "https://storage.azure.com/.default";

/// The SDK's clients ask for a new token when less than this is left of the one they keep (`azure_core`,
/// `BearerTokenAuthorizationPolicy`). They get an expiry time that makes them ask when a renewal is due.
const SDK_WINDOW: Duration = Duration::from_secs(300);

/// Timeout of a token request. Entra answers within a second; requests that wait here have no token at all.
const ANSWER: Duration = Duration::from_secs(10);

/// Pause between two failed tries: many requests may wait for a token, each with its own backoff.
const PAUSE: Duration = Duration::from_secs(1);

/// Makes a new SDK credential, which is used once, so that it caches nothing and reads its files again.
pub(super) type Make = Arc<dyn Fn() -> azure_core::Result<Arc<dyn TokenCredential>> + Send + Sync>;

/// Describes the request for the advice of an error; called when an error happens.
pub(super) type Describe = Arc<dyn Fn() -> Asked + Send + Sync>;

/// A credential that gives all clients the same token.
pub struct SharedToken {
    make: Make,
    describe: Describe,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Kept>,
    /// The ends of earlier tokens, as long as a request that was sent with one of them may be under way.
    ended: Vec<Instant>,
    renewal: Option<AbortOnDropHandle<Result<Kept, SignInError>>>,
    failed: Option<(Instant, SignInError)>,
}

/// A token with its times by the monotonic clock, so that a change of the wall clock does not matter.
#[derive(Clone)]
struct Kept {
    token: AccessToken,
    due: Instant,
    /// From then on no request begins with it.
    last_use: Instant,
    ends: Instant,
}

impl Kept {
    fn of(token: AccessToken) -> Self {
        let left = token.expires_on - OffsetDateTime::now_utc();
        let life = Duration::try_from(left).unwrap_or_default();
        let now = Instant::now();
        // A request takes time, and clocks differ: the last tenth of the lifetime, at most 10 s, is not used.
        let reserve = (life / 10).min(Duration::from_secs(10));
        let due = life / 2;
        Self {
            token: AccessToken {
                expires_on: token
                    .expires_on
                    .min(OffsetDateTime::now_utc() + due + SDK_WINDOW),
                ..token
            },
            due: now + due,
            last_use: now + life.saturating_sub(reserve),
            ends: now + life,
        }
    }
}

impl std::fmt::Debug for SharedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedToken")
    }
}

impl SharedToken {
    pub(super) fn new(make: Make, describe: Describe) -> Self {
        Self {
            make,
            describe,
            state: Mutex::default(),
        }
    }

    /// Asks the authority once.
    async fn ask(make: Make, describe: Describe) -> Result<Kept, SignInError> {
        let asked = async {
            let token = make()?.get_token(&[SCOPE], None).await?;
            azure_core::Result::Ok(Kept::of(token))
        };
        match tokio::time::timeout(ANSWER, asked).await {
            Ok(answer) => answer.map_err(|error| SignInError::of(&error, &describe())),
            Err(_) => Err(SignInError::late(ANSWER)),
        }
    }

    /// Whether a token ended after `begun`: a request that began then may have reached storage with a token that was over.
    async fn ended_since(&self, begun: Instant) -> bool {
        let state = self.state.lock().await;
        let ends = state.token.as_ref().map(|kept| kept.ends);
        let span = begun..=Instant::now();
        let mut all = state.ended.iter().copied().chain(ends);
        all.any(|end| span.contains(&end))
    }

    async fn token(&self) -> Result<AccessToken, SignInError> {
        // Held while there is no token and one is requested: the other requests wait for the same answer.
        let mut state = self.state.lock().await;
        if state
            .renewal
            .as_ref()
            .is_some_and(AbortOnDropHandle::is_finished)
        {
            state.renewed().await;
        }
        let now = Instant::now();
        if let Some(kept) = state.token.as_ref().filter(|kept| now < kept.last_use) {
            let token = kept.token.clone();
            if now >= kept.due && state.renewal.is_none() && state.may_try(now) {
                let asked = Self::ask(self.make.clone(), self.describe.clone());
                state.renewal = Some(task::spawn(asked));
            }
            return Ok(token);
        }
        if state.renewal.is_none() {
            if let Some((_, error)) = state.failed.as_ref().filter(|_| !state.may_try(now)) {
                return Err(error.clone());
            }
            let asked = Self::ask(self.make.clone(), self.describe.clone());
            state.renewal = Some(task::spawn(asked));
        }
        state.renewed().await;
        match (&state.token, &state.failed) {
            (Some(kept), None) => Ok(kept.token.clone()),
            (_, Some((_, error))) => Err(error.clone()),
            (None, None) => unreachable!("a renewal must end with a token or an error"),
        }
    }
}

impl State {
    fn may_try(&self, now: Instant) -> bool {
        let failed = self.failed.as_ref();
        failed.is_none_or(|(at, _)| now.duration_since(*at) >= PAUSE)
    }

    /// Waits for the pending renewal, and stores its result.
    async fn renewed(&mut self) {
        // Taken only when it has ended: if this caller goes away, the next one must find it.
        let Some(renewal) = self.renewal.as_mut() else {
            return;
        };
        let ended = renewal.await;
        self.renewal = None;
        match ended.expect("asking for a token must not panic") {
            Ok(kept) => {
                if self.failed.take().is_some() {
                    tracing::info!("the authority gives tokens again");
                }
                let before = self.token.replace(kept);
                self.ended.extend(before.map(|before| before.ends));
                let longest = TRY + ANSWER;
                self.ended.retain(|end| end.elapsed() < longest);
            }
            Err(error) => {
                if self.failed.is_none() && self.token.is_some() {
                    tracing::warn!(
                        %error,
                        code = error.code,
                        advice = error.advice,
                        "no new token for now: the old one is used until its end"
                    );
                }
                self.failed = Some((Instant::now(), error));
            }
        }
    }
}

#[async_trait]
impl TokenCredential for SharedToken {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        if scopes != [SCOPE] {
            return (self.make)()?.get_token(scopes, options).await;
        }
        let token = self.token().await;
        token.map_err(|error| azure_core::Error::new(ErrorKind::Credential, error))
    }
}

#[cfg(test)]
mod tests;
