//! Common parts of the tests of several sources: a client's requests, and waiting for an emulator to be gone.

pub(crate) mod up;

use std::{
    net::TcpStream,
    time::{Duration, Instant},
};

use azurite::{Azurite, Source};
use reqwest::{Client, Url};
use tokio::sync::OnceCell;

/// An Azurite from the npm package, whatever other sources exist.
pub(crate) async fn npm() -> Azurite {
    Azurite::builder()
        .source(Source::Npm)
        .start()
        .await
        .unwrap()
}

/// One Azurite for all tests that only use names of their own. Its leash ends it, because statics are not dropped.
pub(crate) async fn shared() -> &'static Azurite {
    static SHARED: OnceCell<Azurite> = OnceCell::const_new();
    SHARED.get_or_init(npm).await
}

/// The status of a signed request that creates a queue, and of one that creates a table.
pub(crate) async fn create_queue_and_table(azurite: &Azurite, sas: &str, name: &str) -> (u16, u16) {
    let client = Client::builder().no_proxy().build().unwrap();
    let queue = client
        .put(format!("{}/{name}?{sas}", azurite.queue_url()))
        .header("content-length", "0")
        .send()
        .await
        .unwrap();
    let table = client
        .post(format!("{}/Tables?{sas}", azurite.table_url()))
        .header("content-type", "application/json")
        .header("accept", "application/json;odata=nometadata")
        .body(format!("{{\"TableName\":\"{name}\"}}"))
        .send()
        .await
        .unwrap();
    (queue.status().as_u16(), table.status().as_u16())
}

/// The names of the existing queues and tables, as the services list them.
pub(crate) async fn listings(azurite: &Azurite) -> String {
    let client = Client::builder().no_proxy().build().unwrap();
    let mut text = String::new();
    for url in [
        format!("{}?comp=list&{}", azurite.queue_url(), azurite.sas()),
        format!("{}/Tables?{}", azurite.table_url(), azurite.sas()),
    ] {
        text += &client
            .get(url)
            .header("accept", "application/json;odata=nometadata")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
    }
    text
}

/// Waits until nothing accepts connections at this URL.
pub(crate) fn assert_goes_away(url: &str) {
    let url = Url::parse(url).unwrap();
    let address = (url.host_str().unwrap().to_owned(), url.port().unwrap());
    let deadline = Instant::now() + Duration::from_secs(15);
    while TcpStream::connect((address.0.as_str(), address.1)).is_ok() {
        assert!(Instant::now() < deadline, "{url} still accepts connections");
        std::thread::sleep(Duration::from_millis(20));
    }
}
