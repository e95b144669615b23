//! Both services as one function from a request to an answer. Its only I/O is the store's.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use hyper::{Method, StatusCode};

use crate::{
    auth::{Account, Authenticator, Grant, Service, sign_account_sas},
    clock::{Clock, Moment},
    http::{
        cors,
        error::ServiceError,
        properties,
        request::{Request, Target},
        response::Answer,
    },
    queues,
    state::directory::Directory,
    tables,
};

/// The version in answers to requests without one: the latest that is implemented.
pub(crate) const LATEST_VERSION: &str = "2026-06-06";

/// The first version of the storage services.
const FIRST_VERSION: &str = "2009-04-14";

/// Whether a text is a version of the services: a date, not before the first version.
pub(crate) fn is_version(text: &str) -> bool {
    let shape = |(index, byte): (usize, u8)| match index {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(shape) && text >= FIRST_VERSION
}

/// The account's data, and its clock.
#[derive(Debug, Clone)]
pub struct Services {
    pub(crate) account: Arc<Account>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A request in progress: the data for an operation.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) services: &'a Services,
    pub(crate) target: &'a Target<'a>,
    pub(crate) grant: Grant,
    pub(crate) now: Moment,
    pub(crate) request_id: &'a str,
}

impl Call<'_> {
    pub(crate) fn directory(&self) -> &Directory {
        &self.services.directory
    }
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
            && !is_version(version)
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
            services: self,
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
            .filter(|version| is_version(version));
        answer = answer
            .header("x-ms-request-id", request_id)
            .header("x-ms-version", version.unwrap_or(LATEST_VERSION))
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
    /// Drops a value that may be large on a separate thread, so that no request waits for it.
    #[expect(
        clippy::disallowed_methods,
        reason = "it frees memory and nothing else: nobody need wait for it, and the process may end before it"
    )]
    pub(crate) fn drop_later<T: Send + 'static>(large: T) {
        let spawned = std::thread::Builder::new()
            .name("engine-drop".into())
            .spawn(move || drop(large));
        if let Err(error) = spawned {
            // Without a thread, the value is dropped here.
            tracing::debug!(%error, "no thread to drop removed data");
        }
    }

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
