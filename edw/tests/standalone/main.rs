//! The program by itself: copied away from the repository that built it, in the directory of somebody who has never seen that.

mod commands;
mod place;
mod program;
