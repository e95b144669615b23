//! Proves that the event-driven workload keeps its promises: scenarios, load, audit, measurement, reports.

pub mod audit;
pub mod events;
pub mod measure;
pub mod outcome;
pub mod report;
