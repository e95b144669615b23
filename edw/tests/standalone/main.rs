//! The program by itself: copied away from the repository that built it, as on the machine of a user who has never seen the repository.

mod commands;
mod place;
mod program;
