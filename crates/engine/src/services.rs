//! Both services as one function from a request to an answer. Its only I/O is the store's.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use hyper::{Method, StatusCode};

use crate::{
    auth::{Account, Authenticator, Service, sign_account_sas},
    call::Call,
    clock::{Clock, Moment},
    http::{
        cors,
        error::ServiceError,
        request::{Request, Target},
        response::Answer,
        version,
    },
    properties, queues,
    state::directory::Directory,
    tables,
};

/// The account's data, and its clock.
#[derive(Debug, Clone)]
pub struct Services {
    pub(crate) account: Arc<Account>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Validity of a SAS, in seconds: a working day with one engine. Each call signs a new SAS anyway.
const SAS_SECONDS: u64 = 12 * 60 * 60;

impl Services {
    /// An account SAS without its `?`: every permission on both services, for the next 12 hours.
    pub fn sas(&self) -> String {
        let expiry = self.clock.now().plus_seconds(SAS_SECONDS);
        sign_account_sas(&self.account, expiry)
    }

    /// Answers any request: a panic becomes a 500.
    pub fn answer(&self, service: Service, request: &Request) -> Answer {
        let request_id = uuid::Uuid::new_v4().to_string();
        let now = self.clock.now();
        let answered = catch_unwind(AssertUnwindSafe(|| {
            self.answered(service, request, &request_id, now)
        }));
        let answer = answered.unwrap_or_else(|_| {
            tracing::error!(request.id = request_id, "a request has caused a panic");
            Ok(ServiceError::internal().xml(&request_id, now))
        });
        let answer = answer.unwrap_or_else(|error| match service {
            Service::Queue => error.xml(&request_id, now),
            // Without a valid account, it is unknown whether the client asked for JSON.
            Service::Table if Target::new(request, &self.account.name).is_err() => {
                error.xml(&request_id, now)
            }
            Service::Table => tables::format::error(&error, request, &request_id, now),
        });
        self.finished(service, request, &request_id, answer)
    }

    fn answered(
        &self,
        service: Service,
        request: &Request,
        request_id: &str,
        now: Moment,
    ) -> Result<Answer, ServiceError> {
        let target = Target::new(request, &self.account.name)?;
        if let Some(version) = target.header("x-ms-version")
            && !version::is_version(version)
        {
            return Err(ServiceError::invalid_header("x-ms-version", version));
        }
        if request.method == Method::OPTIONS {
            let properties = properties::current(&self.directory, service)?;
            return cors::preflight(&properties, request);
        }
        let authenticator = Authenticator {
            account: &self.account,
            service,
            now,
        };
        let grant = authenticator.grant(&target, |name| match service {
            Service::Queue => self
                .directory
                .with_queue(name, |queue| queue.record.policies.clone())
                .unwrap_or_default(),
            Service::Table => self
                .directory
                .read_table(name, |table| table.record.policies.clone())
                .unwrap_or_default(),
        })?;
        let call = Call {
            directory: &self.directory,
            account: &self.account.name,
            target: &target,
            grant,
            now,
            request_id,
        };
        match service {
            Service::Queue => queues::answer(&call),
            Service::Table => tables::answer(&call),
        }
    }

    /// Adds the headers that every answer has.
    fn finished(
        &self,
        service: Service,
        request: &Request,
        request_id: &str,
        mut answer: Answer,
    ) -> Answer {
        let version = request
            .header("x-ms-version")
            .filter(|version| version::is_version(version));
        answer = answer
            .header("x-ms-request-id", request_id)
            .header("x-ms-version", version.unwrap_or(version::LATEST))
            .header("server", "edw-engine");
        if let Some(id) = request.header("x-ms-client-request-id") {
            answer = answer.header("x-ms-client-request-id", id);
        }
        if request.headers.contains_key("origin")
            && request.method != Method::OPTIONS
            && let Ok(properties) = properties::current(&self.directory, service)
        {
            answer = cors::decorate(&properties, request, answer);
        }
        if request.method == Method::HEAD || answer.status == StatusCode::NO_CONTENT {
            answer.body.clear();
        }
        answer
    }
}

impl Services {
    /// Removes expired messages from all queues.
    pub(crate) fn remove_expired(&self, ending: &tokio_util::sync::CancellationToken) {
        let store = &*self.directory.store;
        for queue in self.directory.all_queues() {
            let now = self.clock.now();
            // The lock is released between two portions, so that requests to the queue can proceed.
            while !ending.is_cancelled()
                && matches!(queue.lock().messages.remove_expired(store, now), Ok(true))
            {
            }
        }
    }
}
