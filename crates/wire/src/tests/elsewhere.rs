//! Tests of the wire as a program with its remote client: clients at its gates, and its control interface over real
//! connections.

use std::sync::atomic::{AtomicBool, AtomicU64};

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::control::Program;

/// The clients that were killed.
#[derive(Debug, Default)]
struct Killed(Mutex<Vec<String>>);

#[async_trait]
impl Kills for Killed {
    async fn kill(&self, name: &str) {
        self.0.lock().unwrap().push(name.to_owned());
    }
}

/// A connection to the control interface that a test can break, like a forwarded port.
struct Cuttable {
    base: String,
    is_open: Arc<AtomicBool>,
    cut: Arc<AtomicU64>,
    _serving: AbortOnDropHandle<()>,
}

impl Cuttable {
    /// Breaks the connection after every `each` bytes of answers; 0: never.
    async fn to(control: std::net::SocketAddr, each: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let is_open = Arc::new(AtomicBool::new(true));
        let cut = Arc::new(AtomicU64::new(0));
        let (opened, cuts) = (is_open.clone(), cut.clone());
        let serving = tokio::spawn(async move {
            let mut ways = JoinSet::new();
            loop {
                let (near, _) = listener.accept().await.unwrap();
                if !opened.load(Ordering::Relaxed) {
                    continue;
                }
                let cuts = cuts.clone();
                ways.spawn(async move {
                    let Ok(far) = TcpStream::connect(control).await else {
                        return;
                    };
                    let (mut from_near, mut to_near) = near.into_split();
                    let (from_far, mut to_far) = far.into_split();
                    let forth = tokio::io::copy(&mut from_near, &mut to_far);
                    let limit = if each == 0 { u64::MAX } else { each };
                    let mut answers = tokio::io::AsyncReadExt::take(from_far, limit);
                    let back = tokio::io::copy(&mut answers, &mut to_near);
                    tokio::select! {
                        _ = forth => {}
                        _ = back => {
                            cuts.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        Self {
            base,
            is_open,
            cut,
            _serving: AbortOnDropHandle::new(serving),
        }
    }
}

/// A remote wire with a storage behind it.
struct Elsewhere {
    storage: Storage,
    gates: [String; 2],
    control: std::net::SocketAddr,
    stop: CancellationToken,
    serving: Option<tokio::task::JoinHandle<()>>,
    dir: tempfile::TempDir,
}

async fn listeners() -> [TcpListener; 2] {
    [
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
    ]
}

impl Elsewhere {
    async fn start() -> Self {
        let storage = Storage::start(true).await;
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("pod")).unwrap();
        std::fs::create_dir_all(dir.path().join("run")).unwrap();
        let control = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut elsewhere = Self {
            storage,
            gates: Default::default(),
            control: control.local_addr().unwrap(),
            stop: CancellationToken::new(),
            serving: None,
            dir,
        };
        elsewhere.live(control).await;
        elsewhere
    }

    async fn live(&mut self, control: TcpListener) {
        let gates = listeners().await;
        self.gates = [0, 1].map(|at: usize| {
            let gate = gates[at].local_addr().unwrap();
            format!("http://{gate}")
        });
        let endpoints = Endpoints {
            queue: self.storage.base.clone(),
            table: self.storage.base.clone(),
        };
        let history = History::open(&self.dir.path().join("pod")).unwrap();
        let program = Program::start(&endpoints, history, 1, gates, own(), None)
            .await
            .unwrap();
        self.stop = CancellationToken::new();
        let serving = Arc::new(program).serve(control, self.stop.clone());
        self.serving = Some(tokio::spawn(serving));
    }

    /// Restarts the program like a container: the files on its disk still exist.
    async fn restart(&mut self) {
        self.stop.cancel();
        self.serving.take().unwrap().await.unwrap();
        let control = TcpListener::bind(self.control).await.unwrap();
        self.live(control).await;
    }

    async fn remote(&self, way: &Cuttable, killed: &Arc<Killed>) -> Remote {
        let run = self.dir.path().join("run");
        Remote::connect(&way.base, &run, killed.clone(), Duration::from_secs(2))
            .await
            .unwrap()
    }

    async fn insert(&self, name: &str) -> Result<u16, reqwest::Error> {
        let url = format!("{}/{name}/acc/T?sig=secret", self.gates[1]);
        let answer = reqwest::Client::new().post(url).body(ROW).send().await?;
        Ok(answer.status().as_u16())
    }
}

fn crossings(remote: &Remote) -> Vec<Crossing> {
    let read = remote.written().read().unwrap();
    read.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn who_asks_is_told_by_the_path_and_the_history_is_copied_over_a_way_that_is_cut_again_and_again()
 {
    let elsewhere = Elsewhere::start().await;
    let way = Cuttable::to(elsewhere.control, 2_000).await;
    let remote = elsewhere.remote(&way, &Arc::default()).await;
    for n in 0..40 {
        let name = format!("pod-{}", n % 2);
        assert_eq!(elsewhere.insert(&name).await.unwrap(), 201);
    }
    remote.finish().await.unwrap();
    let crossings = crossings(&remote);
    assert_eq!(crossings.len(), 40);
    assert_eq!(
        crossings.iter().filter(|it| it.client == "pod-1").count(),
        20
    );
    let in_pod = std::fs::read(elsewhere.dir.path().join("pod/history.jsonl")).unwrap();
    let here = std::fs::read(elsewhere.dir.path().join("run/history.jsonl")).unwrap();
    assert!(in_pod == here, "every byte");
    assert!(way.cut.load(Ordering::Relaxed) > 0);
    let asked = elsewhere.storage.asked.lock().unwrap();
    assert!(
        asked.iter().all(|line| line.starts_with("POST /acc/T")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_rule_is_at_work_when_it_was_put_and_is_gone_with_its_guard() {
    let elsewhere = Elsewhere::start().await;
    let way = Cuttable::to(elsewhere.control, 0).await;
    let remote = elsewhere.remote(&way, &Arc::default()).await;
    let busy = FaultKind::Refuse(Refusal::ServerBusy);
    let rule = Rule::on(Operation::InsertEntity, busy).at_most(2);
    let at_work = remote.install(rule).await.unwrap();
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(elsewhere.insert("pod-1").await.unwrap());
    }
    assert_eq!(answers, [503, 503, 201]);
    remote.finish().await.unwrap();
    assert_eq!((at_work.struck(), remote.struck()), (2, 2));
    // Clients are cut off.
    assert!(elsewhere.insert("pod-1").await.is_err());
}

#[tokio::test]
async fn a_client_that_a_rule_kills_is_killed_by_whoever_reads_of_it_and_asks_for_nothing_more() {
    let elsewhere = Elsewhere::start().await;
    let way = Cuttable::to(elsewhere.control, 0).await;
    let killed = Arc::new(Killed::default());
    let remote = elsewhere.remote(&way, &killed).await;
    let kill = Rule::on(
        Operation::InsertEntity,
        FaultKind::Kill(Moment::AfterEffect),
    )
    .at_most(1);
    let _at_work = remote.install(kill).await.unwrap();
    assert!(elsewhere.insert("pod-1").await.is_err());
    assert_eq!(*killed.0.lock().unwrap(), ["pod-1"]);
    // The client may still live for a moment, but its requests no longer reach storage.
    assert!(elsewhere.insert("pod-1").await.is_err());
    assert_eq!(elsewhere.insert("pod-2").await.unwrap(), 201);
    assert_eq!(elsewhere.storage.asked(), 2);
    remote.finish().await.unwrap();
    let clients: Vec<_> = crossings(&remote).into_iter().map(|it| it.client).collect();
    assert_eq!(clients, ["pod-1", "pod-2"]);
}

#[tokio::test]
async fn a_client_that_is_cut_off_reaches_storage_no_more_and_the_others_do() {
    let elsewhere = Elsewhere::start().await;
    let way = Cuttable::to(elsewhere.control, 0).await;
    let remote = elsewhere.remote(&way, &Arc::default()).await;
    assert_eq!(elsewhere.insert("pod-1").await.unwrap(), 201);
    remote.cut_off("pod-1").await.unwrap();
    assert!(elsewhere.insert("pod-1").await.is_err());
    assert_eq!(elsewhere.insert("pod-2").await.unwrap(), 201);
    assert_eq!(elsewhere.storage.asked(), 2);
}

#[tokio::test]
async fn what_a_held_client_sends_waits_until_it_is_let_go_and_nobody_else_waits() {
    let elsewhere = Elsewhere::start().await;
    let way = Cuttable::to(elsewhere.control, 0).await;
    let remote = elsewhere.remote(&way, &Arc::default()).await;
    remote.hold("pod-1", true).await.unwrap();
    let held = elsewhere.insert("pod-1");
    tokio::pin!(held);
    // The other client's second request is answered while the first client's request waits.
    let others = async {
        for _ in 0..2 {
            assert_eq!(elsewhere.insert("pod-2").await.unwrap(), 201);
        }
    };
    tokio::select! {
        biased;
        answer = &mut held => panic!("it was held, and got {answer:?}"),
        () = others => {}
    }
    assert_eq!(elsewhere.storage.asked(), 2);
    remote.hold("pod-1", false).await.unwrap();
    assert_eq!(held.await.unwrap(), 201);
    remote.finish().await.unwrap();
    let clients: Vec<_> = crossings(&remote).into_iter().map(|it| it.client).collect();
    assert_eq!(clients, ["pod-2", "pod-2", "pod-1"]);
}

#[tokio::test]
async fn the_end_of_the_run_lets_a_held_client_go() {
    let elsewhere = Elsewhere::start().await;
    let way = Cuttable::to(elsewhere.control, 0).await;
    let remote = elsewhere.remote(&way, &Arc::default()).await;
    remote.hold("pod-1", true).await.unwrap();
    let held = elsewhere.insert("pod-1");
    tokio::pin!(held);
    let other = elsewhere.insert("pod-2");
    tokio::select! {
        biased;
        answer = &mut held => panic!("it was held, and got {answer:?}"),
        answer = other => assert_eq!(answer.unwrap(), 201),
    }
    let (finished, _) = tokio::join!(remote.finish(), held);
    finished.unwrap();
}

#[tokio::test]
async fn a_wire_that_was_restarted_has_no_whole_history() {
    let mut elsewhere = Elsewhere::start().await;
    let way = Cuttable::to(elsewhere.control, 0).await;
    let remote = elsewhere.remote(&way, &Arc::default()).await;
    elsewhere.insert("pod-1").await.unwrap();
    elsewhere.restart().await;
    elsewhere.insert("pod-1").await.unwrap();
    let error = format!("{:#}", remote.finish().await.unwrap_err());
    assert!(
        error.contains("the wire was restarted in the middle of the run"),
        "{error}"
    );
    let error = format!("{:#}", remote.check().unwrap_err());
    assert!(
        error.contains("requests may lack in the history"),
        "{error}"
    );
}

#[tokio::test]
async fn a_wire_that_cannot_be_reached_any_more_is_told_of() {
    let elsewhere = Elsewhere::start().await;
    let way = Cuttable::to(elsewhere.control, 0).await;
    let remote = elsewhere.remote(&way, &Arc::default()).await;
    way.is_open.store(false, Ordering::Relaxed);
    elsewhere.stop.cancel();
    let error = format!("{:#}", remote.finish().await.unwrap_err());
    assert!(error.contains("reach the wire"), "{error}");
}

#[tokio::test]
async fn a_status_that_is_asked_for_again_and_again_keeps_nothing_from_being_written() {
    let storage = Storage::start(true).await;
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path()).unwrap();
    let endpoints = Endpoints {
        queue: storage.base.clone(),
        table: storage.base.clone(),
    };
    let gates = listeners().await;
    let started = Program::start(&endpoints, history.clone(), 1, gates, own(), None);
    let program = started.await.unwrap();
    let line = r#"{"client":"c","operation":"insert-entity","resource":"T","began":"2026-01-01 00:00:00.000000","ended":"2026-01-01 00:00:00.000001","answer":"not-asked"}"#;
    let crossing: Crossing = serde_json::from_str(line).unwrap();
    // Threads, because a blocked task would keep the runtime from ending.
    let (wrote, written) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        for _ in 0..20_000 {
            history.append(&crossing);
        }
        let _ = wrote.send(());
    });
    std::thread::spawn(move || while program.status().trouble.is_none() && !wrote_all(&program) {});
    let done = tokio::time::timeout(Duration::from_secs(60), written).await;
    done.expect("nothing may stand still").unwrap();
}

/// Whether the history has about as many bytes as the test writes.
fn wrote_all(program: &Program) -> bool {
    program.status().history > 20_000 * 150
}
