//! One Azurite and one embedded engine for all tests of this binary, and a table on each for each test.

use azure_core::http::{ClientOptions, RetryOptions, Url};
use azurite::Azurite;
use engine::Engine;
use std::{
    fmt::Debug,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};
use tables::{
    ErrorCode, TableClient, TableClientOptions, TableServiceClient, TableServiceClientOptions,
};
use tokio::runtime::Runtime;

/// Without retries, so that a test sees the service's answers.
pub(crate) fn client_options() -> ClientOptions {
    ClientOptions {
        retry: RetryOptions::none(),
        ..Default::default()
    }
}

pub(crate) fn service(url: Url) -> TableServiceClient {
    let options = TableServiceClientOptions {
        client_options: client_options(),
        ..Default::default()
    };
    TableServiceClient::new(url, None, Some(options)).unwrap()
}

pub(crate) fn table(url: Url, name: &str) -> TableClient {
    let options = TableClientOptions {
        client_options: client_options(),
        ..Default::default()
    };
    TableClient::new(url, name, None, Some(options)).unwrap()
}

/// A unique name, also across runs if the emulator is a permanent one.
pub(crate) fn fresh_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let id = azure_core::Uuid::new_v4().simple();
    format!("t{}x{id}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Both services and one runtime for all tests of this process, with which they end.
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

/// The service that a test uses, for the few facts in which they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Azurite,
    Engine,
}

/// Runs a test on each service, with the account's URL, including its SAS.
pub(crate) fn with_each_account<F: Future<Output = ()>>(test: impl Fn(Url, Backend) -> F) {
    let Shared {
        runtime,
        azurite,
        engine,
    } = &*SHARED;
    for (backend, url, sas) in [
        (Backend::Azurite, azurite.table_url(), azurite.sas()),
        (Backend::Engine, engine.table_url(), engine.sas()),
    ] {
        let url = format!("{url}?{sas}");
        runtime.block_on(test(Url::parse(&url).unwrap(), backend));
    }
}

/// Runs a test on each service, with the account's URL, including its SAS.
pub(crate) fn with_account<F: Future<Output = ()>>(test: impl Fn(Url) -> F) {
    with_each_account(|url, _| test(url));
}

/// Runs a test on each service, with its own table.
pub(crate) fn with_table<F: Future<Output = ()>>(test: impl Fn(TableClient) -> F) {
    with_each_table(|table, _| test(table));
}

/// Runs a test on each service, with its own table.
pub(crate) fn with_each_table<F: Future<Output = ()>>(test: impl Fn(TableClient, Backend) -> F) {
    let test = &test;
    with_each_account(|url, backend| async move {
        let table = table(url, &fresh_name());
        table.create(None).await.unwrap();
        test(table, backend).await;
    });
}

/// The code of an expected failure.
pub(crate) fn code<T: Debug>(result: azure_core::Result<T>) -> ErrorCode {
    let error = result.unwrap_err();
    ErrorCode::of(&error).unwrap_or_else(|| panic!("no code in {error}"))
}
