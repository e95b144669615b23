//! The real binary: with bad input, with failing storage, with signals, and with a real queue.

#![expect(
    clippy::disallowed_methods,
    reason = "a test's tasks and threads end with it, and what they do is asserted"
)]
#![expect(
    clippy::unwrap_used,
    reason = "a test says what must hold; an unwrap there is an assertion, in its supporting functions too"
)]

mod input;
mod process;
mod queue;
mod scripted;
mod signals;
mod trouble;
