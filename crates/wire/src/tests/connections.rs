//! Tests of the connections to storage: shared, opened again, and to an unreachable storage.

use super::*;

#[tokio::test]
async fn clients_share_the_connections_to_storage() {
    let rig = Rig::new().await;
    for _ in 0..50 {
        // A new client each time, and so a new connection to the proxy.
        assert_eq!(rig.insert().await.unwrap().0, 201);
    }
    // For the queue service and for the table service, both of which this storage serves.
    let most = 2 * upstream::CONNECTIONS;
    assert_eq!(rig.storage.connections.load(Ordering::Relaxed), most);
}

#[tokio::test]
async fn connections_that_storage_closes_are_opened_again() {
    let rig = Rig::before(Storage::start(false).await).await;
    for _ in 0..2 * upstream::CONNECTIONS {
        assert_eq!(rig.insert().await.unwrap().0, 201);
    }
    assert!(rig.storage.connections.load(Ordering::Relaxed) > 2 * upstream::CONNECTIONS);
}

#[tokio::test]
async fn more_requests_than_connections_all_get_their_answers() {
    let rig = Rig::new().await;
    let inserts = (0..4 * upstream::CONNECTIONS).map(|_| rig.insert());
    for answer in futures::future::join_all(inserts).await {
        assert_eq!(answer.unwrap().0, 201);
    }
}

#[tokio::test]
async fn storage_that_is_not_there_was_not_asked() {
    let Rig { storage, .. } = Rig::new().await;
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path()).unwrap();
    let nowhere = Endpoints {
        queue: "http://127.0.0.1:1/acc".to_owned(),
        table: "http://127.0.0.1:1/acc".to_owned(),
    };
    let proxy = Proxy::start(&nowhere, history.clone(), Faults::new(1), None, own())
        .await
        .unwrap();
    let mut rig = Rig {
        lane: Some(proxy.lane("consumer-1").await.unwrap()),
        storage,
        proxy,
        history,
        _dir: dir,
    };
    assert!(rig.insert().await.is_err());
    let crossing = rig.history().await.remove(0);
    assert_eq!(crossing.happened(), Happened::No);
    assert_eq!(crossing.answer, Answer::NotAsked);
    let https = Endpoints {
        queue: "https://x.queue.core.windows.net".to_owned(),
        ..nowhere
    };
    assert!(
        Proxy::start(&https, rig.history, Faults::new(1), None, own())
            .await
            .is_err()
    );
}
