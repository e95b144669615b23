//! A token that ends while a request is on its way to storage.
//!
//! Storage answers such a request as one with a wrong token. Nothing is wrong with the identity, and the next try has another
//! token, so the answer must not end the program.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::Error;
use azure_core::error::ErrorKind;
use azure_core::http::headers::ERROR_CODE;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, Context, Request, StatusCode};
use tokio::time::Instant;

use super::SharedToken;
use crate::azure::sign_in::SignInError;

/// Turns such an answer into the error of a try without a token. It sees requests after the SDK has given them their token.
#[derive(Debug)]
pub(in crate::azure) struct OnItsWay(pub(in crate::azure) Arc<SharedToken>);

#[async_trait]
impl Policy for OnItsWay {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let begun = Instant::now();
        let answer = next[0].send(ctx, request, &next[1..]).await?;
        if is_unknown(&answer) && self.0.ended_since(begun).await {
            return Err(Error::new(
                ErrorKind::Credential,
                SignInError::ended_on_its_way(),
            ));
        }
        Ok(answer)
    }
}

/// Whether storage does not know who asks: 401, or 403 `AuthenticationFailed` ("Common REST API error codes"; Azurite answers a
/// token that is over with the second). An identity that lacks a role gets another code.
fn is_unknown(answer: &AsyncRawResponse) -> bool {
    match answer.status() {
        StatusCode::Unauthorized => true,
        StatusCode::Forbidden => {
            let code = answer.headers().get_optional_str(&ERROR_CODE);
            code == Some("AuthenticationFailed")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
