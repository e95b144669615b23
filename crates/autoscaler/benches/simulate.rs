//! Benchmark of the simulation: hours of autoscaling per second of CPU time. Run it with `cargo bench -p autoscaler --bench
//! simulate`.

#![expect(clippy::print_stdout, reason = "the figures are its output")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use autoscaler::{
    Arrivals, Behavior, Envelope, LengthStrategy, Nodes, Observation, Phases, Queue, Rates,
    Service, Settings, Start, Uncertainty, Work, Workload, figures, simulate, simulate_into,
};

const HOUR: Duration = Duration::from_secs(3_600);
const HOURS: u32 = 10_000;
/// Repetitions of each case. The fastest counts, because slower ones include other work of the machine.
const REPEATS: u32 = 5;

fn main() {
    println!("{:<48}{:>16}", "", "hours/s");
    let sample = Settings {
        max_replica_count: 15,
        cooldown_period: Duration::from_secs(10),
        activation_queue_length: 20,
        ..Settings::default()
    };
    let careful = Settings {
        max_replica_count: 50,
        polling_interval: Duration::from_secs(5),
        behavior: Some(Behavior::default()),
        strategy: LengthStrategy::VisibleOnly,
        ..Settings::default()
    };
    for (name, settings) in [
        ("the sample's settings", &sample),
        ("explicit behavior, polls every 5 s", &careful),
    ] {
        let workload = sawtooth();
        let start = Start::default();
        figure(&format!("{name}, nothing kept"), HOURS, || {
            let mut replicas = 0_u64;
            simulate_into(settings, &start, &workload, HOUR * HOURS, |point, _| {
                replicas += u64::from(point.replicas);
            });
            black_box(replicas);
        });
        figure(&format!("{name}, series kept"), HOURS / 10, || {
            black_box(simulate(settings, &start, &workload, HOUR * (HOURS / 10)));
        });
    }
    phases(&sample);
    let begun = Instant::now();
    let load = |now: Duration| -> Observation {
        let visible = 200_u64.saturating_sub(now.as_secs());
        Ok(Queue { visible, leased: 0 })
    };
    let uncertainty = Uncertainty::default();
    black_box(Envelope::new(
        &sample,
        &Start::default(),
        &load,
        HOUR / 4,
        &uncertainty,
    ));
    let millis = begun.elapsed().as_secs_f64() * 1_000.0;
    println!(
        "{:<48}{millis:>13.0} ms",
        "an envelope of a quarter of an hour"
    );
}

/// The work of `harness simulate`: figures of twenty minutes for 450 pairs of phases.
fn phases(settings: &Settings) {
    const PHASES: u32 = 450;
    let nodes = Nodes {
        replicas_per_node: 30,
        linger: Duration::from_secs(60),
    };
    let workload = sawtooth();
    let rounds = 10;
    let name = "the sample's settings, figures of 450 phases";
    figure(name, PHASES * rounds / 3, || {
        for n in 0..PHASES * rounds {
            let phases = Phases {
                poll: Duration::from_secs((n % 30).into()),
                sync: Duration::from_millis(500) + Duration::from_secs((n / 30 % 15).into()),
                ..Phases::default()
            };
            let start = Start {
                phases,
                ..Start::default()
            };
            black_box(figures(settings, &start, &workload, HOUR / 3, nodes));
        }
    });
}

/// Twenty minutes with a burst, a steady rate, and a quiet time.
fn sawtooth() -> Workload {
    let rates = |at, burst, per_second| Rates {
        at: Duration::from_secs(at),
        burst,
        per_second,
    };
    Workload {
        arrivals: Arrivals::new([rates(0, 400, 2.0), rates(300, 0, 8.0), rates(600, 0, 0.0)])
            .every(Duration::from_secs(1_200)),
        service: Service {
            work: Work::Fixed(Duration::from_secs(4)),
            in_flight: 4,
            start_delay: Duration::from_secs(8),
            grace: Duration::from_secs(30),
        },
    }
}

fn figure(name: &str, hours: u32, mut run: impl FnMut()) {
    let mut best = Duration::MAX;
    for _ in 0..REPEATS {
        let begun = Instant::now();
        run();
        best = best.min(begun.elapsed());
    }
    println!("{name:<48}{:>16.0}", f64::from(hours) / best.as_secs_f64());
}
