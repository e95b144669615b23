//! `harness sweep`: removes resources of runs in a storage or a cluster that outlives the harness.
//!
//! The event log of a run is the ledger: a resource is recorded before it is created, and again once it is removed. Storage is not
//! searched, so resources that belong to no run are never touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use azurite::{Azurite, Source};
use platform::cluster::{CORDON, NAMESPACE, cordoned, cordoned_in, namespace_in};
use platform::local::account;
use workflow::azure::{QueueArgs, Storage, TableArgs};
use workflow::contract::Stamp;
use workflow::exit::Exit;
use workflow::exit::WrongInput;
use workflow::ports::{ResultTable as _, WorkQueue as _};

use crate::events::{Event, EventLog, FILE, Resource};
use crate::report::{ReportError, RunRecord};
use crate::say::say;

/// How long the deletion of a namespace may take.
const NAMESPACE_GONE: Duration = Duration::from_secs(120);

/// What to sweep.
#[derive(Debug, Clone, clap::Args)]
pub struct SweepArgs {
    /// Directory that holds the run directories [default: target/runs in a Cargo workspace, else edw-out/runs in the project]
    #[arg(long, env = "EDW_OUT", default_value_os_t = project::out("runs"), hide_default_value = true)]
    pub out: PathBuf,
    /// Also clean up the cluster of this kubeconfig context: remove the namespaces of runs whose time (--namespace-life) is over,
    /// and uncordon the nodes that they cordoned. The directories of these runs are not needed
    #[arg(long, env = "EDW_CONTEXT")]
    pub context: Option<String>,
    /// Print what would be removed, and remove nothing; the exit code is 8 if there is anything
    #[arg(long)]
    pub dry_run: bool,
}

/// Removes the resources of the runs that `args` name, except those of a running harness, and prints a line for each. Returns
/// [`Exit::Partial`] if something is left.
pub async fn sweep(args: &SweepArgs) -> anyhow::Result<Exit> {
    let mut left = Vec::new();
    for dir in directories(&args.out)? {
        let resources = leftovers(&dir)?;
        if !resources.is_empty() && EventLog::is_held(&dir)? {
            say(&format!("in use        {}", dir.display()));
        } else {
            left.extend(
                resources
                    .into_iter()
                    .map(|resource| (Some(dir.clone()), resource)),
            );
        }
    }
    if let Some(context) = &args.context {
        let known: Vec<Resource> = left.iter().map(|(_, resource)| resource.clone()).collect();
        let expired = expired(context, &known).await?;
        left.extend(expired.into_iter().map(|namespace| (None, namespace)));
    }
    if left.is_empty() {
        say("nothing is left by a run that has ended");
        return Ok(Exit::Success);
    }
    if args.dry_run {
        for (_, resource) in &left {
            say(&format!("would remove  {resource}"));
        }
        return Ok(Exit::Partial);
    }
    // Nodes first: a namespace may take long to go, and the node is unschedulable meanwhile.
    left.sort_by_key(|(_, resource)| resource.kind != CORDON);
    let (in_clusters, elsewhere): (Vec<_>, Vec<_>) =
        left.into_iter().partition(|(_, it)| is_in_cluster(it));
    let (in_accounts, in_storage): (Vec<_>, Vec<_>) =
        elsewhere.into_iter().partition(|(_, it)| is_in_account(it));
    let mut exit = Exit::Success;
    for (dir, resource) in in_clusters {
        let removed = remove_in_cluster(&resource).await;
        exit = worse(exit, told(removed, dir, resource)?);
    }
    for (dir, resource) in in_accounts {
        let removed = Err(by_hand(&resource));
        exit = worse(exit, told(removed, dir, resource)?);
    }
    if in_storage.is_empty() {
        return Ok(exit);
    }
    let given = Given::open().await.inspect_err(|_| {
        for (_, resource) in &in_storage {
            say(&format!("left          {resource}"));
        }
    })?;
    for (dir, resource) in in_storage {
        let removed = given.remove(&resource).await;
        exit = worse(exit, told(removed, dir, resource)?);
    }
    Ok(exit)
}

/// Prints what became of `resource`; once it is removed, the log of `dir` says so.
fn told(
    removed: anyhow::Result<()>,
    dir: Option<PathBuf>,
    resource: Resource,
) -> anyhow::Result<Exit> {
    if let Err(error) = removed {
        say(&format!("left          {resource}: {error:#}"));
        return Ok(Exit::Partial);
    }
    say(&format!("removed       {resource}"));
    if let Some(dir) = dir {
        let removed = Event::ResourceRemoved(resource);
        EventLog::open(&dir)?.append(Stamp::now(), removed)?;
    }
    Ok(Exit::Success)
}

fn worse(one: Exit, other: Exit) -> Exit {
    if one == Exit::Success { other } else { one }
}

/// The directories below `out`, and those of a suite's runs, in order.
fn directories(out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for dir in entries(out)? {
        // A file, or a directory that was just removed, has no entries.
        let runs = entries(&dir).unwrap_or_default();
        all.push(dir);
        all.extend(runs.into_iter().filter(|run| run.join(FILE).is_file()));
    }
    Ok(all)
}

fn entries(out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    const NO_RUNS: WrongInput =
        WrongInput("list the runs; name the directory that theirs are in with --out");
    let entries = fs::read_dir(out).with_context(|| format!("read {}", out.display()));
    let paths: Result<Vec<_>, _> = entries
        .context(NO_RUNS)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect();
    let mut paths = paths?;
    paths.sort();
    Ok(paths)
}

/// The resources that the run of `dir` has created and not removed. None for a directory without a log: it belongs to no run, or a
/// suite has just removed it.
fn leftovers(dir: &Path) -> anyhow::Result<Vec<Resource>> {
    match RunRecord::read(dir) {
        Ok(record) => Ok(record.resources),
        Err(ReportError::Empty(_)) => Ok(Vec::new()),
        Err(_) if !dir.join(FILE).exists() => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

fn is_in_cluster(resource: &Resource) -> bool {
    resource.kind == NAMESPACE || resource.kind == CORDON
}

/// Whether `resource` is in a storage account that is known by its name: an emulator is known by its address.
fn is_in_account(resource: &Resource) -> bool {
    !is_in_cluster(resource) && !resource.storage.contains("://")
}

/// How to remove a resource of an account, for which a sweep has no credential.
fn by_hand(resource: &Resource) -> anyhow::Error {
    let Resource {
        kind,
        name,
        storage,
    } = resource;
    anyhow!(
        "remove it with `az storage {kind} delete --name {name} --account-name {storage} --auth-mode login`"
    )
}

/// Expired namespaces and cordoned nodes that runs have left in the cluster of `context`, except those in `known`. Those that have
/// not expired are reported, and left.
async fn expired(context: &str, known: &[Resource]) -> anyhow::Result<Vec<Resource>> {
    const UNCHOSEN: WrongInput = WrongInput("look for what runs have left in a cluster");
    let connected = cluster::context::connect(Some(context)).await;
    let client = connected.context(UNCHOSEN)?.client;
    let asked = || format!("ask the cluster of the context {context}");
    let cordons = cordons(context, &client, known).await;
    let mut expired = cordons.with_context(asked)?;
    let all = cluster::namespace::made(&client).await;
    for made in all.with_context(asked)? {
        let namespace = namespace_in(context, made.name.clone());
        if known.contains(&namespace) {
            continue;
        }
        if made.is_expired {
            expired.push(namespace);
        } else {
            let (name, run, date) = (&made.name, &made.run, &made.expires);
            say(&format!(
                "kept          namespace {name} of run {run}: its time ends at {date:?}"
            ));
        }
    }
    Ok(expired)
}

/// The expired cordoned nodes that runs have left. A user without permission to list nodes has none, since cordoning needs that permission.
async fn cordons(
    context: &str,
    client: &kube::Client,
    known: &[Resource],
) -> anyhow::Result<Vec<Resource>> {
    let held = match cluster::nodes::held(client).await {
        Err(cluster::Error::Refused {
            status: Some(403), ..
        }) => return Ok(Vec::new()),
        held => held?,
    };
    let mut expired = Vec::new();
    for held in held {
        let cordon = cordoned_in(context, &held.node, &held.run);
        if known.contains(&cordon) {
            continue;
        }
        if held.is_expired {
            expired.push(cordon);
        } else {
            let (node, run, date) = (&held.node, &held.run, &held.expires);
            say(&format!(
                "kept          cordon of {node} by run {run}: its time ends at {date:?}"
            ));
        }
    }
    Ok(expired)
}

/// Deletes the namespace of a run, in the cluster of the context that the run named, and waits until it is gone; or uncordons a
/// node that the run has cordoned.
async fn remove_in_cluster(resource: &Resource) -> anyhow::Result<()> {
    let connected = cluster::context::connect(Some(&resource.storage)).await?;
    let client = connected.client;
    if resource.kind == NAMESPACE {
        cluster::namespace::remove(&client, &resource.name, NAMESPACE_GONE).await?;
        return Ok(());
    }
    let (node, run) = cordoned(resource).with_context(|| format!("read {:?}", resource.name))?;
    cluster::nodes::uncordon(&client, node, run).await?;
    Ok(())
}

/// The storage whose address is given.
struct Given {
    azurite: Azurite,
    storage: Storage,
}

impl Given {
    async fn open() -> anyhow::Result<Self> {
        let azurite = Azurite::builder().source(Source::Address).start().await;
        let azurite = azurite.context("open the storage to sweep")?;
        let storage = Storage::open(&account())?;
        Ok(Self { azurite, storage })
    }

    /// Removes `resource`; it is not an error if it is gone already.
    async fn remove(&self, resource: &Resource) -> anyhow::Result<()> {
        match resource.kind.as_str() {
            "queue" => {
                let args = QueueArgs {
                    queue: resource.name.parse()?,
                    queue_endpoint: Some(the_same(&self.azurite.queue_url(), resource)?.parse()?),
                };
                self.storage.queue(&args)?.delete_queue().await?;
            }
            "table" => {
                let args = TableArgs {
                    table: resource.name.parse()?,
                    table_endpoint: Some(the_same(&self.azurite.table_url(), resource)?.parse()?),
                };
                self.storage.table(&args)?.delete_table().await?;
            }
            kind => bail!("this harness knows no {kind}; sweep with the one that created it"),
        }
        Ok(())
    }
}

/// The address `given`, if `resource` is there.
fn the_same<'a>(given: &'a str, resource: &Resource) -> anyhow::Result<&'a str> {
    ensure!(
        given == resource.storage,
        "it is not in the storage that is given, {given}; set EDW_AZURITE_QUEUE_URL and EDW_AZURITE_TABLE_URL to where it is"
    );
    Ok(given)
}
