//! Storage that several tests share, and what it holds.

use std::sync::OnceLock;

use azurite::Azurite;
use tokio::runtime::Runtime;

/// An emulator for the tests of one file, since each costs seconds of CPU to start. Its leash ends it, since statics are not
/// dropped.
pub(crate) struct Shared(OnceLock<(Runtime, Azurite)>);

impl Shared {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    pub(crate) fn get(&self) -> &Azurite {
        let started = self.0.get_or_init(|| {
            let runtime = Runtime::new().expect("a runtime");
            let azurite = runtime.block_on(Azurite::start());
            (runtime, azurite.expect("Azurite must start"))
        });
        &started.1
    }
}

/// The lists of the queues and the tables in `azurite`, as it gives them.
pub(crate) async fn contents(azurite: &Azurite) -> String {
    let client = reqwest::Client::builder().no_proxy().build();
    let client = client.expect("a client");
    let mut contents = String::new();
    for url in [
        format!("{}?comp=list&{}", azurite.queue_url(), azurite.sas()),
        format!("{}/Tables?{}", azurite.table_url(), azurite.sas()),
    ] {
        let request = client.get(url);
        let request = request.header("accept", "application/json;odata=nometadata");
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        contents += &answer.text().await.expect("a text");
    }
    contents
}
