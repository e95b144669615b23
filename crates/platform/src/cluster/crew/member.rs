//! One pod of a crew.

use std::sync::Arc;

use cluster::pods::PodView;
use evidence::departures::End;
use tokio::time::Instant;
use wire::Wire;

/// A pod that exists.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) view: PodView,
    pub(super) group: &'static str,
    /// When the watch first showed that the pod was told to end.
    pub(super) told: Option<Instant>,
    /// The messages that it had in hand at that time.
    pub(super) held: u64,
    /// Whether it was ever ready.
    pub(super) was_ready: bool,
    /// How many ends of its container were recorded.
    pub(super) restarts: u32,
    /// Whether its final end was recorded.
    pub(super) is_over: bool,
    /// Since when it has waited for something that keeps it from starting.
    pub(super) waits: Option<Instant>,
}

impl Member {
    /// A pod of `group` that was not seen yet.
    pub(super) fn new(group: &'static str) -> Self {
        Self {
            view: PodView::default(),
            group,
            told: None,
            held: 0,
            was_ready: false,
            restarts: 0,
            is_over: false,
            waits: None,
        }
    }

    /// Takes the pod's current state, seen at `now`, and returns the state before. `wire`: counts what the pod has in hand.
    pub(super) fn saw(
        &mut self,
        view: PodView,
        now: Instant,
        wire: Option<&Arc<dyn Wire>>,
    ) -> PodView {
        let before = std::mem::replace(&mut self.view, view);
        self.was_ready |= self.view.is_ready;
        self.waits = (self.view.waits_for.as_ref()).map(|_| self.waits.unwrap_or(now));
        if self.told.is_none() && self.view.told.is_some() {
            self.told = Some(now);
            self.held = wire.map_or(0, |wire| wire.in_hand_of(&self.view.name));
        }
        before
    }

    /// Whether it was told to end while its process still started, and SIGTERM ended it, as it ends a process that does not listen
    /// for it yet. Such a pod was never ready. It had nothing in hand either: a worker may receive messages before its first probe.
    pub(super) fn ended_before_it_began(&self, end: End) -> bool {
        const SIGTERM: i32 = 15;
        end == End::Signalled(SIGTERM) && self.told.is_some() && !self.was_ready && self.held == 0
    }
}
