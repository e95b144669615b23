//! The Table service: selects the operation by the address. Each operation's module names its pages of the REST reference.

mod address;
mod batch;
mod entities;
pub(crate) mod format;
mod json;
mod multipart;
mod query;
mod table;

use hyper::Method;

use crate::{
    auth::{Need, ResourceType, Service},
    call::Call,
    http::{error::ServiceError, request::Request, response::Answer},
    properties,
};
use address::Resource;

/// Permission letters that transactions and upserts require together.
const ADD_AND_UPDATE: &str = "au";

/// Answers a request that has been authenticated.
pub(crate) fn answer(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let target = call.target;
    let method = method(target.request)?;
    let resource = address::resource(target)?;
    if target.secondary && method != Method::GET && method != Method::HEAD {
        return Err(ServiceError::read_only_secondary());
    }
    match &resource {
        Resource::Service => service(call, &method),
        Resource::Batch if method == Method::POST => batch::answer(call),
        Resource::Tables if method == Method::GET => {
            call.grant.check(need(ResourceType::Service, "l", ""))?;
            table::query(call)
        }
        Resource::Tables if method == Method::POST => {
            call.grant.check(need(ResourceType::Container, "cw", ""))?;
            table::create(call)
        }
        Resource::OneTable(name) if method == Method::GET => {
            call.grant.check(need(ResourceType::Container, "l", ""))?;
            table::get(call, name)
        }
        Resource::OneTable(name) if method == Method::DELETE => {
            call.grant.check(need(ResourceType::Container, "d", ""))?;
            table::delete(call, name)
        }
        Resource::Acl(name) => {
            call.grant.check(need(ResourceType::Container, "", ""))?;
            match method {
                Method::GET | Method::HEAD => table::policies(call, name),
                Method::PUT => table::set_policies(call, name),
                _ => Err(ServiceError::table_method_not_allowed()),
            }
        }
        Resource::Entities(name) if method == Method::GET => {
            call.grant.check(need(ResourceType::Object, "r", "r"))?;
            query::answer(call, name)
        }
        Resource::Entities(name) if method == Method::POST => {
            call.grant.check(need(ResourceType::Object, "a", "a"))?;
            entities::insert(call, name)
        }
        Resource::Entity(name, key) => entities::answer(call, &method, name, key),
        _ => Err(ServiceError::table_method_not_allowed()),
    }
}

fn service(call: &Call<'_>, method: &Method) -> Result<Answer, ServiceError> {
    let target = call.target;
    if target.parameter("restype") != Some("service") {
        return Err(ServiceError::invalid_uri());
    }
    let (directory, now) = (call.directory, call.now);
    match (method, target.parameter("comp")) {
        (&Method::GET, Some("properties")) => {
            call.grant.check(need(ResourceType::Service, "r", ""))?;
            properties::get(directory, Service::Table)
        }
        (&Method::PUT, Some("properties")) => {
            call.grant.check(need(ResourceType::Service, "w", ""))?;
            properties::set(directory, Service::Table, &target.request.body)
        }
        (&Method::GET, Some("stats")) => {
            call.grant.check(need(ResourceType::Service, "r", ""))?;
            properties::stats(target.secondary, now)
        }
        _ => Err(ServiceError::invalid_uri()),
    }
}

const fn need(resource: ResourceType, account: &'static str, service: &'static str) -> Need {
    Need {
        resource,
        account,
        service,
        writes: false,
    }
}

/// The effective method: `X-HTTP-Method` of a POST replaces it ("HTTP verbs" of OData; mostly used for MERGE).
fn method(request: &Request) -> Result<Method, ServiceError> {
    let mut tunnelled = request.headers.get_all("x-http-method").iter();
    let Some(value) = tunnelled.next() else {
        return Ok(request.method.clone());
    };
    if tunnelled.next().is_some() {
        return Err(ServiceError::x_method_incorrect_count());
    }
    if request.method != Method::POST {
        return Err(ServiceError::x_method_not_using_post());
    }
    match value.as_bytes() {
        b"MERGE" | b"PATCH" => Ok(Method::PATCH),
        b"PUT" => Ok(Method::PUT),
        b"DELETE" => Ok(Method::DELETE),
        b"GET" => Ok(Method::GET),
        _ => Err(ServiceError::x_method_incorrect_value()),
    }
}
