use std::time::Duration;

use azure_core::Bytes;
use azure_core::http::Method;
use azure_core::http::headers::Headers;

use super::super::tests::{after, shared, token};
use super::*;
use crate::azure::error::{On, storage_error};
use crate::azure::sign_in::{Signer, Target};
use crate::ports::{Effect, ErrorKind as Kind, StorageError};

/// Storage that answers after a while.
#[derive(Debug, Clone, Copy)]
struct Answers {
    after: Duration,
    status: StatusCode,
    code: &'static str,
}

#[async_trait]
impl Policy for Answers {
    async fn send(&self, _: &Context, _: &mut Request, _: &[Arc<dyn Policy>]) -> PolicyResult {
        tokio::time::sleep(self.after).await;
        let mut headers = Headers::new();
        headers.insert(ERROR_CODE, self.code);
        Ok(AsyncRawResponse::from_bytes(
            self.status,
            headers,
            Bytes::new(),
        ))
    }
}

/// The answer to a request that gets its token at `at_s` of the 100 s of its life, which storage answers after `takes_s`.
async fn answered(
    at_s: u64,
    takes_s: u64,
    status: StatusCode,
    code: &'static str,
) -> Result<StatusCode, StorageError> {
    let (_, shared) = shared();
    let shared = Arc::new(shared);
    token(&shared).await.unwrap();
    after(at_s).await;
    let answers = Answers {
        after: Duration::from_secs(takes_s),
        status,
        code,
    };
    let next: [Arc<dyn Policy>; 1] = [Arc::new(answers)];
    let url = "https://acct.queue.core.windows.net/work".parse().unwrap();
    let mut request = Request::new(url, Method::Post);
    let sent = OnItsWay(shared)
        .send(&Context::new(), &mut request, &next)
        .await;
    let target = Target {
        service: "queue",
        name: "work".to_owned(),
        account: "acct".to_owned(),
        signer: Signer::Developer,
    };
    sent.map(|answer| answer.status())
        .map_err(|error| storage_error("send message", &target, On::Resource, &error))
}

/// What Azure and Azurite say of a token that is over.
const OVER: [(StatusCode, &str); 2] = [
    (StatusCode::Unauthorized, "InvalidAuthenticationInfo"),
    (StatusCode::Forbidden, "AuthenticationFailed"),
];

#[tokio::test(start_paused = true)]
async fn a_token_that_ends_on_its_way_is_no_refusal() {
    for (status, code) in OVER {
        let error = answered(85, 20, status, code).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unreachable);
        assert_eq!(error.code(), Some("TokenEnded"));
        assert!(error.is_transient());
        assert_eq!(error.effect(), Effect::None, "storage has not taken it");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_while_it_lasts_is_a_refusal() {
    for (status, code) in OVER {
        let answer = answered(85, 5, status, code).await;
        assert_eq!(answer.unwrap(), status);
    }
}

#[tokio::test(start_paused = true)]
async fn another_answer_stays_what_it_is_also_after_the_end_of_the_token() {
    for (status, code) in [
        (StatusCode::Forbidden, "AuthorizationPermissionMismatch"),
        (StatusCode::Created, ""),
        (StatusCode::NotFound, "QueueNotFound"),
    ] {
        let answer = answered(85, 20, status, code).await;
        assert_eq!(answer.unwrap(), status);
    }
}
