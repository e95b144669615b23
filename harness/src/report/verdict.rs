//! The verdict of a run in words, which every report shows first.

use judge::{Conclusion, Told};
use views::thousands;

use super::{RunRecord, advice};
use crate::audit::Audit;
use crate::events::ScenarioEnd;
use crate::measure::{LatencyVerdict, Untold};
use crate::outcome::Outcome;

/// The verdict of a run, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictText {
    /// The outcome: the worst of what the run stated, the audit, each latency limit and each scenario.
    pub outcome: Outcome,
    /// The outcome in a sentence.
    pub headline: String,
    /// Why it is not a pass, most important first; empty for a pass.
    pub reasons: Vec<String>,
    /// The outcome that each reason stands for, in their order: a reason that could not be told is none of a failure.
    pub reason_outcomes: Vec<Outcome>,
    /// What to do next; empty for a pass, unless a search could have found a higher rate.
    pub next_steps: Vec<String>,
}

impl VerdictText {
    /// Each reason, with the outcome that it stands for.
    pub(super) fn marked(&self) -> impl Iterator<Item = (Outcome, &str)> {
        let outcomes = self.reason_outcomes.iter().copied();
        outcomes.zip(self.reasons.iter().map(String::as_str))
    }
}

impl RunRecord {
    /// Makes the verdict. It is never better than any of its parts, whatever outcome the run itself recorded at its end.
    pub fn verdict(&self) -> VerdictText {
        // The run repeats the reasons of its parts; each is shown once.
        let Conclusion {
            outcome,
            reasons,
            outcomes,
        } = Conclusion::of(self.told().parts());
        VerdictText {
            outcome,
            headline: self.headline(outcome),
            next_steps: self.next_steps(outcome),
            reasons,
            reason_outcomes: outcomes,
        }
    }

    /// The parts of the log that are judged.
    fn told(&self) -> Told<'_> {
        Told {
            stated: self.stated.as_ref(),
            audit: self.audit.as_ref(),
            limits: self.measured.as_ref().map_or(&[], |it| &it.verdicts),
            consumers: self.consumer_ends().and_then(|ends| ends.outcome),
            scenarios: &self.scenarios,
            never_begun: self.never_begun.len(),
            steps: &self.steps,
            damaged_lines: &self.damaged_lines,
        }
    }

    fn headline(&self, outcome: Outcome) -> String {
        match outcome {
            Outcome::Pass => self.headline_of_pass(),
            Outcome::Fail => self.headline_of_fail(),
            Outcome::Inconclusive => {
                "the run is over, and it cannot be told whether the promises hold".into()
            }
            Outcome::Incomplete => match self.last_seen() {
                Some(seen) => format!("the run was cut off: {seen}"),
                None => "the run was cut off: what it shows is not the whole".into(),
            },
        }
    }

    /// How far a run had come when it was cut off; `None` if its audit says so, or if nothing was seen.
    fn last_seen(&self) -> Option<String> {
        let planned = self.run.as_ref()?.messages?;
        if self.audit.is_some() {
            return None;
        }
        let mut seen = self.samples.iter().rev().map(|(_, sample)| sample);
        let sent = seen.clone().find_map(|sample| sample.sent)?;
        let (sent, planned) = (thousands(sent), thousands(planned));
        let waiting = seen.find_map(|sample| sample.queue_depth);
        let waiting = waiting.map_or_else(String::new, |waiting| {
            format!(", {} in the queue", thousands(waiting))
        });
        Some(format!(
            "when last seen, {sent} of {planned} messages were sent{waiting}"
        ))
    }

    fn headline_of_fail(&self) -> String {
        /// The most broken promises that the headline names; the table of promises has all.
        const NAMED: usize = 3;
        let findings = |audit: &'_ Audit| {
            let counted = audit.findings.iter().map(|finding| audit.counted(finding));
            counted.collect::<Vec<_>>()
        };
        let mut broken: Vec<String> = self.audit.iter().flat_map(findings).collect();
        let ends = self.consumer_ends();
        match ends.as_ref().map_or(0, |ends| ends.unexpected.len()) {
            0 => {}
            1 => broken.push("1 consumer did not end as asked".into()),
            many => {
                let replaced = ends.filter(|ends| ends.at_once < ends.all);
                let of = replaced.map_or_else(String::new, |ends| {
                    format!(", of {} that were started one after another", ends.all)
                });
                broken.push(format!("{many} consumers did not end as asked{of}"));
            }
        }
        let verdicts = self.measured.iter().flat_map(|measured| &measured.verdicts);
        let missed = verdicts.filter(|verdict| verdict.outcome == Outcome::Fail);
        broken.extend(missed.map(LatencyVerdict::missed));
        let failed = |scenario: &&ScenarioEnd| scenario.outcome == Outcome::Fail;
        match self.scenarios.iter().filter(failed).count() {
            0 => {}
            1 => broken.push("1 scenario failed".into()),
            failed => broken.push(format!("{failed} scenarios failed")),
        }
        match broken.len() {
            0 => "a promise is broken".into(),
            1..=NAMED => broken.join("; "),
            all => format!("{}; and {} more", broken[..NAMED].join("; "), all - NAMED),
        }
    }

    fn headline_of_pass(&self) -> String {
        let mut said = Vec::new();
        if let Some(audit) = &self.audit {
            let (kept, set_aside) = (audit.fates.kept, audit.fates.set_aside);
            match kept {
                0 if set_aside > 0 => {}
                1 => said.push("1 message stored exactly once".into()),
                _ => said.push(format!(
                    "{} messages stored exactly once each",
                    thousands(kept)
                )),
            }
            match set_aside {
                0 => {}
                1 => said.push("1 set aside as poison, as it had to be".into()),
                _ => said.push(format!(
                    "{} set aside as poison, as they had to be",
                    thousands(set_aside)
                )),
            }
        }
        if let Some(kept) = self.rate_found.as_ref().and_then(|found| found.rate_per_s) {
            let rate = super::rates::rate(kept);
            said.push(format!("{rate} messages a second keep the limits"));
        }
        let limits = self.measured.as_ref().map_or(0, |m| m.verdicts.len());
        if limits > 0 {
            let s = if limits == 1 { "" } else { "s" };
            said.push(format!("{limits} latency limit{s} kept"));
        }
        match self.scenarios.len() {
            0 => {}
            1 => said.push("1 scenario passed".into()),
            passed => said.push(format!("{passed} scenarios passed")),
        }
        if !self.not_run.is_empty() {
            said.push(format!("{} not run here", self.not_run.len()));
        }
        if said.is_empty() {
            said.push("everything that was judged holds".into());
        }
        said.join(", ")
    }

    fn next_steps(&self, outcome: Outcome) -> Vec<String> {
        if outcome == Outcome::Pass {
            return super::rates::again(self).into_iter().collect();
        }
        let mut steps = Vec::new();
        if let Some((process, _)) = self.unexpected_exits().next() {
            let name = &process.name;
            steps.push(format!(
                "read the last lines of {name}; its whole log is logs/{name}.log"
            ));
        }
        let of_findings = self.audit.as_ref().and_then(advice::of_findings);
        match self.audit.as_ref().map_or(0, |audit| audit.rows_of_many) {
            0 => steps.extend(of_findings),
            _ => steps.splice(0..0, of_findings).for_each(drop),
        }
        steps.extend(advice::of_ends(self));
        let verdicts = || self.measured.iter().flat_map(|measured| &measured.verdicts);
        if self
            .audit
            .as_ref()
            .is_some_and(|audit| audit.at_work.is_some())
        {
            steps.push("verify again once the consumers have had time to finish, or give them more of it with --settle".into());
        }
        if verdicts().any(|v| v.outcome == Outcome::Fail) {
            steps.extend(super::usage::crowded(self));
            steps.push("compare the hops: the one that is slow at the same percentile is where the time goes".into());
        }
        if let Some(needed) = verdicts()
            .filter(|verdict| verdict.samples < verdict.samples_needed)
            .map(|verdict| verdict.samples_needed)
            .max()
            // If enough were sent, the samples are missing because rows are.
            .filter(|needed| {
                self.audit
                    .as_ref()
                    .is_none_or(|audit| audit.begun < *needed)
            })
        {
            let needed = thousands(needed);
            steps.push(format!(
                "send at least {needed} messages, or limit a lower percentile"
            ));
        }
        if verdicts().any(|verdict| verdict.untold == Some(Untold::LateGenerator)) {
            steps.push("lower the rate, or give the producer a machine of its own".into());
        }
        if let Some(run) = &self.run {
            steps.push(format!("repeat the run: {}", run.command));
        }
        steps
    }
}
