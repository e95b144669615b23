//! Tests of recordings, written by hand and by the simulation, against the model.

use super::*;
use crate::{
    Arrivals, JobPoll, JobStart, JobStrategy, JobWorkload, Nodes, QueueTrigger, Work, simulate_jobs,
};

const SLACK: Duration = Duration::from_secs(2);

fn settings(strategy: JobStrategy) -> JobSettings {
    let queue = QueueTrigger {
        queue_length: 1,
        ..QueueTrigger::default()
    };
    JobSettings {
        polling_interval: Duration::from_secs(10),
        max_replica_count: Some(20),
        strategy,
        triggers: vec![Reads::Queue(queue)],
        ..JobSettings::default()
    }
}

fn judged(text: &str, settings: &JobSettings) -> JobFindings {
    let recording: JobRecording = text.parse().unwrap();
    recording.judge(settings, SLACK).unwrap()
}

/// 12 messages, of which Jobs hold 5 after a while. The strategy `default` creates 12 and then none, since running Jobs count
/// against messages that are still counted (KEDA `scale_jobs.go`, `defaultScalingStrategy`). At 30 s, 3 more messages have
/// come: 10 messages, and 7 Jobs.
const RECORDED: &str = "
t_s,total,jobs,pending,made
0,0,0,0,0
4,12,0,0,0
9.6,12,0,0,0
9.7,12,1,1,1
9.9,12,12,12,12
15,12,12,2,12
25,7,7,0,12
27,10,7,0,12
29.8,10,10,3,15
39,10,10,0,15
50,10,10,0,15
";

#[test]
fn each_poll_makes_what_the_model_makes_of_what_was_there() {
    let findings = judged(RECORDED, &settings(JobStrategy::Default));
    assert_eq!(findings.excursions, []);
    // At 19.7 s and at 39.8 s; a poll at 49.8 s may still come. None before: 9.7 s is the first possible time.
    assert_eq!((findings.bursts, findings.idle, findings.made), (2, 2, 15));
}

#[test]
fn another_strategy_is_found_out() {
    // The strategy `accurate` takes counted messages for ones without a Job: 12 - 2 at 19.7 s, but only 8 more Jobs are
    // allowed.
    let findings = judged(RECORDED, &settings(JobStrategy::Accurate));
    let told: Vec<_> = findings
        .excursions
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(told[0], "0 jobs made at 19.7 s, where the model makes 8");
    let mut others = settings(JobStrategy::Default);
    others.max_replica_count = Some(10);
    let findings = judged(RECORDED, &others);
    let told = findings.excursions[0].to_string();
    assert_eq!(told, "12 jobs made at 9.7 s, where the model makes 10");
}

#[test]
fn jobs_between_polls_are_found_out() {
    let early = RECORDED.replace("29.8,10,10,3,15", "34.0,10,10,3,15");
    let findings = judged(&early, &settings(JobStrategy::Default));
    let untimely = findings.excursions.iter().find(|it| it.possible.is_none());
    let told = untimely.expect("one").to_string();
    assert!(
        told.starts_with("3 jobs made at 34.0 s, where no poll comes"),
        "{told}"
    );
}

/// The simulation's course agrees with its own strategy, and with no other.
#[test]
fn a_simulated_course_is_inside_and_only_with_its_own_settings() {
    let strategies = [
        JobStrategy::Default,
        JobStrategy::Accurate,
        JobStrategy::Eager,
        JobStrategy::Custom {
            deduction: 2,
            running: 0.5,
        },
    ];
    let workload = JobWorkload {
        arrivals: Arrivals::burst(5),
        start_delay: Duration::from_secs(15),
        work: Work::Fixed(Duration::from_secs(45)),
        messages_per_job: 1,
    };
    for strategy in strategies {
        let (mut rows, mut made) = (Vec::new(), 0);
        let start = JobStart {
            poll: Duration::from_secs(6),
            wall: Duration::ZERO,
        };
        let horizon = Duration::from_secs(120);
        let each = |poll: &JobPoll| {
            let (at, queue, there) = (poll.at.as_secs_f64(), poll.queue, poll.unfinished);
            let mut row = |at: f64, more: u32| {
                made += more;
                rows.push(format!(
                    "{at:.2},{},{},{},{},{made}",
                    queue.visible,
                    queue.leased,
                    there.all + more,
                    there.pending + more
                ));
            };
            row(at - 2.5, 0);
            row(at, poll.made);
        };
        simulate_jobs(
            &settings(strategy),
            &start,
            &workload,
            horizon,
            Nodes {
                replicas_per_node: 1,
                linger: Duration::ZERO,
            },
            each,
        );
        let text = format!(
            "t_s,visible,leased,jobs,pending,made\n{}\n",
            rows.join("\n")
        );
        for other in strategies {
            let findings = judged(&text, &settings(other));
            let is_own = other == strategy;
            assert_eq!(
                findings.excursions.is_empty(),
                is_own,
                "{strategy:?} as {other:?}: {findings:?}\n{text}"
            );
        }
    }
}

#[test]
fn what_is_no_recording_of_jobs_is_refused_with_its_line() {
    let reason = |text: &str| text.parse::<JobRecording>().unwrap_err().to_string();
    let columns = "t_s,total,jobs,pending,made\n";
    for (rows, part) in [
        ("0,0,0,1,0\n9,0,0,0,0\n", "line 2: 1 jobs are pending, of 0"),
        (
            "0,0,1,0,1\n9,0,1,0,0\n",
            "line 3: made is less than in the row before",
        ),
        ("0,0,1,0\n", "line 2: 4 values, not as many as columns"),
        ("0,0,1,0,1\n", "two rows or more"),
    ] {
        let told = reason(&format!("{columns}{rows}"));
        assert!(told.contains(part), "{told}");
    }
    let replicas = reason("t_s,total,replicas\n0,0,0\n9,0,0\n");
    assert!(
        replicas.contains("t_s,visible,leased,jobs,pending,made or t_s,total,jobs,pending,made"),
        "{replicas}"
    );
    let mut visible_only = settings(JobStrategy::Default);
    visible_only.triggers = vec![Reads::Queue(QueueTrigger {
        strategy: crate::LengthStrategy::VisibleOnly,
        ..QueueTrigger::default()
    })];
    let recording: JobRecording = RECORDED.parse().unwrap();
    let judged = recording.judge(&visible_only, SLACK);
    assert_eq!(judged.unwrap_err(), RecordingError::TotalOnly);
}
