//! Common parts of the views of runs and of simulations: pages and plots, the terminal, and formats of times and numbers.
//!
//! - [`head`]: the head of a page, with the style of all of them. [`plot`]: frames, scales and lines.
//! - [`Ink`]: colours of a terminal. [`clock`], [`thousands`]: times and numbers.
//! - [`write_whole`]: files that are written completely or not at all.

pub mod clock;
mod file;
mod ink;
mod number;
mod page;
pub mod plot;

pub use file::write_whole;
pub use ink::{Ink, USUAL, columns};
pub use number::thousands;
pub use page::head;
