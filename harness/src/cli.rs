//! The command line of `harness` and of `edw`, which are the same program.

mod features;
mod files;
mod lint;

pub use features::test_main;

use std::io::{IsTerminal as _, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use platform::{Profile, StorageChoice, Workload, WorkloadArgs};
use workflow::exit::Exit;
use workflow::exit::WrongInput;
use workflow::telemetry::TelemetryArgs;

use self::files::ExportArgs;
use self::lint::LintCommand;
use crate::compare::CompareArgs;
use crate::exit::exit_of;
use crate::init::InitArgs;
use crate::load::LoadArgs;
use crate::nights::NightsArgs;
use crate::outcome::Outcome;
use crate::panics::Stray;
use crate::report::ReportError;
use crate::say::say;
use crate::scenario::{Selection, SuiteArgs, SuiteReport};
use crate::sweep::SweepArgs;
use crate::verify::VerifyArgs;
use advise::recording::{Progress, RecordingArgs};
use advise::simulate::SimulateArgs;

/// Proves that an event-driven workload keeps its promises
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
The guides that help and messages name (docs/...) are inside the program: `edw export DIRECTORY docs` writes them out.

Exit codes: 0 pass; 10 fail (the system broke a promise); 11 inconclusive (the harness could not tell); 12 incomplete (cut \
off). Nothing was judged: 2 wrong flag, variable or input file; 3 storage or emulator not available; 4 queue or table \
missing; 5 access denied; 6 file or directory not usable; 8 a sweep could not remove everything; 1 a bug of the harness.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Send a load through the workload, audit every result, report latency
    Load(Box<LoadCommand>),
    /// Run the scenarios of the feature files
    Run(Box<RunCommand>),
    /// Check feature files or a workload description, and name the file and line of each problem
    Lint(LintCommand),
    /// Print a first description of a workload (edw.yaml), made from its messages and rows in storage or in files
    Init(Box<InitCommand>),
    /// Write the reports of a run or suite again from its event log; works for a killed run too
    Report {
        /// Directory of the run or suite, such as target/runs/<run>
        dir: PathBuf,
    },
    /// Audit the table of a load that has ended; any program may have written the rows
    Verify(Box<VerifyCommand>),
    /// Simulate scaling settings under a load, without a cluster: replicas, backlog, cost, and problems
    Simulate(Box<SimulateArgs>),
    /// Compare a recording of a real cluster's queue and replicas with the model of KEDA and the HPA
    Recording(RecordingArgs),
    /// Compare runs or suites with earlier ones: what is worse, better, alike, or cannot be told
    Compare(CompareArgs),
    /// Write an HTML page about many nights: the outcome of each night, the history of each promise, and links to reports
    Nights(NightsArgs),
    /// Remove what killed runs have left: queues and tables in a storage that was given, namespaces in a cluster; also uncordon its nodes
    Sweep(SweepCommand),
    /// Create, check and remove an AKS environment for one night; the same as the binary `aks`
    #[command(after_help = aks::args::EXIT_CODES)]
    Aks {
        #[command(subcommand)]
        command: aks::args::Command,
    },
    /// Run the workload's producer; the same as its own binary
    Producer(Box<producer::Args>),
    /// Run the workload's consumer; the same as its own binary
    Consumer(Box<consumer::Args>),
    /// Run the storage engine, which serves Azure's Queue and Table services; the same as its own binary
    Engine(Box<engine::program::Args>),
    /// Copy the features, manifests and example prices inside this program to a directory, so that you can edit them. `docs` are the guides
    Export(ExportArgs),
    /// Print the completions for a shell
    Completions {
        /// Shell to make completions for
        shell: clap_complete::Shell,
    },
    /// Write a manual page for each command into a directory
    Man {
        /// Directory to write to. `man` finds the pages in it if it is called `man1` and its parent directory is in `MANPATH`
        dir: PathBuf,
    },
    /// Ends the children of a harness that is gone
    #[command(hide = true)]
    Guard { mark: String },
}

#[derive(Debug, clap::Args)]
struct LoadCommand {
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

#[derive(Debug, clap::Args)]
struct InitCommand {
    #[command(flatten)]
    init: InitArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

#[derive(Debug, clap::Args)]
struct SweepCommand {
    #[command(flatten)]
    sweep: SweepArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

#[derive(Debug, clap::Args)]
struct VerifyCommand {
    #[command(flatten)]
    verify: VerifyArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

#[derive(Debug, clap::Args)]
struct RunCommand {
    #[command(flatten)]
    suite: SuiteArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

/// Runs the command of this process, and returns its exit code. `name` is the name of the program.
pub fn main(name: &'static str) -> ExitCode {
    let matches = command(name).try_get_matches_from(workflow::flags::arguments());
    let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = cli.unwrap_or_else(|error| workflow::flags::refuse(&error));
    let stray = Stray::watch();
    let code = dispatch(cli, name);
    no_success_after_a_panic(code, stray.reason())
}

/// The exit code of a command, of whose tasks one may have panicked unseen.
#[expect(clippy::print_stderr, reason = "a person must hear of a bug")]
fn no_success_after_a_panic(code: ExitCode, panicked: Option<String>) -> ExitCode {
    match panicked {
        Some(why) if code == ExitCode::SUCCESS => {
            eprintln!("error: {why}");
            exit(Exit::Bug)
        }
        _ => code,
    }
}

fn command(name: &'static str) -> clap::Command {
    Cli::command().name(name)
}

/// The visible commands, for completions and manual pages.
fn visible(name: &'static str) -> clap::Command {
    let all = command(name);
    let shown = all.get_subcommands().filter(|it| !it.is_hide_set());
    let shown: Vec<_> = shown.cloned().collect();
    let about = all.get_about().cloned().unwrap_or_default();
    let bare = clap::Command::new(name).version(env!("CARGO_PKG_VERSION"));
    bare.about(about).after_help(AFTER_HELP).subcommands(shown)
}

fn dispatch(cli: Cli, name: &'static str) -> ExitCode {
    match cli.command {
        Command::Export(args) => told(files::export(&args)),
        Command::Completions { shell } => told(files::completions(visible(name), shell)),
        Command::Man { dir } => told(files::man(visible(name), &dir)),
        Command::Aks { command } => aks::main(aks::Args { command }),
        Command::Producer(args) => exit(producer::main(*args)),
        Command::Consumer(args) => exit(consumer::main(*args)),
        Command::Engine(args) => engine::program::main(&args),
        Command::Guard { mark } => {
            platform::local::guard::main(&mark);
            ExitCode::SUCCESS
        }
        Command::Report { dir } => told(report(&dir)),
        Command::Lint(command) => told(lint::lint(&command)),
        Command::Simulate(args) => told(simulate(&args)),
        Command::Compare(args) => told(compare(&args)),
        Command::Nights(args) => told(nights(&args)),
        Command::Recording(args) => told(recording(&args)),
        Command::Verify(command) => in_runtime(&command.telemetry, async {
            let (record, report) = crate::verify::verify(&command.verify).await?;
            crate::load::summarise(&record, &report);
            Ok(ExitCode::from(record.verdict().outcome))
        }),
        Command::Init(command) => in_runtime(&command.telemetry, async {
            say(crate::init::init(&command.init).await?.trim_end());
            Ok(ExitCode::SUCCESS)
        }),
        Command::Sweep(command) => in_runtime(&command.telemetry, async {
            Ok(exit(crate::sweep::sweep(&command.sweep).await?))
        }),
        Command::Load(command) => in_runtime(&command.telemetry, async {
            let workload = workload(&command.load.workload)?;
            crate::load::check(&command.load, &workload)?;
            let args = &command.load;
            let storage = args.storage();
            let platform = platform::start(&args.workload, workload, storage, &args.out).await?;
            let outcome = crate::load::load(args, &*platform).await?;
            Ok(ExitCode::from(outcome))
        }),
        Command::Run(command) if command.suite.list => told(list(&command.suite)),
        Command::Run(command) => in_runtime(&command.telemetry, async {
            let known = profile(&command.suite.workload)?;
            let selection = crate::scenario::select(&command.suite, &known)?;
            let workload = workload(&command.suite.workload)?;
            suite(&command.suite, (selection, known), workload).await
        }),
    }
}

fn simulate(args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    let answer = advise::simulate::simulate(args)?;
    let files = advise::simulate::write(args, &answer)?;
    say(&advise::simulate::text(&answer, stdout().is_terminal()));
    say(&format!("page     {}", files.html.display()));
    say(&format!("figures  {}", files.json.display()));
    Ok(ExitCode::SUCCESS)
}

fn compare(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    let answer = crate::compare::compare(args)?;
    say(&crate::compare::text(&answer));
    if let Some(file) = &args.json {
        let json = serde_json::to_vec_pretty(&answer).context("write the answer as JSON")?;
        std::fs::write(file, json).with_context(|| format!("write {}", file.display()))?;
    }
    Ok(ExitCode::from(answer.outcome()))
}

fn nights(args: &NightsArgs) -> anyhow::Result<ExitCode> {
    let (page, count) = crate::nights::write(args)?;
    say(&format!("{count} nights, {}", page.display()));
    Ok(ExitCode::SUCCESS)
}

fn recording(args: &RecordingArgs) -> anyhow::Result<ExitCode> {
    let mut progress = Progress::new(stderr(), Instant::now());
    let answer = advise::recording::judge(args, &mut |part| progress.tell(part, Instant::now()))?;
    say(&answer.text());
    Ok(ExitCode::from(answer.outcome()))
}

/// The context of every error about a directory that holds no run.
const NO_RUN: WrongInput =
    WrongInput("report on a run; name its directory, target/runs/<run> or edw-out/runs/<run>");

fn report(dir: &Path) -> anyhow::Result<ExitCode> {
    let (record, report) = crate::report::write(dir).map_err(|error| match error {
        ReportError::Log(_) | ReportError::Empty(_) => anyhow::Error::new(error).context(NO_RUN),
        error @ ReportError::Write { .. } => error.into(),
    })?;
    crate::load::summarise(&record, &report);
    Ok(ExitCode::from(record.verdict().outcome))
}

fn exit(exit: Exit) -> ExitCode {
    ExitCode::from(exit.code())
}

fn workload(args: &WorkloadArgs) -> anyhow::Result<Workload> {
    let harness = std::env::current_exe().context("find the harness executable")?;
    Workload::chosen(&harness, args)
}

/// What the platform that `--env` names offers to the described worker; known before it starts.
fn profile(args: &WorkloadArgs) -> anyhow::Result<Profile> {
    let platform = args.environment.profile(args);
    Ok(match platform::described(args.workload.as_deref())? {
        Some(described) => platform.with_worker(&described.description),
        None => platform,
    })
}

async fn suite(
    args: &SuiteArgs,
    (selection, known): (Selection, Profile),
    workload: Workload,
) -> anyhow::Result<ExitCode> {
    crate::scenario::check(args, &workload)?;
    let storage = args.workload.storage.unwrap_or(StorageChoice::Azurite);
    let description = workload.description.clone();
    let platform = platform::start(&args.workload, workload, storage, &args.out).await?;
    // A cluster tells some of what it offers only now, such as whether its issuer can be read.
    let offered = platform.profile().with_worker(&description);
    let selection = if offered == known {
        selection
    } else {
        crate::scenario::select(args, &offered)?
    };
    let report = crate::scenario::run(args, selection, platform).await?;
    crate::load::summarise(&report.record, &report.report);
    Ok(conclude(&report))
}

fn in_runtime(
    telemetry: &TelemetryArgs,
    work: impl Future<Output = anyhow::Result<ExitCode>>,
) -> ExitCode {
    let run = || {
        // A suite prints the progress of its scenarios itself; log lines of every run would hide it.
        // What the Kubernetes client logs is in its errors too.
        let _telemetry = telemetry.init("harness", "warn,kube_client=off")?;
        let runtime = tokio::runtime::Runtime::new().context("start the async runtime")?;
        runtime.block_on(work)
    };
    told(run())
}

/// The exit code of a command; the reason of an error is printed.
#[expect(
    clippy::print_stderr,
    reason = "the one place that tells a person why the command failed"
)]
fn told(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        let told = workflow::unanswered::plainly(&format!("{error:#}"));
        eprintln!("error: failed to {told}");
        exit(exit_of(&error))
    })
}

/// Prints the selected scenarios as the test harness of Rust does, and for people the scenarios that cannot run here. It is an
/// error if there are none at all.
#[expect(
    clippy::print_stderr,
    reason = "what reads the list of tests takes nothing else from the standard output"
)]
fn list(suite: &SuiteArgs) -> anyhow::Result<ExitCode> {
    let known = profile(&suite.workload)?;
    let listed = crate::scenario::list(suite, &known)?;
    if listed.names.is_empty() && listed.not_run.is_empty() {
        // As a run of nothing is refused.
        crate::scenario::select(suite, &known)?;
    }
    for name in &listed.names {
        say(&format!("{name}: test"));
    }
    for not_run in &listed.not_run {
        eprintln!("{}", crate::report::not_run_line(not_run));
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the result of a suite, the most important line last, where a reader looks first, and returns its exit code.
fn conclude(report: &SuiteReport) -> ExitCode {
    if report.filtered_out > 0 {
        say(&format!(
            "left out by the filter: {} scenarios",
            report.filtered_out
        ));
    }
    let count = |outcome| report.count(outcome);
    let mut counts = vec![
        format!("{} passed", count(Outcome::Pass)),
        format!("{} failed", count(Outcome::Fail)),
    ];
    for outcome in [Outcome::Inconclusive, Outcome::Incomplete] {
        if count(outcome) > 0 {
            counts.push(format!("{} {outcome}", count(outcome)));
        }
    }
    counts.push(format!("{} not run", report.record.not_run.len()));
    say(&counts.join(", "));
    ExitCode::from(report.record.verdict().outcome)
}
