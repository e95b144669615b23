//! Readers of storage answers and files, as functions of bytes: for a fuzzer (`ci/fuzz`), and for `tests/corpus.rs`, which repeats
//! the inputs that a fuzzer has found.
//!
//! A target panics if its subject is wrong: if the subject panics, or if what it has read is not the same after writing and reading
//! it again. Inputs may be refused or accepted.

mod answers;
mod contract;
mod engine;
mod files;
mod flags;
mod run;
mod wire;

/// A reader of foreign input.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name in `ci/fuzz` and in `corpus/`.
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

/// Gives `input` to the target called `name`.
///
/// # Panics
///
/// If the target finds an error, or if no target has that name.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target
        .expect("FUZZ_TARGET must be the name of a target")
        .run)(input);
}

/// The input as text, for targets that read text.
fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}
