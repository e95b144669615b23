//! What limits the Jobs, and changes that make messages wait less.

use std::time::Duration;

use autoscaler::Reads;

use super::{ACTIVATION, Case, INACTIVE, activate, change};
use crate::simulate::findings::trial::Change;
use crate::simulate::jobs::JobQuestion;

/// Polls with this interval are not blamed.
const POLL: Duration = Duration::from_secs(5);
/// Highest number of Jobs that is tried.
const MOST: u32 = 1_000;
const MAXIMUM: &str = "spec.maxReplicaCount";
const POLLING: &str = "spec.pollingInterval";

impl Case<'_> {
    /// What limits the Jobs.
    pub(super) fn limit(&self) -> (String, String) {
        let reached = self.most(|run| run.figures.most_replicas.into());
        if reached >= u64::from(self.most_jobs()) {
            return (MAXIMUM.to_owned(), self.at_most());
        }
        (POLLING.to_owned(), self.at_polls())
    }

    fn most_jobs(&self) -> u32 {
        let settings = &self.question.settings;
        settings.least().saturating_add(settings.most_besides())
    }

    fn at_most(&self) -> String {
        format!(
            "{}: there are no more jobs than this at a time",
            self.most_jobs()
        )
    }

    fn at_polls(&self) -> String {
        let reached = self.most(|run| run.figures.most_replicas.into());
        format!(
            "jobs are made at polls alone, and no more than {reached} of at most {} at a time",
            self.most_jobs()
        )
    }

    pub(super) fn faster(&self) -> Vec<Change<JobQuestion>> {
        let mut changes = Vec::new();
        if self.any(|run| self.strands(run)) {
            let active = change("write activationQueueLength: \"0\"", activate);
            changes.push(active.of(ACTIVATION).since(INACTIVE));
        }
        changes.extend(self.single_messages());
        if self.question.settings.polling_interval > POLL {
            let words = format!("write pollingInterval: {}", POLL.as_secs());
            let change = change(words, |it| it.polling_interval = POLL);
            changes.push(change.of(POLLING).since(self.at_polls()));
        }
        let now = self.most_jobs();
        let mut more: Vec<_> = [2, 4, 10].map(|times| now.saturating_mul(times)).into();
        // A job for each message.
        let messages = self.most(|run| run.figures.most_messages);
        more.extend(u32::try_from(messages).ok().filter(|all| *all > now));
        more.sort_unstable();
        more.dedup();
        for most in more.into_iter().filter(|most| *most <= MOST) {
            let words = format!("write maxReplicaCount: {most}");
            let change = change(words, move |it| it.max_replica_count = Some(most));
            changes.push(change.of(MAXIMUM).since(self.at_most()));
        }
        changes
    }

    /// A job for each message, instead of one that works on several, one after the other.
    fn single_messages(&self) -> Option<Change<JobQuestion>> {
        let each = self.question.workload.messages_per_job;
        let mut queues = self.question.settings.triggers.iter().enumerate();
        let (index, length) = queues.find_map(|(index, reads)| match reads {
            Reads::Queue(queue) if queue.elsewhere.is_none() && queue.queue_length > 1 => {
                Some((index, queue.queue_length))
            }
            _ => None,
        })?;
        let why = format!(
            "{length}: a job is made for every {length} messages, and works on up to {each}, one after the other"
        );
        // How many messages a job takes follows from queueLength, unless it was given.
        let follows = !self.question.has_own_length;
        let change = Change::new("write queueLength: \"1\"", move |it: &mut JobQuestion| {
            if let Some(Reads::Queue(queue)) = it.settings.triggers.get_mut(index) {
                queue.queue_length = 1;
            }
            if follows {
                it.workload.messages_per_job = 1;
            }
        });
        let field = format!("spec.triggers[{index}].metadata.queueLength");
        Some(change.of(field).since(why))
    }
}
