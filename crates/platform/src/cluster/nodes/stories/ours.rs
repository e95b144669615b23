//! Evictions that the harness itself carries out.

use cluster::drain::Told;
use evidence::events::NodeChange;

use super::super::story::{By, Moment, Story};
use super::super::taker::Progress;
use super::Stories;
use crate::simulated::MachineEnd;

impl Stories {
    /// Takes the progress of an eviction of `node` that the harness itself carries out.
    pub(in super::super) fn goes_on(&mut self, node: &str, progress: Progress, now: Moment) {
        let ours = |story: &Story| story.seen.node == node && story.by != By::Others;
        let Some(story) = self.evictions.iter_mut().rfind(|story| ours(story)) else {
            return;
        };
        let told = match progress {
            Progress::Cordoned => {
                let is_drained = story.seen.eviction.ends == MachineEnd::Kept;
                // From now on its consumers are told to end.
                story.told = is_drained.then_some(now);
                vec![NodeChange::Cordoned { is_drained }]
            }
            Progress::Pods(Told::Ends(pod) | Told::Evicted(pod)) => {
                story.seen.workers.insert(pod);
                vec![]
            }
            Progress::Pods(Told::HeldBack(consumer, why)) => {
                vec![NodeChange::HeldBack { consumer, why }]
            }
            Progress::Emptied => {
                story.by = By::Us { is_emptied: true };
                vec![]
            }
            Progress::Failed(why) => {
                story.seen.failed = Some(why);
                vec![]
            }
        };
        for change in told {
            self.tell(node, change);
        }
        self.look(now);
    }
}
