//! Tests of courses, bands and phases.

use autoscaler::{Service, Work};

use super::*;

pub(in crate::simulate) fn question(settings: &Settings, burst: u32) -> Question {
    Question {
        settings: settings.clone(),
        workload: Workload {
            arrivals: Arrivals::burst(burst),
            service: Service {
                work: Work::Fixed(Duration::from_secs(5)),
                in_flight: 5,
                start_delay: Duration::from_secs(5),
                grace: Duration::from_secs(30),
            },
        },
        knows_work: true,
        horizon: Duration::from_secs(1_800),
        nodes: Nodes {
            replicas_per_node: 5,
            linger: Duration::ZERO,
        },
        age: AT_REST,
        target_replicas: Some(4),
        wall: Duration::ZERO,
    }
}

fn outlook(settings: &Settings, burst: u32) -> Outlook {
    Outlook::new(&question(settings, burst))
}

#[test]
fn the_band_holds_the_likely_course_and_the_figures_of_all_phases() {
    let outlook = outlook(&Settings::default(), 500);
    assert_eq!(outlook.runs.len(), 1 + 30 * 15);
    let step = 1_800.0 / STEPS as f64;
    let replicas = Band::filled(&outlook.band.replicas);
    for (n, (low, high)) in replicas.iter().enumerate() {
        let at = Duration::from_secs_f64((n as f64 + 0.5) * step);
        let likely = f64::from(outlook.replicas.at(at));
        assert!((*low..=*high).contains(&likely), "{at:?}: {low} to {high}");
    }
    let most = |figures: &Figures| figures.most_replicas;
    let highest = outlook.runs.iter().map(most).max().unwrap();
    let band = replicas.iter().map(|range| range.1).fold(0.0, f64::max);
    assert!((band - f64::from(highest)).abs() < 1e-9);
    let full = |figures: &Figures| figures.drain.unwrap();
    let drains = outlook.runs.iter().map(full);
    assert!(drains.clone().max().unwrap() > drains.min().unwrap() + Duration::from_secs(20));
}

#[test]
fn a_target_at_rest_has_its_minimum_its_idle_or_its_paused_replicas() {
    let settings = Settings {
        min_replica_count: 2,
        ..Settings::default()
    };
    assert_eq!(outlook(&settings, 1).replicas.at(Duration::ZERO), 2);
    let idle = Settings {
        idle_replica_count: Some(0),
        ..settings.clone()
    };
    assert_eq!(question(&idle, 1).at_rest(), 0);
    for (how, replicas) in [(Paused::At(7), 7), (Paused::Here, 4)] {
        let mut paused = settings.clone();
        paused.annotations.paused = Some(how);
        let outlook = outlook(&paused, 1_000);
        assert_eq!(outlook.replicas.counts(), [replicas]);
        assert_eq!((outlook.likely.thrash, outlook.likely.left), (0, 0));
        assert_eq!(outlook.likely.most_messages, 1_000);
    }
}

/// KEDA `scaleToZeroOrIdle`: a ScaledObject that was never active leaves the Deployment's replicas for its initial cooldown.
#[test]
fn a_young_scaled_object_has_the_deployments_replicas_for_the_initial_cooldown() {
    let settings = Settings {
        initial_cooldown_period: Duration::from_secs(600),
        ..Settings::default()
    };
    let of = |age: u64| {
        let mut question = question(&settings, 0);
        question.age = Duration::from_secs(age);
        Outlook::new(&question)
    };
    let likely = of(60);
    assert_eq!(likely.replicas.at(Duration::ZERO), 4);
    assert_eq!(likely.likely.replicas_at_rest, 4);
    // The HPA's window is over 5 minutes after its first sync; the initial cooldown at 540 s, before a poll at 555 s.
    let at = |seconds: u64| likely.replicas.at(Duration::from_secs(seconds));
    assert_eq!([at(230), at(300), at(539), at(572)], [4, 1, 1, 0]);
    assert_eq!(of(900).likely.replicas_at_rest, 0);
    assert_eq!(outlook(&settings, 0).likely.replicas_at_rest, 0, "at rest");
}

/// KEDA `startScaleLoop` polls before it waits; Kubernetes `enqueueHPA` first lets a sync period pass.
#[test]
fn a_scaled_object_that_is_made_now_is_polled_at_once() {
    let mut question = question(&Settings::default(), 100);
    question.target_replicas = None;
    let first = |question: &Question| {
        let phases = std::iter::once(question.likely()).chain(question.other_phases());
        let phases: Vec<_> = phases
            .map(|it| (it.poll.as_secs(), it.sync.as_secs()))
            .collect();
        (phases[0], phases.iter().all(|it| *it == phases[0]))
    };
    question.age = Duration::ZERO;
    assert_eq!(first(&question), ((0, 15), true));
    let now = Outlook::new(&question);
    assert_eq!(now.replicas.at(Duration::ZERO), 1);
    assert!(now.runs.iter().all(|run| run.most_replicas > 1));
    question.age = Duration::from_secs(5);
    assert_eq!(first(&question), ((25, 10), true));
    question.age = Duration::from_secs(60);
    assert!(!first(&question).1);
}

#[test]
fn a_target_that_is_paused_at_none_lets_the_queue_grow() {
    let mut paused = Settings::default();
    paused.annotations.paused = Some(Paused::At(0));
    let mut question = question(&paused, 0);
    question.workload.arrivals = Arrivals::new([autoscaler::Rates {
        at: Duration::ZERO,
        burst: 0,
        per_second: 2.0,
    }]);
    let outlook = Outlook::new(&question);
    assert_eq!(outlook.likely.most_messages, 3_600);
    let at = |part: f64| {
        let mut until = outlook
            .messages
            .iter()
            .filter(|(at, _)| *at <= 1_800.0 * part);
        until.next_back().unwrap().1
    };
    assert!((at(0.25) - 900.0).abs() < 40.0 && (at(0.5) - 1_800.0).abs() < 40.0);
}

#[test]
fn long_horizons_get_fewer_phases() {
    let settings = Settings::default();
    let hours = |hours: u64| phases(&settings, Duration::from_secs(hours * 3_600)).len();
    assert_eq!(hours(1), 450);
    assert!(hours(200) <= 50);
    assert_eq!(hours(2_400), 16);
}
