//! Requests to the service: their headers and bodies.

use async_trait::async_trait;
use azure_core::{
    http::{
        Context, Method, Request, Url,
        headers::{ACCEPT, CONTENT_TYPE, HeaderName, MS_DATE, PREFER, VERSION},
        policies::{Policy, PolicyResult},
    },
    time::{OffsetDateTime, to_rfc7231},
};
use std::sync::Arc;

/// OData 3, the newest version that the service supports.
const DATA_SERVICE_VERSION: HeaderName = HeaderName::from_static("dataserviceversion");
const MAX_DATA_SERVICE_VERSION: HeaderName = HeaderName::from_static("maxdataserviceversion");
const ODATA_3: &str = "3.0;NetFx";

pub(super) const RETURN_NO_CONTENT: &str = "return-no-content";
pub(super) const RETURN_CONTENT: &str = "return-content";

/// Makes a request with the common headers.
pub(super) fn new(url: Url, method: Method, version: &str, accept: &'static str) -> Request {
    let mut request = Request::new(url, method);
    request.insert_header(ACCEPT, accept);
    request.insert_header(VERSION, version.to_owned());
    request.insert_header(DATA_SERVICE_VERSION, ODATA_3);
    request.insert_header(MAX_DATA_SERVICE_VERSION, ODATA_3);
    request
}

/// Adds a body of JSON.
pub(super) fn set_json(request: &mut Request, json: Vec<u8>) {
    request.insert_header(CONTENT_TYPE, "application/json");
    request.set_body(json);
}

/// Sets the content that the answer to a write should have.
pub(super) fn prefer(request: &mut Request, preference: &'static str) {
    request.insert_header(PREFER, preference);
}

/// Adds a date to requests with an `Authorization` header, as the service requires.
#[derive(Debug)]
pub(super) struct DatePolicy;

#[async_trait]
impl Policy for DatePolicy {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        request.insert_header(MS_DATE, to_rfc7231(&OffsetDateTime::now_utc()));
        next[0].send(ctx, request, &next[1..]).await
    }
}
