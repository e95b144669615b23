//! The HTTP client of an account, which reads root certificates for https only.

use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::Error;
use azure_core::error::ErrorKind;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};

/// How long an idle connection is kept. Azurite (Node.js) closes it after 5 s; with a longer time, requests would be sent into
/// closing connections.
const IDLE: Duration = Duration::from_secs(4);

/// Timeout of connecting.
const CONNECT: Duration = Duration::from_secs(5);

/// Timeout of one try, including the answer. The service ends its own operations after 30 s ("Setting time-outs for Queue
/// service operations"), so a longer wait means a dead connection.
pub(super) const TRY: Duration = Duration::from_secs(35);

/// A client for http, and one for https. To read the root certificates of the system takes half of the CPU time of a program's
/// start, so the client for https is made when an address needs it: those of an emulator do not.
#[derive(Debug)]
pub(super) struct Client {
    plain: reqwest::Client,
    secure: OnceLock<reqwest::Client>,
    /// Trusted as well as the roots of the system.
    roots: Vec<reqwest::Certificate>,
}

impl Client {
    pub(super) fn new(roots: &[reqwest::Certificate]) -> Result<Self, reqwest::Error> {
        Ok(Self {
            plain: builder().tls_certs_only([]).build()?,
            secure: OnceLock::new(),
            roots: roots.to_vec(),
        })
    }

    /// The client for https.
    ///
    /// # Errors
    ///
    /// The roots of the system cannot be read.
    pub(super) fn secure(&self) -> Result<&reqwest::Client, reqwest::Error> {
        if let Some(client) = self.secure.get() {
            return Ok(client);
        }
        let client = builder().tls_certs_merge(self.roots.clone()).build()?;
        Ok(self.secure.get_or_init(|| client))
    }

    #[cfg(test)]
    pub(super) fn has_read_roots(&self) -> bool {
        self.secure.get().is_some()
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .pool_idle_timeout(IDLE)
        .connect_timeout(CONNECT)
        .timeout(TRY)
        .redirect(reqwest::redirect::Policy::none())
}

#[async_trait]
impl HttpClient for Client {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let client = match request.url().scheme() {
            "https" => self.secure().map_err(|error| {
                Error::with_error(ErrorKind::Other, error, "make the HTTP client")
            })?,
            _ => &self.plain,
        };
        client.execute_request(request).await
    }
}
