//! The HTTPS server with Entra's endpoints and those of the cluster's token issuer.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jsonwebtoken::jwk::JwkSet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::exchange::{Form, unverified};
use super::{Directory, Refusal, Settings, Signer};

/// Largest request body, in bytes: an assertion has 2 KiB.
const MOST: usize = 64 * 1024;

/// Time limit for the authority's request for the issuer's keys.
const KEYS: Duration = Duration::from_secs(5);

/// First path segment of the issuer's endpoints; Entra's endpoints begin with the tenant.
const CLUSTER: &str = "cluster";

/// One request to exchange an assertion, and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The pod that the assertion is bound to.
    pub pod: String,
    /// The code of the refusal; `None` if a token was given.
    pub refused: Option<u32>,
    /// Whether the pod's previous request had another assertion: its token was replaced in between.
    pub is_replaced: bool,
}

/// What the authority has seen so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Every exchange.
    pub exchanges: Vec<Exchange>,
    /// How many connections and requests had no answer, since the authority was away.
    pub unreached: u64,
}

/// The issuer of service account tokens.
#[derive(Debug)]
enum Issuer {
    /// The authority serves it too, and publishes these keys; it reads them through the discovery document, as Entra does.
    Served {
        published: JwkSet,
        client: reqwest::Client,
    },
    /// A cluster's. Its keys were read when the run began.
    OfCluster(JwkSet),
}

/// The running authority; it stops when dropped.
#[derive(Debug)]
pub struct Authority {
    shared: Arc<Shared>,
    /// The task that accepts connections, and joins those that have ended.
    accepting: Mutex<JoinSet<()>>,
    _open: DropGuard,
}

struct Shared {
    base: String,
    acceptor: TlsAcceptor,
    directory: Directory,
    signer: Signer,
    issuer: Issuer,
    skew_s: AtomicI64,
    is_away: AtomicBool,
    unreached: AtomicU64,
    panicked: AtomicBool,
    exchanges: Mutex<Vec<Exchange>>,
    /// The last assertion of each pod.
    last: Mutex<HashMap<String, String>>,
    secrets: Mutex<Vec<String>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Authority {
    /// Starts an authority on this machine, which is the cluster's issuer too. Clients reach both over `acceptor`, whose
    /// certificate `roots` verify. `directory` makes the directory from the issuer's address; `published` are the issuer's keys.
    pub async fn start(
        acceptor: TlsAcceptor,
        roots: &[reqwest::Certificate],
        published: JwkSet,
        directory: impl FnOnce(String) -> Directory,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("open a port for the authority")?;
        let base = format!("https://{}", listener.local_addr()?);
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(KEYS)
            .tls_certs_only(roots.iter().cloned())
            .build()?;
        let directory = directory(format!("{base}/{CLUSTER}/"));
        let issuer = Issuer::Served { published, client };
        Self::serve(listener, acceptor, base, directory, issuer)
    }

    /// Serves an authority at `listener` as `settings` say, for pods whose tokens a cluster's kubelet projects.
    pub fn of_cluster(
        listener: TcpListener,
        acceptor: TlsAcceptor,
        settings: Settings,
    ) -> anyhow::Result<Self> {
        let Settings {
            host,
            directory,
            keys,
            skew_s,
            is_away,
        } = settings;
        let issuer = Issuer::OfCluster(keys);
        let authority = Self::serve(listener, acceptor, host, directory, issuer)?;
        authority.set_skew(skew_s);
        authority.set_away(is_away);
        Ok(authority)
    }

    fn serve(
        listener: TcpListener,
        acceptor: TlsAcceptor,
        base: String,
        directory: Directory,
        issuer: Issuer,
    ) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            directory,
            base,
            acceptor,
            signer: Signer::of_process("entra")?,
            issuer,
            skew_s: AtomicI64::default(),
            is_away: AtomicBool::default(),
            unreached: AtomicU64::default(),
            panicked: AtomicBool::default(),
            exchanges: Mutex::default(),
            last: Mutex::default(),
            secrets: Mutex::default(),
        });
        let open = CancellationToken::new();
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, shared.clone(), open.clone()));
        Ok(Self {
            shared,
            accepting: Mutex::new(accepting),
            _open: open.drop_guard(),
        })
    }

    /// Its address: the value of `AZURE_AUTHORITY_HOST`.
    pub fn host(&self) -> &str {
        &self.shared.base
    }

    /// The address of the cluster's token issuer, which the same server serves.
    pub fn issuer(&self) -> String {
        format!("{}/{CLUSTER}/", self.shared.base)
    }

    /// The directory with the one identity that the authority knows.
    pub fn directory(&self) -> &Directory {
        &self.shared.directory
    }

    /// Makes the authority close every connection at once, or serve connections again.
    pub fn set_away(&self, is_away: bool) {
        self.shared.is_away.store(is_away, Ordering::Release);
    }

    /// Sets the authority's clock ahead by this many seconds.
    pub fn set_skew(&self, seconds: i64) {
        self.shared.skew_s.store(seconds, Ordering::Release);
    }

    /// Returns an error if a connection's task or the accepting task has panicked. The accepting task ends only by a panic
    /// while the authority exists.
    pub fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            !self.shared.panicked.load(Ordering::Acquire)
                && lock(&self.accepting).try_join_next().is_none(),
            "a task of the authority panicked, which is a bug of the harness"
        );
        Ok(())
    }

    /// What it has seen so far.
    pub fn seen(&self) -> Seen {
        Seen {
            exchanges: lock(&self.shared.exchanges).clone(),
            unreached: self.shared.unreached.load(Ordering::Acquire),
        }
    }

    /// Every token that was given and every assertion that was received: no log or report may contain them.
    pub fn secrets(&self) -> Vec<String> {
        lock(&self.shared.secrets).clone()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, open: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = open.cancelled() => return,
            Some(ended) = connections.join_next() => {
                if ended.is_err() {
                    shared.panicked.store(true, Ordering::Release);
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        // While the authority is away, the dropped stream closes the connection.
        match accepted {
            Ok((stream, _)) if !shared.is_away.load(Ordering::Acquire) => {
                connections.spawn(connection(stream, shared.clone()));
            }
            Ok(_) => shared.miss(),
            // No file descriptor is left; after a pause there may be one.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // A client that does not trust the certificate ends the handshake and reports it itself.
    let Ok(stream) = shared.acceptor.accept(stream).await else {
        return;
    };
    let service = hyper::service::service_fn(move |request| {
        let shared = shared.clone();
        async move { shared.serve(request).await }
    });
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Shared {
    fn miss(&self) {
        self.unreached.fetch_add(1, Ordering::AcqRel);
    }

    /// An error ends the connection without an answer.
    async fn serve(&self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        if self.is_away.load(Ordering::Acquire) {
            self.miss();
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let path = request.uri().path().to_owned();
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let is_get = request.method() == Method::GET;
        let told = match segments[..] {
            [tenant, "oauth2", "v2.0", "token"] if !is_get => {
                let body = Limited::new(request.into_body(), MOST).collect().await;
                let body = body.map_err(io::Error::other)?.to_bytes();
                self.token(tenant, &form(&body)).await
            }
            [CLUSTER, ".well-known", "openid-configuration"] if is_get && self.is_issuer() => {
                Ok(json!({
                    "issuer": format!("{}/{CLUSTER}/", self.base),
                    "jwks_uri": format!("{}/{CLUSTER}/openid/v1/jwks", self.base),
                    "response_types_supported": ["id_token"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                }))
            }
            [CLUSTER, "openid", "v1", "jwks"] if is_get && self.is_issuer() => Ok(self.published()),
            [tenant, "v2.0", ".well-known", "openid-configuration"] if is_get => Ok(json!({
                "issuer": format!("https://sts.windows.net/{tenant}/"),
                "token_endpoint": format!("{}/{tenant}/oauth2/v2.0/token", self.base),
                "jwks_uri": format!("{}/{tenant}/discovery/v2.0/keys", self.base),
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "id_token_signing_alg_values_supported": ["RS256"],
            })),
            [_, "discovery", "v2.0", "keys"] if is_get => Ok(json!(self.signer.published())),
            _ => return answer(StatusCode::NOT_FOUND, &json!({"error": "not_found"})),
        };
        match told {
            Ok(document) => answer(StatusCode::OK, &document),
            Err(refusal) => {
                let status = StatusCode::from_u16(refusal.status());
                answer(status.map_err(io::Error::other)?, &refusal.document())
            }
        }
    }

    fn is_issuer(&self) -> bool {
        matches!(self.issuer, Issuer::Served { .. })
    }

    /// The keys that the issuer publishes.
    fn published(&self) -> Value {
        match &self.issuer {
            Issuer::Served { published, .. } | Issuer::OfCluster(published) => json!(published),
        }
    }

    async fn token(&self, tenant: &str, form: &Form) -> Result<Value, Refusal> {
        let assertion = &form.client_assertion;
        lock(&self.secrets).push(assertion.clone());
        let pod = unverified(assertion).map_or_else(String::new, |claims| claims.pod().to_owned());
        let given = self.exchange(tenant, form).await;
        let refused = given.as_ref().err().map(Refusal::code);
        let before = lock(&self.last).insert(pod.clone(), assertion.clone());
        lock(&self.exchanges).push(Exchange {
            pod,
            refused,
            is_replaced: before.is_some_and(|before| before != *assertion),
        });
        given
    }

    async fn exchange(&self, tenant: &str, form: &Form) -> Result<Value, Refusal> {
        let claims = self.directory.matches(tenant, form)?;
        let issuer = &self.directory.federated.issuer;
        let keys = self.keys(issuer).await;
        let keys = keys.map_err(|_| Refusal::NoKeys(issuer.clone()))?;
        let skew = self.skew_s.load(Ordering::Acquire);
        let now = OffsetDateTime::now_utc().unix_timestamp() + skew;
        self.directory
            .verify(&form.client_assertion, &claims, &keys, now)?;
        let (token, document) = self
            .directory
            .grant(&self.signer, now)
            .expect("a token with constant contents must be possible");
        lock(&self.secrets).push(token);
        Ok(document)
    }

    /// The keys of `issuer`.
    async fn keys(&self, issuer: &str) -> anyhow::Result<JwkSet> {
        #[derive(Deserialize)]
        struct Discovery {
            jwks_uri: String,
        }
        let client = match &self.issuer {
            Issuer::OfCluster(keys) => return Ok(keys.clone()),
            Issuer::Served { client, .. } => client,
        };
        let url = format!("{issuer}.well-known/openid-configuration");
        let found = client.get(url).send().await?.bytes().await?;
        let found: Discovery = serde_json::from_slice(&found)?;
        let keys = client.get(found.jwks_uri).send().await?;
        Ok(serde_json::from_slice(&keys.bytes().await?)?)
    }
}

/// Locks `mutex`, even if an earlier holder panicked: the panic itself is reported by [`Authority::check`].
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads `application/x-www-form-urlencoded`, the format of a URL's query. Missing fields stay empty.
fn form(body: &[u8]) -> Form {
    let mut url = reqwest::Url::parse("https://form/").expect("a constant must be a URL");
    url.set_query(std::str::from_utf8(body).ok());
    let pairs = url.query_pairs().into_owned();
    let pairs = pairs.map(|(name, value)| (name, Value::String(value)));
    serde_json::from_value(Value::Object(pairs.collect())).unwrap_or_default()
}

fn answer(status: StatusCode, document: &Value) -> io::Result<Response<Full<Bytes>>> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .body(Full::new(Bytes::from(document.to_string())))
        .map_err(io::Error::other)
}

#[cfg(test)]
pub(crate) mod tests;
