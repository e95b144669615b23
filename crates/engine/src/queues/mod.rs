//! The Queue service: selects the operation by the address. Each operation's module names its pages of the REST reference.

mod messages;
mod queue;
mod service;

use hyper::Method;

use crate::{
    auth::{Need, ResourceType, Service},
    call::Call,
    http::{
        error::ServiceError,
        request::{Target, decoded_segment},
        response::Answer,
    },
    properties,
};

/// An operation of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    ListQueues,
    GetProperties,
    SetProperties,
    GetStats,
    CreateQueue,
    DeleteQueue,
    GetMetadata,
    SetMetadata,
    GetAcl,
    SetAcl,
    PutMessage,
    GetMessages,
    PeekMessages,
    ClearMessages,
    UpdateMessage,
    DeleteMessage,
}

/// Answers a request that has been authenticated.
pub(crate) fn answer(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let operation = operation(call.target)?;
    let (directory, target) = (call.directory, call.target);
    let segment = target.segments.first().copied().unwrap_or_default();
    let name = decoded_segment(segment)?;
    if !target.segments.is_empty() {
        queue::check_name(&name)?;
    }
    let need = operation.need();
    call.grant.check(need)?;
    if need.writes && target.secondary {
        return Err(ServiceError::read_only_secondary());
    }
    match operation {
        Operation::ListQueues => service::list(call),
        Operation::GetProperties => properties::get(directory, Service::Queue),
        Operation::SetProperties => {
            properties::set(directory, Service::Queue, &target.request.body)
        }
        Operation::GetStats => properties::stats(target.secondary, call.now),
        Operation::CreateQueue => queue::create(call, &name),
        Operation::DeleteQueue => queue::delete(call, &name),
        Operation::GetMetadata => queue::metadata(call, &name),
        Operation::SetMetadata => queue::set_metadata(call, &name),
        Operation::GetAcl => queue::policies(call, &name),
        Operation::SetAcl => queue::set_policies(call, &name),
        Operation::PutMessage => messages::put(call, &name),
        Operation::GetMessages => messages::receive(call, &name),
        Operation::PeekMessages => messages::peek(call, &name),
        Operation::ClearMessages => messages::clear(call, &name),
        Operation::UpdateMessage => messages::update(call, &name),
        Operation::DeleteMessage => messages::delete(call, &name),
    }
}

fn operation(target: &Target<'_>) -> Result<Operation, ServiceError> {
    let method = target.method();
    let component = target.parameter("comp");
    let found = match target.segments.as_slice() {
        [] => of_service(method, component, target.parameter("restype")),
        [_] => of_queue(method, component),
        [_, "messages"] => of_messages(method, target.parameter("peekonly")),
        [_, "messages", _] => of_message(method),
        _ => return Err(ServiceError::invalid_uri()),
    };
    found.ok_or_else(|| match (target.segments.as_slice(), component) {
        ([] | [_], Some(component)) => ServiceError::invalid_parameter(
            "comp",
            component,
            "no operation on this resource has that value",
        ),
        _ => ServiceError::method_not_allowed(),
    })
}

fn of_service(method: &Method, component: Option<&str>, kind: Option<&str>) -> Option<Operation> {
    Some(match (method, component, kind) {
        (&Method::GET, Some("list"), _) => Operation::ListQueues,
        (&Method::GET, Some("properties"), Some("service")) => Operation::GetProperties,
        (&Method::PUT, Some("properties"), Some("service")) => Operation::SetProperties,
        (&Method::GET, Some("stats"), Some("service")) => Operation::GetStats,
        _ => return None,
    })
}

fn of_queue(method: &Method, component: Option<&str>) -> Option<Operation> {
    let reads = *method == Method::GET || *method == Method::HEAD;
    Some(match (method, component) {
        (&Method::PUT, None) => Operation::CreateQueue,
        (&Method::DELETE, None) => Operation::DeleteQueue,
        (&Method::PUT, Some("metadata")) => Operation::SetMetadata,
        (&Method::PUT, Some("acl")) => Operation::SetAcl,
        (_, Some("metadata")) if reads => Operation::GetMetadata,
        (_, Some("acl")) if reads => Operation::GetAcl,
        _ => return None,
    })
}

fn of_messages(method: &Method, peek: Option<&str>) -> Option<Operation> {
    let peeks = peek.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    Some(match *method {
        Method::POST => Operation::PutMessage,
        Method::GET if peeks => Operation::PeekMessages,
        Method::GET => Operation::GetMessages,
        Method::DELETE => Operation::ClearMessages,
        _ => return None,
    })
}

fn of_message(method: &Method) -> Option<Operation> {
    Some(match *method {
        Method::PUT => Operation::UpdateMessage,
        Method::DELETE => Operation::DeleteMessage,
        _ => return None,
    })
}

impl Operation {
    /// The permissions that an operation requires: the tables in "Create an account SAS" and "Create a service SAS".
    const fn need(self) -> Need {
        use ResourceType::{Container, Object, Service};
        let (resource, account, service, writes) = match self {
            Self::ListQueues => (Service, "l", "", false),
            Self::GetProperties | Self::GetStats => (Service, "r", "", false),
            Self::SetProperties => (Service, "w", "", true),
            Self::CreateQueue => (Container, "cw", "", true),
            Self::DeleteQueue => (Container, "d", "", true),
            Self::GetMetadata => (Container, "r", "r", false),
            Self::SetMetadata => (Container, "w", "", true),
            // No SAS allows these.
            Self::GetAcl => (Container, "", "", false),
            Self::SetAcl => (Container, "", "", true),
            Self::PutMessage => (Object, "a", "a", true),
            Self::GetMessages | Self::DeleteMessage => (Object, "p", "p", true),
            Self::PeekMessages => (Object, "r", "r", false),
            Self::ClearMessages => (Object, "d", "", true),
            Self::UpdateMessage => (Object, "u", "u", true),
        };
        Need {
            resource,
            account,
            service,
            writes,
        }
    }
}
