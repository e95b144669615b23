//! One Azurite in a container of the published image, through testcontainers, as long as this process lives.

use std::{
    io::{self, Read as _},
    net::TcpStream,
    os::unix::fs::MetadataExt as _,
    path::Path,
    process,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use testcontainers::{
    ContainerAsync, ContainerRequest, GenericImage, ImageExt as _,
    bollard::models::{HostConfig, PortBinding},
    core::{IntoContainerPort as _, Mount, WaitFor, logs::LogFrame},
    runners::AsyncRunner as _,
};
use tokio::time::timeout;

use crate::{
    Endpoints, Error, IMAGE, Ports, VERSION, engine,
    options::{COMMON, Options},
    sas::ACCOUNT,
    tls::FILES,
};

const LEASH: &str = include_str!("leash.sh");
/// A script that Node.js loads before Azurite, and its path in the container.
const PATCH: &str = include_str!("patch.js");
const PATCH_FILE: &str = "/patch.js";
const BLOB: u16 = 10000;
const QUEUE: u16 = 10001;
const TABLE: u16 = 10002;
const LEASH_PORT: u16 = 10003;

/// Time limit: Azurite writes its data within 3 s of SIGTERM; afterwards the removal of the container is forced.
const END_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Container {
    /// `None` during its removal.
    inner: Option<ContainerAsync<GenericImage>>,
    leash: Option<TcpStream>,
    has_data: bool,
}

impl Container {
    pub(crate) async fn start(options: &Options) -> Result<(Self, Endpoints), Error> {
        engine::docker_usable().await.map_err(Error::Start)?;
        let stderr = Arc::new(Mutex::new(String::new()));
        let name = unique_name();
        let request = request(options, &name, Arc::clone(&stderr))?;
        let container = match request.start().await {
            Ok(container) => container,
            Err(error) => {
                // testcontainers forgets a container that was created and did not start, and some engines do not remove it.
                engine::remove(&name).await;
                let said = stderr
                    .lock()
                    .expect("no holder of this lock must panic")
                    .clone();
                return Err(failed(&error.to_string(), &said, options.ports));
            }
        };
        let unusable = |error| Error::Start(format!("reach the container: {error}"));
        let host = match container.get_host().await.map_err(unusable)?.to_string() {
            // The port is published on IPv4; a client may try "localhost" as ::1 first.
            host if host == "localhost" => "127.0.0.1".to_owned(),
            host => host,
        };
        let mut ports = [0; 4];
        for (port, inside) in ports.iter_mut().zip([QUEUE, TABLE, BLOB, LEASH_PORT]) {
            *port = container
                .get_host_port_ipv4(inside.tcp())
                .await
                .map_err(unusable)?;
        }
        let [queue, table, blob, leash] = ports;
        let scheme = options.scheme();
        let url = |port| format!("{scheme}://{host}:{port}/{ACCOUNT}");
        let endpoints = Endpoints {
            queue: url(queue),
            table: url(table),
            blob: url(blob),
        };
        let leash = take_leash(host.clone(), leash).await;
        Ok((
            Self {
                inner: Some(container),
                leash,
                has_data: options.directory.is_some(),
            },
            endpoints,
        ))
    }

    /// Whether the container ends by itself if this process is killed.
    pub(crate) fn is_leashed(&self) -> bool {
        self.leash.is_some()
    }

    pub(crate) fn id(&self) -> String {
        self.inner
            .as_ref()
            .map(|container| container.id().to_owned())
            .unwrap_or_default()
    }

    /// That the container has ended, if it has: the other end of its leash is closed then. `None` without a leash.
    pub(crate) fn ended(&self) -> Option<String> {
        let leash = self.leash.as_ref()?;
        // It sends nothing more, so that a read returns only at its end.
        leash.set_nonblocking(true).ok()?;
        let ended = match leash.peek(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        };
        ended.then(|| format!("container {}", self.id()))
    }

    /// Lets Azurite write its data, and returns when the container is removed.
    pub(crate) async fn stop(mut self) {
        self.end().await;
    }

    async fn end(&mut self) {
        let Some(container) = self.inner.take() else {
            return;
        };
        if self.has_data {
            let seconds = i32::try_from(END_LIMIT.as_secs()).unwrap_or(i32::MAX);
            let _ = timeout(END_LIMIT, container.stop_with_timeout(Some(seconds))).await;
        }
        // Its ports are free only when it is gone, and its own removal may be in progress.
        engine::remove(container.id()).await;
        // Its own `Drop` would call the engine once more, blocking a runtime, which it needs.
        std::mem::forget(container);
        self.leash = None;
    }
}

impl Drop for Container {
    /// Works without a runtime, and within a runtime of either kind: a separate thread calls the engine.
    fn drop(&mut self) {
        if self.inner.is_none() {
            return;
        }
        thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                runtime.map(|runtime| runtime.block_on(self.end()))
            });
        });
    }
}

fn request(
    options: &Options,
    name: &str,
    stderr: Arc<Mutex<String>>,
) -> Result<ContainerRequest<GenericImage>, Error> {
    let mut flags = vec!["-c".to_owned(), LEASH.to_owned(), "azurite".to_owned()];
    flags.extend(COMMON.map(String::from));
    flags.extend(
        [
            "--queueHost",
            "0.0.0.0",
            "--tableHost",
            "0.0.0.0",
            "--blobHost",
            "0.0.0.0",
        ]
        .map(String::from),
    );
    flags.extend(match &options.directory {
        Some(_) => ["--location", "/data"].map(String::from).to_vec(),
        None => vec!["--inMemoryPersistence".to_owned()],
    });
    if options.debug_log.is_some() {
        flags.extend(["--debug", "/debug/azurite.log"].map(String::from));
    }
    if options.https.is_some() {
        let [certificate, key] = FILES.map(|file| format!("/https/{file}"));
        let https = ["--cert", &certificate, "--key", &key, "--oauth", "basic"];
        flags.extend(https.map(String::from));
    }
    flags.extend(options.keep_alive());
    let ports = options.ports;
    let request = GenericImage::new(IMAGE, VERSION)
        .with_entrypoint("sh")
        .with_exposed_port(QUEUE.tcp())
        .with_exposed_port(TABLE.tcp())
        .with_exposed_port(BLOB.tcp())
        .with_exposed_port(LEASH_PORT.tcp())
        .with_wait_for(WaitFor::message_on_stdout(
            "Azurite Table service is successfully listening",
        ))
        .with_cmd(flags)
        .with_copy_to(PATCH_FILE, PATCH.as_bytes().to_vec())
        .with_env_var("NODE_OPTIONS", format!("--require={PATCH_FILE}"))
        .with_container_name(name)
        .with_log_consumer(move |frame: &LogFrame| {
            if let LogFrame::StdErr(bytes) = frame {
                stderr
                    .lock()
                    .expect("no holder of this lock must panic")
                    .push_str(&String::from_utf8_lossy(bytes));
            }
        })
        .with_host_config_modifier(move |host| publish(host, ports));
    let request = mounted(request, options.directory.as_deref(), "/data")?;
    let request = mounted(
        request,
        options.debug_log.as_deref().and_then(Path::parent),
        "/debug",
    )?;
    let https = options.https.as_ref();
    mounted(request, https.map(crate::tls::Https::directory), "/https")
}

/// Publishes the ports, to this machine only if possible, and lets the engine remove the container at its end.
fn publish(host: &mut HostConfig, ports: Ports) {
    // IPv4 only: with both families an engine assigns free ports of each separately, and may give away a port on one that a
    // restart needs on both.
    let host_ip = if engine::is_on_this_machine() {
        "127.0.0.1"
    } else {
        "0.0.0.0"
    };
    let wanted = [
        (QUEUE, ports.queue),
        (TABLE, ports.table),
        (BLOB, ports.blob),
        (LEASH_PORT, 0),
    ];
    let bindings = wanted.map(|(inside, outside)| {
        let binding = PortBinding {
            host_ip: Some(host_ip.to_owned()),
            host_port: Some(outside.to_string()),
        };
        (format!("{inside}/tcp"), Some(vec![binding]))
    });
    host.publish_all_ports = Some(false);
    host.port_bindings = Some(bindings.into_iter().collect());
    host.auto_remove = Some(true);
}

/// Mounts a directory, and runs as its owner, so that the user can read and delete Azurite's files.
fn mounted(
    request: ContainerRequest<GenericImage>,
    directory: Option<&Path>,
    inside: &str,
) -> Result<ContainerRequest<GenericImage>, Error> {
    let Some(directory) = directory else {
        return Ok(request);
    };
    let io_error = |source| Error::Io {
        action: "mount",
        path: directory.to_path_buf(),
        source,
    };
    let directory = directory.canonicalize().map_err(io_error)?;
    let owner = directory.metadata().map_err(io_error)?;
    let user = format!("{}:{}", owner.uid(), owner.gid());
    Ok(request
        .with_mount(Mount::bind_mount(directory.to_string_lossy(), inside))
        .with_user(user))
}

/// A unique name per process and call; the time distinguishes a reused process id from a container that is not removed yet.
fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
    format!(
        "edw-azurite-{}-{}-{now:x}",
        process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

fn failed(error: &str, stderr: &str, ports: Ports) -> Error {
    let taken = ["port is already allocated", "address already in use"]
        .iter()
        .any(|text| error.contains(text));
    let asked = [ports.queue, ports.table, ports.blob]
        .into_iter()
        .filter(|port| *port != 0);
    if let Some(port) = asked
        .into_iter()
        .find(|port| taken && error.contains(&format!(":{port}")))
    {
        return Error::PortInUse { port };
    }
    let said = if stderr.trim().is_empty() {
        String::new()
    } else {
        format!("; it said: {}", stderr.trim())
    };
    Error::Start(format!("run {IMAGE}:{VERSION}: {error}{said}"))
}

/// Connects to the leash port and waits for its greeting: an engine's port forwarder accepts connections for any port, but only
/// the container's own listener sends the greeting.
async fn take_leash(host: String, port: u16) -> Option<TcpStream> {
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends by its time limit, and is awaited at once"
    )]
    let taken = tokio::task::spawn_blocking(move || {
        let mut leash = TcpStream::connect((host.as_str(), port))?;
        leash.set_read_timeout(Some(Duration::from_secs(5)))?;
        leash.read_exact(&mut [0; "leash".len()])?;
        std::io::Result::Ok(leash)
    });
    match taken.await.expect("a connection attempt must not panic") {
        Ok(leash) => Some(leash),
        Err(error) => {
            tracing::warn!(%error, "the container cannot tell when this process is killed");
            None
        }
    }
}
