//! The backends, and the macro that runs each fact on each of them.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use azurite::Azurite;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use workflow::azure::credential::CredentialChoice;
use workflow::azure::{AccountArgs, AzureQueue, AzureTable, QueueArgs, Secret, Storage, TableArgs};
use workflow::memory::{MemoryQueue, MemoryTable};

/// One runtime for the whole binary: the shared Azurite belongs to it, and must outlive every single test.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static AZURITE: OnceCell<Azurite> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(1);

/// Runs a test on the shared runtime.
pub(crate) fn on_runtime<T>(test: impl Future<Output = T>) -> T {
    RUNTIME.block_on(test)
}

/// A name that no other test uses.
fn fresh(prefix: &str) -> String {
    format!("{prefix}{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn memory_queue() -> MemoryQueue {
    MemoryQueue::new(&fresh("memory"))
}

pub(crate) fn memory_table() -> MemoryTable {
    MemoryTable::new(&fresh("memory"))
}

/// The shared emulator.
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

pub(crate) async fn azure_queue() -> AzureQueue {
    let azurite = emulator().await;
    let args = QueueArgs {
        queue: fresh("queue").parse().unwrap(),
        queue_endpoint: Some(azurite.queue_url().parse().unwrap()),
    };
    Storage::open(&account(azurite.sas()))
        .unwrap()
        .queue(&args)
        .unwrap()
}

pub(crate) async fn azure_table() -> AzureTable {
    let azurite = emulator().await;
    let args = TableArgs {
        table: fresh("table").parse().unwrap(),
        table_endpoint: Some(azurite.table_url().parse().unwrap()),
    };
    Storage::open(&account(azurite.sas()))
        .unwrap()
        .table(&args)
        .unwrap()
}

/// Waits until `condition` gives something, for at most 10 s.
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

/// Makes a test of each fact, once in memory and once on Azurite.
#[macro_export]
macro_rules! facts {
    ($memory:expr, $azure:expr; $($fact:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $fact() {
                $crate::backend::on_runtime(super::$fact($memory));
            })+
        }
        mod azurite {
            $(#[test] fn $fact() {
                $crate::backend::on_runtime(async { super::$fact($azure.await).await });
            })+
        }
    };
}
