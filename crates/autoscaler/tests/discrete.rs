//! Compares the amounts of `simulate` with single messages: a naive simulation draws the work of each message, advances time by
//! a tenth of a second at a time, and shares only the two loops with the other one.

use std::sync::Arc;
use std::time::Duration;

use autoscaler::{
    Arrivals, Autoscaler, Behavior, Figures, Nodes, Phases, Queue, Rates, Service, Settings, Start,
    Work, Workload, figures,
};

const STEP_MS: u64 = 100;
const SEEDS: u64 = 12;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("some hours")
}

/// The results of a run.
#[derive(Debug, Default, Clone, Copy)]
struct Told {
    drained_s: f64,
    most_messages: f64,
    interrupted: f64,
    cut_off: f64,
    replica_s: f64,
    longest_wait_s: f64,
}

/// One replica: when it starts, and when its messages finish.
struct Worker {
    from_ms: u64,
    /// When each of its messages is finished.
    works: Vec<u64>,
    /// When it is gone.
    gone_ms: Option<u64>,
}

struct World<'a> {
    workload: &'a Workload,
    now_ms: u64,
    chance: u64,
    /// The arrival times of waiting messages.
    waiting: Vec<u64>,
    workers: Vec<Worker>,
    told: Told,
}

impl World<'_> {
    /// `SplitMix64`.
    fn bits(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.chance;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A random number from 0 to 1.
    fn draw(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn work_ms(&mut self) -> u64 {
        let drawn = self.draw();
        let seconds = match self.workload.service.work {
            Work::Fixed(work) => work.as_secs_f64(),
            Work::Uniform(least, most) => {
                let (least, most) = (least.as_secs_f64(), most.as_secs_f64());
                drawn.mul_add(most - least, least)
            }
            Work::Exponential(mean) => -mean.as_secs_f64() * (1.0 - drawn).ln(),
        };
        millis(Duration::from_secs_f64(seconds))
    }

    /// Finishes work, removes replicas, and lets the working ones take waiting messages.
    fn step(&mut self) {
        let now = self.now_ms;
        let mut back = 0;
        for worker in &mut self.workers {
            worker.works.retain(|done| *done > now);
            if worker.gone_ms.is_some_and(|gone| gone <= now) {
                back += worker.works.drain(..).count();
            }
        }
        self.waiting.extend(vec![now; back]);
        let in_flight = self.workload.service.in_flight as usize;
        loop {
            let free: Vec<usize> = (0..self.workers.len())
                .filter(|n| {
                    let worker = &self.workers[*n];
                    let works = worker.from_ms <= now && worker.gone_ms.is_none();
                    works && worker.works.len() < in_flight
                })
                .collect();
            if free.is_empty() || self.waiting.is_empty() {
                break;
            }
            let chosen = self.bits() % free.len() as u64;
            let which = free[usize::try_from(chosen).expect("a small number")];
            let done = now + self.work_ms();
            let came = self.waiting.remove(0);
            let waited = (now - came) as f64 / 1_000.0;
            self.told.longest_wait_s = self.told.longest_wait_s.max(waited);
            self.workers[which].works.push(done);
        }
        self.told.most_messages = self.told.most_messages.max(self.messages());
    }

    fn leased(&self) -> usize {
        self.workers.iter().map(|worker| worker.works.len()).sum()
    }

    fn messages(&self) -> f64 {
        (self.leased() + self.waiting.len()) as f64
    }

    fn scale(&mut self, from: u32, to: u32) {
        let now = self.now_ms;
        let service = self.workload.service;
        for _ in from..to {
            self.workers.push(Worker {
                from_ms: now + millis(service.start_delay),
                works: Vec::new(),
                gone_ms: None,
            });
        }
        for _ in to..from {
            // The newest replica, ready or not.
            let newest = self
                .workers
                .iter_mut()
                .rev()
                .find(|it| it.gone_ms.is_none());
            let worker = newest.expect("as many replicas as the model has");
            let gone = now + millis(service.grace);
            worker.gone_ms = Some(gone);
            self.told.interrupted += worker.works.len() as f64;
            let lost = worker.works.iter().filter(|done| **done > gone);
            self.told.cut_off += lost.count() as f64;
        }
        self.told.most_messages = self.told.most_messages.max(self.messages());
    }
}

fn discrete(
    settings: &Settings,
    start: &Start,
    workload: &Workload,
    bursts: &[(u64, u32)],
    horizon: u64,
    seed: u64,
) -> Told {
    let mut model = Autoscaler::new(Arc::new(settings.clone()), start);
    let mut world = World {
        workload,
        now_ms: 0,
        chance: seed,
        waiting: Vec::new(),
        workers: Vec::new(),
        told: Told::default(),
    };
    let last = bursts.last().map_or(0, |(at, _)| at * 1_000);
    while world.now_ms <= horizon * 1_000 {
        let now = world.now_ms;
        for (at, count) in bursts.iter().filter(|(at, _)| at * 1_000 == now) {
            world.waiting.extend(vec![at * 1_000; *count as usize]);
        }
        world.step();
        let at = Duration::from_millis(now);
        if model.next_due().is_some_and(|due| due <= at) {
            let queue = Queue {
                visible: world.waiting.len() as u64,
                leased: world.leased() as u64,
            };
            for decision in model.step(at, Ok(queue)) {
                world.scale(decision.from, decision.to);
            }
        }
        world.told.replica_s += f64::from(model.replicas()) * STEP_MS as f64 / 1_000.0;
        if world.messages() == 0.0 && now >= last && world.told.drained_s == 0.0 {
            world.told.drained_s = (now - last) as f64 / 1_000.0;
        }
        world.now_ms += STEP_MS;
    }
    world.told
}

struct Case {
    name: &'static str,
    settings: Settings,
    work: Work,
    in_flight: u32,
    grace: u64,
    bursts: Vec<(u64, u32)>,
    horizon: u64,
}

fn both(case: &Case) -> (Figures, Told) {
    let rates = case.bursts.iter().map(|(at, burst)| Rates {
        at: seconds(*at),
        burst: *burst,
        per_second: 0.0,
    });
    let workload = Workload {
        arrivals: Arrivals::new(rates),
        service: Service {
            work: case.work,
            in_flight: case.in_flight,
            start_delay: seconds(10),
            grace: seconds(case.grace),
        },
    };
    let start = Start {
        age: seconds(3_600),
        phases: Phases {
            poll: seconds(5),
            sync: Duration::from_millis(7_500),
            ..Phases::default()
        },
        ..Start::default()
    };
    let nodes = Nodes {
        replicas_per_node: 5,
        linger: seconds(0),
    };
    let amounts = figures(
        &case.settings,
        &start,
        &workload,
        seconds(case.horizon),
        nodes,
    );
    let mut mean = Told::default();
    for seed in 1..=SEEDS {
        let told = discrete(
            &case.settings,
            &start,
            &workload,
            &case.bursts,
            case.horizon,
            seed,
        );
        let part = |value: f64| value / SEEDS as f64;
        mean.drained_s += part(told.drained_s);
        mean.most_messages += part(told.most_messages);
        mean.interrupted += part(told.interrupted);
        mean.cut_off += part(told.cut_off);
        mean.replica_s += part(told.replica_s);
        mean.longest_wait_s += part(told.longest_wait_s);
    }
    (amounts, mean)
}

fn careful() -> Settings {
    Settings {
        max_replica_count: 15,
        polling_interval: seconds(10),
        behavior: Some(Behavior::default()),
        ..Settings::default()
    }
}

fn hasty() -> Settings {
    let mut settings = careful();
    settings.cooldown_period = seconds(10);
    let behavior = settings.behavior.get_or_insert_default();
    behavior.scale_down.stabilization_window = Some(Duration::ZERO);
    settings
}

fn cases() -> Vec<Case> {
    let fixed = |time| Work::Fixed(seconds(time));
    let case = |name, settings, work, bursts: &[(u64, u32)], horizon| Case {
        name,
        settings,
        work,
        in_flight: 5,
        grace: 30,
        bursts: bursts.to_vec(),
        horizon,
    };
    let uniform = Work::Uniform(seconds(20), seconds(100));
    vec![
        case("long fixed work", careful(), fixed(600), &[(0, 75)], 3_600),
        case(
            "rounds of fixed work",
            careful(),
            fixed(60),
            &[(0, 500)],
            3_600,
        ),
        case(
            "short fixed work",
            careful(),
            fixed(5),
            &[(0, 1_000)],
            1_800,
        ),
        case("a range", careful(), uniform, &[(0, 500)], 3_600),
        case(
            "exponential work",
            careful(),
            Work::Exponential(seconds(60)),
            &[(0, 500)],
            3_600,
        ),
        case(
            "hasty, fixed",
            hasty(),
            fixed(120),
            &[(0, 75), (100, 75)],
            3_600,
        ),
        case(
            "hasty, a range",
            hasty(),
            uniform,
            &[(0, 200), (400, 60)],
            3_600,
        ),
        case(
            "hasty, exponential",
            hasty(),
            Work::Exponential(seconds(60)),
            &[(0, 200)],
            3_600,
        ),
    ]
}

#[test]
fn amounts_come_to_what_single_messages_do() {
    for case in cases() {
        let (name, (amounts, single)) = (case.name, both(&case));
        let near = |what: &str, ours: f64, theirs: f64, slack: f64| {
            let far = (ours - theirs).abs();
            assert!(
                far <= slack,
                "{name}, {what}: {ours:.1}, messages one by one {theirs:.1}"
            );
        };
        let drain = amounts.drain.expect("all is done").as_secs_f64();
        near(
            "drain",
            drain,
            single.drained_s,
            3.0 + single.drained_s * 0.08,
        );
        let most = amounts.most_messages as f64;
        near("most messages", most, single.most_messages, 1.0);
        let wait = amounts.longest_wait.as_secs_f64();
        near(
            "longest wait",
            wait,
            single.longest_wait_s,
            3.0 + single.longest_wait_s * 0.08,
        );
        let slack = |of: f64| 3.0 + of * 0.25;
        let interrupted = amounts.interrupted as f64;
        near(
            "interrupted",
            interrupted,
            single.interrupted,
            slack(single.interrupted),
        );
        near(
            "cut off",
            amounts.cut_off as f64,
            single.cut_off,
            slack(single.cut_off),
        );
        let replica = amounts.replica_time.as_secs_f64();
        near(
            "replica seconds",
            replica,
            single.replica_s,
            60.0 + single.replica_s * 0.08,
        );
    }
}

/// Each message takes ten minutes from the time at which it is taken, and no replica with a message is removed.
#[test]
fn fixed_work_is_done_when_the_last_replicas_have_done_it_and_none_is_cut_off() {
    let cases = cases();
    let (amounts, single) = both(&cases[0]);
    let drain = amounts.drain.expect("all is done").as_secs_f64();
    assert!(
        (drain - single.drained_s).abs() < 1.0,
        "{drain}, {single:?}"
    );
    assert_eq!((amounts.ended_at_work, amounts.cut_off), (0, 0));
}
