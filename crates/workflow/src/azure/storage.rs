//! A connection to an account: one HTTP client and one credential for every queue and table.

use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use azure_core::http::{ClientOptions, HttpClient, RetryOptions, Transport};
use reqwest::Url;

use super::connection_string::ConnectionString;
use super::credential::{Credential, CredentialError};
use super::endpoint::{self, EndpointError};
use super::given::bare;
use super::http::Client;
use super::sas::{Sas, SasError};
use super::sign_in::Target;
use super::token::OnItsWay;
use super::{
    AccountArgs, AzureQueue, AzureTable, QueueArgs, QueueName, Secret, TableArgs, TableName,
};

/// Contradiction in the storage arguments.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is neither an account nor an endpoint.
    #[error(
        "open the {0}: no account; set AZURE_STORAGE_ACCOUNT_NAME (--account) or the {0} endpoint (--{0}-endpoint)"
    )]
    NoAccount(&'static str),
    /// A connection string for other services alone.
    #[error(
        "open the {0}: the connection string has neither AccountName= nor an endpoint of the {0} service; add one to it, or set \
         AZURE_STORAGE_ACCOUNT_NAME (--account)"
    )]
    NoEndpoint(&'static str),
    /// The endpoint built from account and suffix is not a URL.
    #[error(
        "open the {0}: the endpoint suffix does not make a URL; the public cloud's is core.windows.net"
    )]
    BadSuffix(&'static str),
    /// The endpoint cannot be that of the service.
    #[error("open the {0}: {1}")]
    Endpoint(&'static str, Box<EndpointError>),
    /// The endpoint of another account than that of the connection string.
    #[error(
        "open the {service}: the endpoint (--{service}-endpoint) is that of the account {endpoint:?}, and the connection string, which \
         signs for it, is of the account {signer:?}; give both the same account"
    )]
    OtherAccount {
        /// `queue` or `table`.
        service: &'static str,
        /// The account that the endpoint names.
        endpoint: String,
        /// The account of the connection string.
        signer: String,
    },
    /// A bearer token would be sent over plain HTTP.
    #[error(
        "open the {0}: a token must not travel over http; use an https endpoint, or a SAS for a local Azurite \
         (AZURE_STORAGE_SAS_TOKEN)"
    )]
    TokenOverHttp(&'static str),
    /// A SAS that can never open it.
    #[error("open the {0}: {1}")]
    Sas(&'static str, Box<SasError>),
    /// There is no way to sign in.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The HTTP client could not be created (TLS roots).
    #[error("make the HTTP client")]
    Http(#[source] reqwest::Error),
    /// The SDK refused the configuration.
    #[error("open the {0}")]
    Sdk(&'static str, #[source] azure_core::Error),
}

/// A connection to an account. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Storage {
    account: AccountArgs,
    /// The connection string, for its endpoints.
    given: Option<ConnectionString>,
    credential: Credential,
    http: Arc<dyn HttpClient>,
    /// The same, unless requests are sent another way.
    client: Option<Arc<Client>>,
}

impl Storage {
    /// Chooses the credential and creates the HTTP client; sends nothing.
    ///
    /// TLS trusts the roots of the system, which are read with the first https endpoint; on Linux, `SSL_CERT_FILE` replaces them.
    pub fn open(account: &AccountArgs) -> Result<Self, ConfigError> {
        Self::open_trusting(account, &[])
    }

    /// As [`Storage::open`], and also trusts `roots`.
    pub fn open_trusting(
        account: &AccountArgs,
        roots: &[reqwest::Certificate],
    ) -> Result<Self, ConfigError> {
        let client = Arc::new(Client::new(roots).map_err(ConfigError::Http)?);
        Ok(Self {
            client: Some(client.clone()),
            ..Self::over(account, client)?
        })
    }

    /// As [`Storage::open`], with another way to send requests, such as one with prepared answers. It is also used for token
    /// requests.
    pub fn over(account: &AccountArgs, http: Arc<dyn HttpClient>) -> Result<Self, ConfigError> {
        // Shells and manifests use an empty variable for "not set". A separate SAS takes precedence; an unused connection
        // string is not parsed.
        let set = |given: &&Secret| !bare(given.expose()).is_empty();
        let sas = account.sas.as_ref().filter(set);
        let given = account.connection_string.as_ref().filter(set);
        let given = given.filter(|_| sas.is_none());
        let given = given.map(ConnectionString::read).transpose()?;
        let sas = sas.or(given.as_ref().map(|given| &given.sas));
        let credential = Credential::choose(account.credential, sas, &http)?;
        Ok(Self {
            account: account.clone(),
            given,
            credential,
            http,
            client: None,
        })
    }

    /// Refuses a SAS that lacks `letter`, without which the program cannot do what it is `doing` with `service` at all. Other
    /// credentials say nothing of what they grant.
    pub fn needs(
        &self,
        service: &'static str,
        letter: char,
        doing: &'static str,
    ) -> Result<(), ConfigError> {
        let Credential::Sas(sas) = &self.credential else {
            return Ok(());
        };
        let checked = Sas(sas.expose()).check_letter(letter, doing);
        checked.map_err(|error| ConfigError::Sas(service, Box::new(error)))
    }

    /// The queue of `args`.
    pub fn queue(&self, args: &QueueArgs) -> Result<AzureQueue, ConfigError> {
        self.queue_named(&args.queue, args)
    }

    /// Another queue at the endpoint of `args`, such as its poison queue.
    pub fn queue_named(
        &self,
        name: &QueueName,
        args: &QueueArgs,
    ) -> Result<AzureQueue, ConfigError> {
        let mut url = self.endpoint("queue", name.as_str(), args.queue_endpoint.as_ref())?;
        let target = self.target("queue", name.as_str(), &url);
        push(&mut url, name.as_str());
        let (token, options) = self.sign(&mut url, "queue")?;
        AzureQueue::new(name, target, url, token, options).map_err(|e| ConfigError::Sdk("queue", e))
    }

    /// The table of `args`.
    pub fn table(&self, args: &TableArgs) -> Result<AzureTable, ConfigError> {
        self.table_named(&args.table, args)
    }

    /// Another table at the endpoint of `args`.
    pub fn table_named(
        &self,
        name: &TableName,
        args: &TableArgs,
    ) -> Result<AzureTable, ConfigError> {
        let mut url = self.endpoint("table", name.as_str(), args.table_endpoint.as_ref())?;
        let target = self.target("table", name.as_str(), &url);
        let (token, options) = self.sign(&mut url, "table")?;
        AzureTable::new(name, target, url, token, options).map_err(|e| ConfigError::Sdk("table", e))
    }

    /// The endpoint of `service` for the resource `name`.
    fn endpoint(
        &self,
        service: &'static str,
        name: &str,
        given: Option<&Url>,
    ) -> Result<Url, ConfigError> {
        let signer = self.given.as_ref().and_then(ConnectionString::account);
        let named = given.and_then(|url| endpoint::by_host(url, None));
        if let (Some(endpoint), Some(signer)) = (named, signer)
            && endpoint != signer
        {
            let signer = signer.to_owned();
            return Err(ConfigError::OtherAccount {
                service,
                endpoint,
                signer,
            });
        }
        let in_string = || self.given.as_ref()?.endpoint(service);
        if let Some(url) = given.cloned().or_else(in_string) {
            endpoint::check(&url, service, name, self.account.account.as_deref())
                .map_err(|error| ConfigError::Endpoint(service, Box::new(error)))?;
            return Ok(url);
        }
        let account = self
            .account
            .account
            .as_deref()
            .ok_or_else(|| match self.given {
                Some(_) => ConfigError::NoEndpoint(service),
                None => ConfigError::NoAccount(service),
            })?;
        format!(
            "https://{account}.{service}.{}/",
            self.account.endpoint_suffix
        )
        .parse()
        .map_err(|_| ConfigError::BadSuffix(service))
    }

    fn target(&self, service: &'static str, name: &str, endpoint: &Url) -> Target {
        Target {
            service,
            name: name.to_owned(),
            account: endpoint::account(endpoint),
            signer: self.credential.signer(),
        }
    }

    /// Appends the SAS to the URL, or returns the token credential; in both cases with the options of the client. Root certificates
    /// that cannot be read are an error here, and not of the first request.
    fn sign(
        &self,
        url: &mut Url,
        service: &'static str,
    ) -> Result<(Option<Arc<dyn TokenCredential>>, ClientOptions), ConfigError> {
        if let (Some(client), "https") = (&self.client, url.scheme()) {
            client.secure().map_err(ConfigError::Http)?;
        }
        match &self.credential {
            Credential::Sas(sas) => {
                let checked = Sas(sas.expose()).check_way(url, service);
                checked.map_err(|error| ConfigError::Sas(service, Box::new(error)))?;
                url.set_query(Some(sas.expose()));
                Ok((None, self.options()))
            }
            Credential::Token(..) if url.scheme() != "https" => {
                Err(ConfigError::TokenOverHttp(service))
            }
            Credential::Token(token, _) => {
                let mut options = self.options();
                options
                    .per_try_policies
                    .push(Arc::new(OnItsWay(token.clone())));
                Ok((Some(token.clone()), options))
            }
        }
    }

    fn options(&self) -> ClientOptions {
        ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(Transport::new(self.http.clone())),
            ..ClientOptions::default()
        }
    }
}

/// Appends a path segment, whether or not the endpoint ends with a slash.
fn push(url: &mut Url, segment: &str) {
    url.path_segments_mut()
        .expect("an http URL must have a path")
        .pop_if_empty()
        .push(segment);
}

#[cfg(test)]
mod tests;
