//! Tests of figures, from simulations with a known course and from series made by hand.

use super::*;
use crate::{Arrivals, Behavior, Phases, Queue, Rates, Service, Work};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn nodes(replicas_per_node: u32) -> Nodes {
    Nodes {
        replicas_per_node,
        linger: seconds(60),
    }
}

fn sample() -> Settings {
    Settings {
        max_replica_count: 15,
        cooldown_period: seconds(10),
        activation_queue_length: 20,
        ..Settings::default()
    }
}

fn careful() -> Settings {
    Settings {
        max_replica_count: 15,
        polling_interval: seconds(10),
        behavior: Some(Behavior::default()),
        ..Settings::default()
    }
}

fn workload(arrivals: Arrivals) -> Workload {
    Workload {
        arrivals,
        service: Service {
            work: Work::Fixed(seconds(5)),
            in_flight: 5,
            start_delay: seconds(5),
            grace: seconds(30),
        },
    }
}

fn burst(at: u64, burst: u32) -> Rates {
    Rates {
        at: seconds(at),
        burst,
        per_second: 0.0,
    }
}

fn run(settings: &Settings, arrivals: Arrivals, horizon: u64) -> Figures {
    let workload = workload(arrivals);
    let horizon = seconds(horizon);
    figures(settings, &Start::default(), &workload, horizon, nodes(4))
}

/// One step of a series made by hand: time, replicas before and after, the loop that decided, messages, replicas that ended at
/// work.
struct Planted(u64, u32, u32, DecisionMaker, u64, u32);

fn tally(settings: &Settings, planted: &[Planted], horizon: u64) -> Figures {
    let workload = workload(Arrivals::new([burst(0, 1)]));
    let mut tally = Tally::new(settings, &workload, seconds(horizon), nodes(4));
    let mut last = point(0, 0, 0);
    tally.add(&last, &[]);
    for &Planted(at, from, to, by, messages, ended_at_work) in planted {
        let reason = match by {
            DecisionMaker::Keda if to == 0 => Reason::Deactivated,
            DecisionMaker::Keda => Reason::Activated,
            DecisionMaker::Hpa if to > from => Reason::AboveTarget,
            DecisionMaker::Hpa => Reason::BelowTarget,
        };
        let decision = Decision {
            at: seconds(at),
            by,
            from,
            to,
            reason,
        };
        last = point(at, to, messages);
        last.ended_at_work = ended_at_work.into();
        last.interrupted = f64::from(ended_at_work) * 5.0;
        last.cut_off = f64::from(ended_at_work) * 2.0;
        let decisions = [decision];
        let changed = if from == to { &[][..] } else { &decisions };
        tally.add(&last, changed);
    }
    last.at = seconds(horizon);
    tally.end(&last, &workload)
}

fn point(at: u64, replicas: u32, visible: u64) -> Point {
    Point {
        at: seconds(at),
        replicas,
        working: replicas,
        queue: Queue { visible, leased: 0 },
        peak: (seconds(at), visible),
        longest_wait: Duration::ZERO,
        empty_since: (visible == 0).then(|| seconds(at)),
        ended_at_work: 0.0,
        interrupted: 0.0,
        cut_off: 0.0,
    }
}

use DecisionMaker::{Hpa, Keda};

#[test]
fn thrash_is_a_scale_out_within_five_minutes_of_a_scale_in_once_for_each() {
    let up_down = |gap: u64| {
        let planted = [
            Planted(0, 0, 1, Keda, 100, 0),
            Planted(15, 1, 4, Hpa, 100, 0),
            Planted(400, 4, 2, Hpa, 5, 0),
            Planted(415, 2, 1, Hpa, 5, 0),
            Planted(415 + gap, 1, 4, Hpa, 100, 0),
            Planted(430 + gap, 4, 8, Hpa, 100, 0),
        ];
        tally(&careful(), &planted, 2_000).thrash
    };
    assert_eq!(up_down(299), 1);
    assert_eq!(up_down(300), 0);
    // Scaling to zero and back counts as thrash too.
    let zero = [
        Planted(0, 0, 1, Keda, 100, 0),
        Planted(60, 1, 0, Keda, 0, 0),
        Planted(90, 0, 1, Keda, 30, 0),
        Planted(120, 1, 0, Keda, 0, 0),
        Planted(150, 0, 1, Keda, 30, 0),
    ];
    assert_eq!(tally(&careful(), &zero, 200).thrash, 2);
}

#[test]
fn full_scale_is_reached_when_the_maximum_has_started() {
    let planted = |until: u64| {
        [
            Planted(0, 0, 1, Keda, 100, 0),
            Planted(20, 1, 15, Hpa, 100, 0),
            Planted(until, 15, 14, Hpa, 100, 0),
            Planted(60, 14, 14, Hpa, 100, 0),
        ]
    };
    let full = |until| tally(&careful(), &planted(until), 100).full_scale;
    assert_eq!(full(25), Some(seconds(25)));
    assert_eq!(full(24), None, "taken away before they had started");
    let at_the_end = &planted(40)[..2];
    assert_eq!(tally(&careful(), at_the_end, 24).full_scale, None);
    assert_eq!(
        tally(&careful(), at_the_end, 25).full_scale,
        Some(seconds(25))
    );
}

#[test]
fn messages_are_stranded_only_without_replicas_and_below_activation() {
    let with = |replicas: u32, messages: u64| {
        let planted = [
            Planted(10, 0, replicas, Keda, messages, 0),
            Planted(40, replicas, replicas, Keda, messages, 0),
        ];
        let figures = tally(&sample(), &planted, 100);
        (figures.stranded, figures.stranded_longest.as_secs())
    };
    assert_eq!(with(0, 20), (20, 90));
    assert_eq!(with(0, 21), (0, 0), "active: the next poll starts one");
    assert_eq!(with(1, 20), (0, 0));
    assert_eq!(with(0, 0), (0, 0));
}

#[test]
fn the_worst_deactivation_ends_most_replicas_at_work_and_the_hpa_makes_none() {
    let planted = [
        Planted(0, 0, 9, Keda, 50, 0),
        Planted(30, 9, 0, Keda, 0, 0),
        Planted(60, 0, 6, Keda, 50, 0),
        Planted(90, 6, 0, Keda, 10, 4),
        Planted(120, 0, 15, Keda, 50, 0),
        Planted(150, 15, 1, Hpa, 50, 14),
    ];
    let figures = tally(&sample(), &planted, 200);
    let worst = figures.worst_deactivation.unwrap();
    assert_eq!((worst.at, worst.from, worst.to), (seconds(90), 6, 0));
    assert_eq!((worst.ended_at_work, worst.interrupted), (4, 20));
    assert_eq!((figures.ended_at_work, figures.interrupted), (18, 90));
}

#[test]
fn nodes_are_as_many_as_replicas_need_and_stay_a_minute() {
    let planted = [
        Planted(0, 0, 4, Keda, 50, 0),
        Planted(100, 4, 5, Hpa, 50, 0),
        Planted(200, 5, 4, Hpa, 50, 0),
        // The second node still exists, then goes again.
        Planted(230, 4, 8, Hpa, 50, 0),
        Planted(300, 8, 0, Keda, 0, 0),
        // Both nodes are gone by then.
        Planted(500, 0, 1, Keda, 50, 0),
    ];
    let figures = tally(&careful(), &planted, 600);
    assert_eq!(figures.most_nodes, 2);
    // First node 0 to 360 and 500 to 600, second 100 to 360.
    assert_eq!(figures.node_time, seconds(360 + 100 + 260));
    let replicas = 4 * 100 + 5 * 100 + 4 * 30 + 8 * 70 + 100;
    assert_eq!(figures.replica_time, seconds(replicas));
}

#[test]
fn the_sample_strands_a_small_burst_and_careful_settings_do_not() {
    let sample = run(&sample(), Arrivals::burst(20), 1_800);
    assert_eq!((sample.stranded, sample.left, sample.drain), (20, 20, None));
    assert_eq!(sample.stranded_longest, seconds(1_800));
    assert_eq!(sample.most_replicas, 0);
    assert_eq!(sample.longest_wait, seconds(1_800));
    let careful = run(&careful(), Arrivals::burst(20), 1_800);
    assert_eq!((careful.stranded, careful.left), (0, 0));
    assert!(careful.drain.unwrap() < seconds(90), "{careful:?}");
    assert_eq!(careful.ended_at_work, 0);
}

/// 15 messages are stranded until the next 15 come after 8 minutes; those wait for a poll, at most 30 s, and for the start of a
/// replica, 5 s. The last 15 stay. Ticks are 15 s apart.
#[test]
fn a_wait_without_the_time_of_being_stranded_begins_anew_when_others_come() {
    let of = |arrivals: Arrivals| {
        let figures = run(&sample(), arrivals, 1_200);
        let unstranded = figures.longest_unstranded_wait.as_secs();
        (figures.stranded, figures.longest_wait.as_secs(), unstranded)
    };
    let (stranded, longest, unstranded) = of(Arrivals::new([burst(1, 15), burst(481, 15)]));
    assert_eq!(stranded, 0);
    assert!((480..=515).contains(&longest), "{longest}");
    assert!((20..=50).contains(&unstranded), "{unstranded}");
    let (stranded, longest, unstranded) = of(Arrivals::new([burst(1, 15)]));
    assert_eq!((stranded, longest), (15, 1_199));
    assert!(unstranded <= 15, "{unstranded}");
    // 15 replicas take 75 messages every 5 s, and only then are messages stranded.
    let (_, longest, unstranded) = of(Arrivals::new([burst(1, 3_000)]));
    assert!(longest == unstranded && unstranded > 195, "{unstranded}");
}

/// Twenty messages per second at first, decreasing evenly to none after ten minutes.
fn ebb() -> Arrivals {
    let step = |n: u32| Rates {
        at: seconds(10) * n,
        burst: 0,
        per_second: f64::from(60 - n) / 3.0,
    };
    Arrivals::new((0..=60).map(step))
}

#[test]
fn the_sample_ends_its_fleet_at_work_as_a_load_ebbs_and_careful_settings_do_not() {
    let workload = workload(ebb());
    let mut stranded = 0;
    for poll in 0..30 {
        let phases = Phases {
            poll: seconds(poll),
            ..Phases::default()
        };
        let start = Start {
            phases,
            ..Start::default()
        };
        let run =
            |settings: Settings| figures(&settings, &start, &workload, seconds(2_400), nodes(4));
        let sample = run(sample());
        let worst = sample.worst_deactivation.unwrap();
        assert_eq!((worst.from, worst.to), (15, 0), "{poll}");
        assert!((14..=20).contains(&worst.interrupted), "{poll}: {worst:?}");
        assert!(sample.thrash > 0, "{poll}");
        assert!(sample.stranded <= 20, "{poll}: {sample:?}");
        stranded += u32::from(sample.stranded > 0);
        let careful = run(careful());
        let worst = careful.worst_deactivation.unwrap();
        assert_eq!((worst.interrupted, careful.stranded), (0, 0), "{poll}");
        assert_eq!((careful.thrash, careful.left), (0, 0), "{poll}");
    }
    // It depends on the phases whether a replica still takes the last messages.
    assert!(stranded > 10, "in {stranded} of 30 phases");
}

#[test]
fn drain_is_counted_from_the_last_message_and_a_load_that_goes_on_has_none() {
    let first = run(&careful(), Arrivals::burst(100), 1_800);
    let again = Arrivals::new([burst(0, 100), burst(600, 20)]);
    let again = run(&careful(), again, 1_800);
    assert!(again.drain.unwrap() < first.drain.unwrap());
    let forever = Arrivals::burst(100).every(seconds(600));
    assert_eq!(run(&careful(), forever, 1_800).drain, None);
    let steady = Arrivals::new([Rates {
        at: seconds(0),
        burst: 0,
        per_second: 5.0,
    }]);
    let steady = run(&careful(), steady, 3_600);
    // Messages in work: 5 per second, 5 s each. No replica is removed that is still needed.
    assert_eq!((steady.drain, steady.thrash), (None, 0));
    assert_eq!(steady.left, 25);
}

#[test]
fn arrivals_know_their_first_and_their_last_message() {
    let rates = |at, per_second| Rates {
        at: seconds(at),
        burst: 0,
        per_second,
    };
    let ends = |rates: &[Rates]| {
        let arrivals = Arrivals::new(rates.iter().copied());
        (
            arrivals.first().map(|at| at.as_secs()),
            arrivals.last().map(|at| at.as_secs()),
        )
    };
    assert_eq!(ends(&[]), (None, None));
    assert_eq!(ends(&[rates(0, 0.0), burst(7, 3)]), (Some(7), Some(7)));
    assert_eq!(ends(&[rates(2, 1.0), rates(9, 0.0)]), (Some(2), Some(9)));
    assert_eq!(ends(&[burst(1, 1), rates(2, 1.0)]), (Some(1), None));
}

#[test]
fn the_worst_scale_ins_are_the_first_of_those_that_take_most() {
    let planted = [
        Planted(0, 0, 9, Keda, 50, 0),
        Planted(30, 9, 4, Hpa, 50, 1),
        Planted(60, 4, 9, Hpa, 50, 0),
        Planted(90, 9, 6, Hpa, 50, 3),
        Planted(120, 6, 9, Hpa, 50, 0),
        Planted(150, 9, 4, Hpa, 50, 3),
        Planted(180, 4, 1, Hpa, 50, 0),
        Planted(210, 1, 0, Keda, 50, 1),
        Planted(240, 0, 1, Keda, 50, 0),
        Planted(270, 1, 0, Keda, 50, 1),
    ];
    let figures = tally(&careful(), &planted, 300);
    let told = |it: Option<ScaleIn>| it.map(|it| (it.at.as_secs(), it.from, it.to, it.cut_off));
    assert_eq!(told(figures.worst_step), Some((30, 9, 4, 2)));
    assert_eq!(told(figures.worst_cut), Some((90, 9, 6, 6)));
    assert_eq!(told(figures.worst_deactivation), Some((210, 1, 0, 2)));
    assert_eq!(figures.cut_off, 18);
    // In scale-outs that follow within five minutes: three after one by the HPA, one after one by KEDA.
    assert_eq!((figures.thrash, figures.thrash_by_keda), (3, 1));
    let gentle = tally(&careful(), &[Planted(30, 9, 4, Hpa, 50, 0)], 300);
    assert_eq!((told(gentle.worst_cut), gentle.thrash_by_keda), (None, 0));
}

#[test]
fn a_fleet_that_is_whole_at_the_begin_has_its_full_scale_then() {
    let begun = |replicas: u32| {
        let settings = careful();
        let workload = workload(Arrivals::new([burst(0, 1)]));
        let mut tally = Tally::new(&settings, &workload, seconds(100), nodes(4));
        let point = point(0, replicas, 0);
        tally.add(&point, &[]);
        let figures = tally.end(&point, &workload);
        let full = figures.full_scale.map(|it| it.as_secs());
        (figures.replicas_at_rest, full, figures.most_nodes)
    };
    assert_eq!(begun(15), (15, Some(0), 4));
    assert_eq!(begun(14), (14, None, 4));
}

/// In the second half, visible and leased ones together.
#[test]
fn what_is_never_caught_up_with_is_the_least_of_the_second_half() {
    let settings = careful();
    let workload = workload(Arrivals::new([burst(0, 1)]));
    let least = |half: u64| {
        let mut tally = Tally::new(&settings, &workload, seconds(100), nodes(4));
        for (at, leased) in [(0, 3), (49, 0), (50, half), (80, 7)] {
            let mut point = point(at, 4, 20);
            point.queue.leased = leased;
            tally.add(&point, &[]);
        }
        let mut end = point(100, 4, 20);
        end.queue.leased = 9;
        tally.end(&end, &workload).never_below
    };
    assert_eq!(least(2), 22);
    assert_eq!(least(8), 27);
}

#[test]
fn a_rate_that_begins_with_the_next_period_is_left_out() {
    let arrivals = Arrivals::new([burst(0, 1), burst(60, 5)]).every(seconds(60));
    assert!((arrivals.count(seconds(61)) - 2.0).abs() < 1e-9);
}
