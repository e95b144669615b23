//! Signing in as a job of GitHub Actions: the runner supplies an assertion of the job, which Entra exchanges for a token.
//!
//! An assertion is valid for ten minutes, and `az login` keeps the first one. Here each token request uses a new assertion, so
//! that a job may last for hours (GitHub, "`OpenID` Connect reference"; Entra, AADSTS700024).

use std::env;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::AUTHORIZATION;
use azure_core::http::{ClientMethodOptions, HttpClient, Method, Request, Url};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
};
use serde::Deserialize;

use super::super::Secret;
use super::super::token::Make;
use super::client_options;

/// The variable with the runner's address for assertions.
const REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";

/// The variable with the token for that address.
const REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// The variables that a job needs for this sign-in.
pub(super) const VARIABLES: [&str; 3] = [REQUEST_URL, "AZURE_CLIENT_ID", "AZURE_TENANT_ID"];

/// The audience that Entra requires ("Workload identity federation").
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// Makes a credential of the job that this process is part of.
pub(super) fn credential(http: Arc<dyn HttpClient>) -> Make {
    Arc::new(move || {
        let variable = |name: &str| {
            env::var(name).map_err(|_| {
                azure_core::Error::with_message(ErrorKind::Credential, format!("{name} is not set"))
            })
        };
        let assertion = JobAssertion {
            url: audience_of(&variable(REQUEST_URL)?)?,
            bearer: Secret::new(variable(REQUEST_TOKEN)?),
            http: http.clone(),
        };
        let options = ClientAssertionCredentialOptions {
            client_options: client_options(http.clone()),
        };
        let (tenant, client) = (variable("AZURE_TENANT_ID")?, variable("AZURE_CLIENT_ID")?);
        Ok(ClientAssertionCredential::new(tenant, client, assertion, Some(options))? as _)
    })
}

/// The runner's address, with the requested audience.
fn audience_of(url: &str) -> azure_core::Result<Url> {
    let mut url: Url = url.parse()?;
    url.query_pairs_mut().append_pair("audience", AUDIENCE);
    Ok(url)
}

/// Fetches a new assertion for each token request.
struct JobAssertion {
    url: Url,
    bearer: Secret,
    http: Arc<dyn HttpClient>,
}

impl fmt::Debug for JobAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JobAssertion")
    }
}

#[derive(Deserialize)]
struct Answer {
    value: String,
}

#[async_trait]
impl ClientAssertion for JobAssertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let mut request = Request::new(self.url.clone(), Method::Get);
        request.insert_header(AUTHORIZATION, format!("bearer {}", self.bearer.expose()));
        let answer = self.http.execute_request(&request).await?;
        let (status, _, body) = answer.deconstruct();
        let body = body.collect().await?;
        if !status.is_success() {
            return Err(azure_core::Error::with_message(
                ErrorKind::Credential,
                format!("the runner gives no assertion: {status}"),
            ));
        }
        let answer: Answer = serde_json::from_slice(&body)?;
        Ok(answer.value)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use azure_core::Bytes;
    use azure_core::http::{AsyncRawResponse, StatusCode, headers::Headers};

    use super::*;

    /// A fake runner that gives this answer, and records the requests.
    #[derive(Debug)]
    struct Runner(StatusCode, &'static str, Mutex<Vec<String>>);

    #[async_trait]
    impl HttpClient for Runner {
        async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
            let bearer = request.headers().get_str(&AUTHORIZATION)?;
            let asked = format!("{} {bearer}", request.url());
            self.2.lock().unwrap().push(asked);
            let body = Bytes::from_static(self.1.as_bytes());
            Ok(AsyncRawResponse::from_bytes(self.0, Headers::new(), body))
        }
    }

    async fn fetched(
        status: StatusCode,
        body: &'static str,
    ) -> (azure_core::Result<String>, String) {
        let runner = Arc::new(Runner(status, body, Mutex::default()));
        let assertion = JobAssertion {
            url: audience_of("https://runner.test/token?api-version=2.0").unwrap(),
            bearer: Secret::new("of the job"),
            http: runner.clone(),
        };
        let fetched = assertion.secret(None).await;
        let asked = runner.2.lock().unwrap().join(", ");
        (fetched, asked)
    }

    #[tokio::test]
    async fn each_token_is_asked_for_with_an_assertion_that_the_runner_has_just_given() {
        let (fetched, asked) = fetched(StatusCode::Ok, r#"{"count": 1, "value": "a.b.c"}"#).await;
        assert_eq!(fetched.unwrap(), "a.b.c");
        assert_eq!(
            asked,
            "https://runner.test/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange bearer of the job"
        );
    }

    #[tokio::test]
    async fn a_runner_that_refuses_is_told_of() {
        let (refused, _) = fetched(StatusCode::Forbidden, "no").await;
        let error = refused.unwrap_err().to_string();
        assert!(
            error.contains("the runner gives no assertion: 403"),
            "{error}"
        );
    }
}
