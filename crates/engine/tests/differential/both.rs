//! The engine and Azurite side by side, with one raw HTTP client for both, because an SDK would hide differences.

use std::sync::LazyLock;

use azurite::Azurite;
use engine::Engine;
use reqwest::{Client, Method, redirect::Policy};
use tokio::runtime::Runtime;

use crate::answer::Answer;

/// A request to either service, without its host.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// Path after the account, with its escapes.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Ask {
    pub(crate) fn new(method: &str, path: impl Into<String>) -> Self {
        Self {
            method: method.parse().unwrap(),
            path: path.into(),
            query: String::new(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub(crate) fn query(mut self, query: impl Into<String>) -> Self {
        self.query = query.into();
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }
}

/// The address of one service on one side.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    url: String,
    sas: String,
    client: Client,
}

impl Side {
    fn new(url: String, sas: String) -> Self {
        let client = Client::builder().redirect(Policy::none()).no_proxy();
        Self {
            url,
            sas,
            client: client.build().unwrap(),
        }
    }

    /// The beginning of addresses.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn ask(&self, ask: &Ask) -> Answer {
        let ampersand = if ask.query.is_empty() { "" } else { "&" };
        let url = format!(
            "{}/{}?{}{ampersand}{}",
            self.url, ask.path, ask.query, self.sas
        );
        let mut request = self.client.request(ask.method.clone(), url);
        request = request.header("x-ms-version", "2021-12-02");
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        let response = request.body(ask.body.clone()).send().await.unwrap();
        Answer::of(response).await
    }
}

/// Both sides of one service.
#[derive(Debug, Clone)]
pub(crate) struct Both {
    pub(crate) azurite: Side,
    pub(crate) engine: Side,
}

struct Shared {
    runtime: Runtime,
    azurite: Azurite,
    engine: Engine,
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let azurite = runtime.block_on(Azurite::start()).unwrap();
    let engine = runtime.block_on(Engine::builder().start()).unwrap();
    Shared {
        runtime,
        azurite,
        engine,
    }
});

pub(crate) fn queues() -> Both {
    Both {
        azurite: Side::new(SHARED.azurite.queue_url(), SHARED.azurite.sas()),
        engine: Side::new(SHARED.engine.queue_url(), SHARED.engine.sas()),
    }
}

pub(crate) fn tables() -> Both {
    Both {
        azurite: Side::new(SHARED.azurite.table_url(), SHARED.azurite.sas()),
        engine: Side::new(SHARED.engine.table_url(), SHARED.engine.sas()),
    }
}

pub(crate) fn on_runtime<T>(test: impl Future<Output = T>) -> T {
    SHARED.runtime.block_on(test)
}
