//! Whatever reads storage or files, as functions of bytes: for a fuzzer (`ci/fuzz`), and for `tests/corpus.rs`, which
//! repeats the inputs that a fuzzer has found.
//!
//! A target panics where its subject is wrong: where that panics itself, and where what it has read does not survive being
//! written and read again. An input that is refused is as good as one that is taken.

mod answers;
mod contract;
mod engine;
mod files;
mod flags;
mod run;
mod wire;

/// Something that reads what others wrote.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What it is called: by `ci/fuzz`, and in `corpus/`.
    pub name: &'static str,
    /// Reads one input.
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($name:literal => $run:path,)*) => {
        [$(Target { name: $name, run: $run },)*]
    };
}

/// Every target.
pub const TARGETS: [Target; 17] = targets! {
    "message" => contract::message,
    "row" => contract::row,
    "poison" => contract::poison,
    "names" => contract::names,
    "queue-answer" => answers::queue,
    "table-answer" => answers::table,
    "transaction-answer" => answers::transaction,
    "engine" => engine::requests,
    "wire" => wire::crossing,
    "history" => wire::history,
    "flags" => flags::flags,
    "trace" => files::trace,
    "feature" => files::feature,
    "manifest" => files::manifest,
    "scheduled-events" => files::scheduled_events,
    "event-log" => run::event_log,
    "summary" => run::summary,
};

/// Gives `input` to the target of that name.
///
/// # Panics
///
/// If the target finds something wrong, or there is none of that name.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target
        .expect("FUZZ_TARGET must be the name of a target")
        .run)(input);
}

/// The input as a text, for what is read as one.
fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}
