//! A raw client of the engine, signed with an account SAS.

use reqwest::{Client, Method, Response};

/// Both services of one engine.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    client: Client,
    queue_url: String,
    table_url: String,
    sas: String,
}

impl Services {
    pub(crate) fn new(queue_url: &str, table_url: &str, sas: String) -> Self {
        Self {
            client: Client::builder().no_proxy().build().unwrap(),
            queue_url: queue_url.to_owned(),
            table_url: table_url.to_owned(),
            sas,
        }
    }

    async fn ask(
        &self,
        url: &str,
        method: Method,
        path: &str,
        query: &str,
        body: String,
    ) -> reqwest::Result<Response> {
        let url = format!("{url}/{path}?{query}&{}", self.sas);
        let request = self.client.request(method, url);
        let request = request
            .header("accept", "application/json;odata=nometadata")
            .header("content-type", "application/json");
        request.body(body).send().await
    }

    /// Sends a request to the Queue service; an error means that the answer was lost.
    pub(crate) async fn queue(
        &self,
        method: Method,
        path: &str,
        query: &str,
        body: String,
    ) -> reqwest::Result<Response> {
        self.ask(&self.queue_url, method, path, query, body).await
    }

    /// Sends a request to the Table service.
    pub(crate) async fn table(
        &self,
        method: Method,
        path: &str,
        query: &str,
        body: String,
    ) -> reqwest::Result<Response> {
        self.ask(&self.table_url, method, path, query, body).await
    }
}

/// Texts of all elements of that name.
pub(crate) fn elements(body: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = body.split(open.as_str()).skip(1);
    parts
        .map(|part| {
            part.split(close.as_str())
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}
