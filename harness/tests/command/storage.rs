//! Storages that several tests share, and their contents.

use std::sync::OnceLock;

use azurite::Azurite;
use engine::Engine;
use tokio::runtime::Runtime;

/// One emulator for all tests here that do not end it, since each start costs seconds of CPU time: every test has its own queues
/// and tables in it. Its leash ends it, since statics are not dropped.
pub(crate) fn shared_azurite() -> &'static Azurite {
    static STARTED: OnceLock<(Runtime, Azurite)> = OnceLock::new();
    let start = || {
        let runtime = Runtime::new().expect("a runtime");
        let azurite = runtime.block_on(Azurite::start());
        (runtime, azurite.expect("Azurite must start"))
    };
    // Started on a thread of its own, since the calling test may be in a runtime already.
    let started = STARTED.get_or_init(|| {
        std::thread::spawn(start)
            .join()
            .expect("Azurite must start")
    });
    &started.1
}

/// An engine for all tests to which it does not matter whose storage it is, with its own queues and tables for each test: it serves a
/// request in a hundredth of the time that Azurite takes.
pub(crate) fn shared_engine() -> &'static Engine {
    static STARTED: OnceLock<(Runtime, Engine)> = OnceLock::new();
    let start = || {
        let runtime = Runtime::new().expect("a runtime");
        let engine = runtime.block_on(Engine::builder().start());
        (runtime, engine.expect("the engine must start"))
    };
    let started = STARTED.get_or_init(|| {
        std::thread::spawn(start)
            .join()
            .expect("the engine must start")
    });
    &started.1
}

/// The lists of the queues and the tables in `engine`, as it gives them.
pub(crate) async fn contents(engine: &Engine) -> String {
    let client = reqwest::Client::builder().no_proxy().build();
    let client = client.expect("a client");
    let mut contents = String::new();
    for url in [
        format!("{}?comp=list&{}", engine.queue_url(), engine.sas()),
        format!("{}/Tables?{}", engine.table_url(), engine.sas()),
    ] {
        let request = client.get(url);
        let request = request.header("accept", "application/json;odata=nometadata");
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        contents += &answer.text().await.expect("a text");
    }
    contents
}
