//! The embedded Queue and Table services, without a load.

use engine::Engine;

use crate::Error;

/// The embedded Queue and Table services of Azure Storage, in this process and in memory, on free ports of the loopback address.
///
/// ```
/// # async fn example() -> Result<(), edw::Error> {
/// let storage = edw::Storage::start().await?;
/// // For any client of Azure Storage, in any language:
/// let connection_string = storage.connection_string();
/// assert!(connection_string.contains("QueueEndpoint=http://127.0.0.1:"));
/// storage.stop().await;
/// # Ok(()) }
/// # fn main() {
/// #     let runtime = tokio::runtime::Runtime::new().unwrap();
/// #     runtime.block_on(example()).unwrap();
/// # }
/// ```
#[derive(Debug)]
pub struct Storage(Engine);

impl Storage {
    /// Starts both services.
    pub async fn start() -> Result<Self, Error> {
        let started = Engine::builder().start().await;
        Ok(Self(started.map_err(anyhow::Error::from)?))
    }

    /// The connection string, with the published key of emulators.
    pub fn connection_string(&self) -> String {
        self.0.connection_string()
    }

    /// The address of the Queue service, without a signature.
    pub fn queue_url(&self) -> String {
        self.0.queue_url()
    }

    /// The address of the Table service, without a signature.
    pub fn table_url(&self) -> String {
        self.0.table_url()
    }

    /// A shared access signature for everything in both services, to be appended to an address as its query.
    pub fn sas(&self) -> String {
        self.0.sas()
    }

    /// Stops both services. All data is lost.
    pub async fn stop(self) {
        self.0.shutdown().await;
    }
}
