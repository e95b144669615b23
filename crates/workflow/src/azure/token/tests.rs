use std::sync::atomic::{AtomicU32, Ordering};

use futures::future::join_all;

use super::*;
use crate::ports::ErrorKind as Kind;

/// A fake authority whose answers take 100 ms, and whose tokens live for 100 s.
#[derive(Debug, Default)]
pub(super) struct Authority {
    asked: AtomicU32,
    mood: std::sync::Mutex<Mood>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Mood {
    #[default]
    Willing,
    Down,
    Silent,
}

struct Credential(Arc<Authority>);

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential")
    }
}

#[async_trait]
impl TokenCredential for Credential {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, [SCOPE]);
        let number = self.0.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let mood = *self.0.mood.lock().unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        match mood {
            Mood::Willing => {
                let ends = OffsetDateTime::now_utc() + Duration::from_secs(100);
                Ok(AccessToken::new(format!("token-{number}"), ends))
            }
            Mood::Down => Err(azure_core::Error::with_message(ErrorKind::Io, "refused")),
            Mood::Silent => std::future::pending().await,
        }
    }
}

pub(super) fn shared() -> (Arc<Authority>, SharedToken) {
    let authority = Arc::new(Authority::default());
    let of = authority.clone();
    let make: Make = Arc::new(move || Ok(Arc::new(Credential(of.clone()))));
    (authority, SharedToken::new(make, Arc::new(Asked::default)))
}

impl Authority {
    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

/// The token, and whether it was available at once.
pub(super) async fn token(shared: &SharedToken) -> Result<(String, bool), SignInError> {
    let begun = Instant::now();
    let token = shared.token().await?;
    let at_once = begun.elapsed() < Duration::from_millis(1);
    Ok((token.token.secret().to_owned(), at_once))
}

pub(super) async fn after(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
    // A renewal in the background takes 100 ms.
    tokio::time::sleep(Duration::from_millis(200)).await;
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_share_one_answer() {
    let (authority, shared) = shared();
    let tokens = join_all((0..50).map(|_| token(&shared))).await;
    assert!(
        tokens
            .iter()
            .all(|token| token.as_ref().unwrap().0 == "token-1")
    );
    assert_eq!(authority.asked(), 1);
    assert!(token(&shared).await.unwrap().1);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_at_half_of_its_life_and_nobody_waits() {
    let (authority, shared) = shared();
    token(&shared).await.unwrap();
    after(45).await;
    let kept = ("token-1".to_owned(), true);
    assert_eq!(token(&shared).await.unwrap(), kept);
    after(6).await;
    assert_eq!(token(&shared).await.unwrap(), kept, "and asks for another");
    after(0).await;
    assert_eq!(token(&shared).await.unwrap(), ("token-2".to_owned(), true));
    assert_eq!(authority.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_authority_that_is_away_is_noticed_only_when_the_token_ends() {
    let (authority, shared) = shared();
    token(&shared).await.unwrap();
    authority.is(Mood::Down);
    for _ in 0..8 {
        after(11).await;
        assert_eq!(token(&shared).await.unwrap(), ("token-1".to_owned(), true));
    }
    after(5).await;
    let error = token(&shared).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unreachable);
    authority.is(Mood::Willing);
    after(2).await;
    assert!(token(&shared).await.unwrap().0.starts_with("token-"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_holds_for_all_who_ask_within_a_second() {
    let (authority, shared) = shared();
    authority.is(Mood::Down);
    for _ in 0..100 {
        token(&shared).await.unwrap_err();
    }
    assert_eq!(authority.asked(), 1);
    tokio::time::advance(PAUSE).await;
    token(&shared).await.unwrap_err();
    assert_eq!(authority.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_authority_without_an_answer_is_given_up() {
    let (authority, shared) = shared();
    authority.is(Mood::Silent);
    let begun = Instant::now();
    let error = token(&shared).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unreachable);
    assert!(begun.elapsed() < ANSWER * 2);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_leaves_the_answer_to_the_next() {
    let (authority, shared) = shared();
    let waits = tokio::time::timeout(Duration::from_millis(50), shared.token());
    waits.await.unwrap_err();
    assert_eq!(token(&shared).await.unwrap().0, "token-1");
    assert_eq!(authority.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_sdk_asks_again_when_a_renewal_is_due() {
    let (_, shared) = shared();
    let told = shared.token().await.unwrap().expires_on - OffsetDateTime::now_utc();
    // Half of 100 s plus the SDK's window would be 350 s; the token expires before.
    assert!(told <= Duration::from_secs(100));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_token_is_known_after_it_was_replaced() {
    let (_, shared) = shared();
    token(&shared).await.unwrap();
    let early = Instant::now();
    after(60).await;
    token(&shared).await.unwrap();
    after(0).await;
    assert_eq!(token(&shared).await.unwrap().0, "token-2");
    assert!(!shared.ended_since(early).await, "both last");
    after(41).await;
    assert!(shared.ended_since(early).await, "the first one ended");
    assert!(!shared.ended_since(Instant::now()).await);
    // Soon after the end of the first one comes the third.
    after(10).await;
    token(&shared).await.unwrap();
    after(0).await;
    assert_eq!(token(&shared).await.unwrap().0, "token-3");
    assert!(shared.ended_since(early).await);
    assert!(!shared.ended_since(Instant::now()).await);
}
