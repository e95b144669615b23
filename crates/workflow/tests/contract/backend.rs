//! The backends, and the macro that runs each test on each of them.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use azurite::Azurite;
use engine::Engine;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use workflow::azure::credential::CredentialChoice;
use workflow::azure::{AccountArgs, AzureQueue, AzureTable, QueueArgs, Secret, Storage, TableArgs};
use workflow::memory::{MemoryQueue, MemoryTable};

/// One runtime for all tests of the binary: the shared Azurite belongs to it, and must outlive every test.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static AZURITE: OnceCell<Azurite> = OnceCell::const_new();
static ENGINE: OnceCell<Engine> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(1);

/// Runs a test on the shared runtime.
pub(crate) fn on_runtime<T>(test: impl Future<Output = T>) -> T {
    RUNTIME.block_on(test)
}

/// A unique name.
fn fresh(prefix: &str) -> String {
    format!("{prefix}{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn memory_queue() -> MemoryQueue {
    MemoryQueue::new(&fresh("memory"))
}

pub(crate) fn memory_table() -> MemoryTable {
    MemoryTable::new(&fresh("memory"))
}

/// The shared Azurite.
pub(crate) async fn emulator() -> &'static Azurite {
    AZURITE
        .get_or_init(|| async { Azurite::start().await.unwrap() })
        .await
}

pub(crate) fn account(sas: String) -> AccountArgs {
    AccountArgs {
        account: None,
        endpoint_suffix: "core.windows.net".into(),
        credential: CredentialChoice::Sas,
        sas: Some(Secret::new(sas)),
        connection_string: None,
    }
}

/// The shared engine.
async fn engine() -> &'static Engine {
    ENGINE
        .get_or_init(|| async { Engine::builder().start().await.unwrap() })
        .await
}

pub(crate) async fn azurite_queue() -> AzureQueue {
    let azurite = emulator().await;
    queue_at(&azurite.queue_url(), azurite.sas())
}

pub(crate) async fn engine_queue() -> AzureQueue {
    let engine = engine().await;
    queue_at(&engine.queue_url(), engine.sas())
}

fn queue_at(url: &str, sas: String) -> AzureQueue {
    let args = QueueArgs {
        queue: fresh("queue").parse().unwrap(),
        queue_endpoint: Some(url.parse().unwrap()),
    };
    let storage = Storage::open(&account(sas)).unwrap();
    storage.queue(&args).unwrap()
}

pub(crate) async fn azurite_table() -> AzureTable {
    let azurite = emulator().await;
    table_at(&azurite.table_url(), azurite.sas())
}

pub(crate) async fn engine_table() -> AzureTable {
    let engine = engine().await;
    table_at(&engine.table_url(), engine.sas())
}

fn table_at(url: &str, sas: String) -> AzureTable {
    let args = TableArgs {
        table: fresh("table").parse().unwrap(),
        table_endpoint: Some(url.parse().unwrap()),
    };
    let storage = Storage::open(&account(sas)).unwrap();
    storage.table(&args).unwrap()
}

/// Polls until `condition` returns a value, for at most 10 s.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    mut condition: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(
            Instant::now() < deadline,
            "the condition did not come true within 10 s"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Makes three tests of each fact: in memory, on Azurite and on the embedded engine.
#[macro_export]
macro_rules! facts {
    ($memory:expr, $azurite:expr, $engine:expr; $($fact:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $fact() {
                $crate::backend::on_runtime(super::$fact($memory));
            })+
        }
        mod azurite {
            $(#[test] fn $fact() {
                $crate::backend::on_runtime(async { super::$fact($azurite.await).await });
            })+
        }
        mod engine {
            $(#[test] fn $fact() {
                $crate::backend::on_runtime(async { super::$fact($engine.await).await });
            })+
        }
    };
}
