//! In words: how much CPU time and memory a run used, how evenly its queues were loaded, and how many consumers were wanted for each queue.

use judge::Crowded;

use super::RunRecord;
use crate::audit::QueueTraffic;
use crate::events::{Allowed, Usage};

/// A line for each phase with a known usage, one for several queues, and one for each scaling that was judged.
pub(super) fn lines(record: &RunRecord) -> Vec<String> {
    let usage = record.usage.iter().filter(|usage| !usage.parts.is_empty());
    let lines = usage.map(phase).chain(queues(record));
    lines.chain(scaled(record)).collect()
}

fn phase(usage: &Usage) -> String {
    let Usage { phase, cores, .. } = usage;
    let seconds = usage.cpu_ms() as f64 / 1e3;
    let each = usage.cpu_us_a_message();
    let a_message = each.map_or(String::new(), |us| format!(", {us:.0} µs a message"));
    // Without a message there is no time a message, and the parts are told in the unit of the whole.
    let share = |cpu_ms: u64| match usage.messages {
        0 => format!("{:.1} s", cpu_ms as f64 / 1e3),
        messages => format!("{:.0}", cpu_ms as f64 * 1e3 / messages as f64),
    };
    let parts = usage.parts.iter().map(|part| {
        let name = match part.processes {
            1 => part.name.clone(),
            several => format!("{several} {}", part.name),
        };
        format!("{name} {}", share(part.cpu_ms))
    });
    let parts: Vec<String> = parts.collect();
    let machine = usage.machine_busy_ms.map_or(String::new(), |busy| {
        format!(", with all else {:.2}", usage.cores_of(busy))
    });
    let of_run = usage.cores_of(usage.cpu_ms());
    let busy = if usage.tells_of_cores() {
        format!("; {of_run:.2} of {cores} cores{machine}")
    } else {
        String::new()
    };
    let peaks = usage.parts.iter();
    let peaks: Vec<String> = peaks
        .map(|part| format!("{} {:.0}", part.name, part.peak_kib as f64 / 1_024.0))
        .collect();
    format!(
        "{phase}: {seconds:.1} s of processor time{a_message} ({}){busy}; most memory of one process, \
         in MiB: {}",
        parts.join(", "),
        peaks.join(", ")
    )
}

/// A note if other programs used much of a machine that had no time to spare during the load.
pub(super) fn crowded(record: &RunRecord) -> Option<String> {
    let mut loads = record.usage.iter().filter(|usage| usage.phase == "load");
    let Crowded {
        cores,
        busy,
        others,
    } = loads.find_map(judge::crowded)?;
    Some(format!(
        "repeat it where nothing else runs before you look for a cause: {busy:.2} of {cores} cores were busy, {others:.2} of them with \
         what is not known to be of this run"
    ))
}

/// How evenly the load was distributed over several queues, and over the consumers of each.
fn queues(record: &RunRecord) -> Option<String> {
    let traffic = record.audit.as_ref()?.traffic.as_ref()?;
    if traffic.queues.is_empty() {
        return None;
    }
    let spread = |of: fn(&QueueTraffic) -> u64| {
        let counts = || traffic.queues.values().map(of);
        let all: u64 = counts().sum();
        let percent = |count: Option<u64>| {
            let count = count.unwrap_or_default() as f64;
            count * 100.0 / all.max(1) as f64
        };
        let (least, most) = (percent(counts().min()), percent(counts().max()));
        let (least, most) = (format!("{least:.1}"), format!("{most:.1} %"));
        if most.starts_with(&format!("{least} ")) {
            return most;
        }
        format!("{least} to {most}")
    };
    Some(format!(
        "{} queues: each took {} of the messages and gave {} of the deliveries",
        traffic.queues.len(),
        spread(|queue| queue.puts),
        spread(|queue| queue.deliveries)
    ))
}

/// How many consumers were wanted for each queue, and whether the model allows it.
fn scaled(record: &RunRecord) -> impl Iterator<Item = String> {
    record.allowed.iter().map(|allowed| {
        let Allowed {
            excursions, queue, ..
        } = allowed;
        let decisions = record.scaled.iter();
        let decisions = decisions.filter(|(_, scaled)| scaled.queue == *queue);
        let most = decisions.map(|(_, scaled)| scaled.to).max().unwrap_or(0);
        let whose = queue.as_ref().map(|queue| format!(" for {queue}"));
        let judged = match excursions.len() {
            0 => "always as many as the model of KEDA and the HPA allows",
            _ => "not always as many as the model of KEDA and the HPA allows",
        };
        format!(
            "consumers wanted{}: at most {most}, {judged}",
            whose.unwrap_or_default()
        )
    })
}

#[cfg(test)]
mod tests {
    use workflow::contract::{PayloadSize, Payloads};

    use super::*;
    use crate::audit::{Auditor, Expectation, Traffic};
    use crate::events::PartUsage;
    use crate::events::Scaled;

    #[test]
    fn what_was_taken_is_told_by_the_message_by_the_core_and_by_the_process() {
        let part = |name: &str, processes, cpu_ms, peak_kib| PartUsage {
            name: name.to_owned(),
            processes,
            cpu_ms,
            busiest_cpu_ms: cpu_ms,
            peak_kib,
        };
        let usage = Usage {
            phase: "load".to_owned(),
            lasted_ms: 10_000,
            messages: 20_000,
            cores: 2,
            machine_busy_ms: Some(18_000),
            parts: vec![
                part("storage", 1, 2_000, 20_480),
                part("consumers", 16, 6_000, 10_240),
            ],
        };
        assert_eq!(
            phase(&usage),
            "load: 8.0 s of processor time, 400 µs a message (storage 100, 16 consumers 300); 0.80 of 2 cores, with all else 1.80; \
             most memory of one process, in MiB: storage 20, consumers 10"
        );
        // It was stopped before anything was sent.
        let stopped = phase(&Usage {
            messages: 0,
            ..usage
        });
        assert!(
            stopped.starts_with(
                "load: 8.0 s of processor time (storage 2.0 s, 16 consumers 6.0 s); 0.80 of 2 cores"
            ),
            "{stopped}"
        );
    }

    #[test]
    fn what_others_took_is_told_where_the_machine_had_no_time_to_spare() {
        let told = |phase: &str, busy: Option<u64>, own| {
            let part = PartUsage {
                name: "consumers".to_owned(),
                processes: 2,
                cpu_ms: own,
                busiest_cpu_ms: own,
                peak_kib: 1,
            };
            let usage = Usage {
                phase: phase.to_owned(),
                lasted_ms: 10_000,
                messages: 100,
                cores: 2,
                machine_busy_ms: busy,
                parts: vec![part],
            };
            crowded(&RunRecord {
                usage: vec![usage],
                ..RunRecord::default()
            })
        };
        let others = told("load", Some(19_000), 4_000).unwrap();
        let says =
            "1.90 of 2 cores were busy, 1.50 of them with what is not known to be of this run";
        assert!(others.ends_with(says), "{others}");
        for (phase, busy, own) in [
            // A consumer that uses the whole machine itself.
            ("load", Some(19_000), 18_000),
            ("load", Some(14_100), 8_000),
            ("load", None, 4_000),
            ("audit", Some(19_000), 4_000),
        ] {
            assert_eq!(told(phase, busy, own), None, "{phase} {busy:?} {own}");
        }
    }

    #[test]
    fn what_was_wanted_is_told_for_each_queue_with_its_judgement() {
        let at = workflow::contract::Stamp::from_micros(0);
        let scaled = |queue: &str, to| {
            let scaled = Scaled {
                by: "KEDA".to_owned(),
                from: 0,
                to,
                reason: String::new(),
                queue: Some(queue.to_owned()),
            };
            (at, scaled)
        };
        let allowed = |queue: &str, excursions: &[&str]| Allowed {
            excursions: excursions.iter().map(ToString::to_string).collect(),
            queue: Some(queue.to_owned()),
            ..Allowed::default()
        };
        let record = RunRecord {
            scaled: vec![scaled("q1", 4), scaled("q2", 9), scaled("q1", 2)],
            allowed: vec![allowed("q1", &[]), allowed("q2", &["9 replicas"])],
            ..RunRecord::default()
        };
        assert_eq!(
            lines(&record),
            [
                "consumers wanted for q1: at most 4, always as many as the model of KEDA and the HPA allows",
                "consumers wanted for q2: at most 9, not always as many as the model of KEDA and the HPA allows"
            ]
        );
    }

    #[test]
    fn how_even_queues_were_is_told_of_several_alone() {
        let audit = |queues: &[(&str, u64)]| {
            let queues = queues.iter().map(|(name, puts)| {
                let (puts, deliveries) = (*puts, *puts * 2);
                let traffic = QueueTraffic {
                    puts,
                    deliveries,
                    deletes: puts,
                };
                ((*name).to_owned(), traffic)
            });
            let traffic = Traffic {
                queues: queues.collect(),
                ..Traffic::default()
            };
            let payloads = Payloads {
                seed: 1,
                size: PayloadSize::Sample,
            };
            let expectation = Expectation::new("r1".parse().unwrap(), payloads, 1);
            let mut audit = Auditor::new(expectation).unwrap().finish();
            audit.traffic = Some(traffic);
            RunRecord {
                audit: Some(audit),
                ..RunRecord::default()
            }
        };
        assert_eq!(lines(&audit(&[])), [""; 0]);
        assert_eq!(
            lines(&audit(&[("q1", 490), ("q2", 510)])),
            [
                "2 queues: each took 49.0 to 51.0 % of the messages and gave 49.0 to 51.0 % of the deliveries"
            ]
        );
    }
}
