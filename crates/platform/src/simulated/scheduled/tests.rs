use super::*;

const START: Stamp = Stamp::from_micros(1_474_309_757_000_000);

fn announced() -> Schedule {
    let mut schedule = Schedule::new("aks-edw-spot-x7f2k");
    schedule.announce("e1", Kind::Preempt, START, Duration::from_secs(30));
    schedule
}

fn document(schedule: &Schedule) -> Document {
    schedule.document("2020-07-01").unwrap()
}

#[test]
fn an_event_is_scheduled_then_started_then_gone_and_each_change_is_another_incarnation() {
    let mut schedule = Schedule::new("aks-edw-spot-x7f2k");
    let first = document(&schedule);
    assert_eq!(first.events, []);
    schedule.announce("e1", Kind::Preempt, START, Duration::from_secs(30));
    let scheduled = document(&schedule);
    assert_eq!(scheduled.events[0].event_status, Status::Scheduled);
    assert_eq!(
        scheduled.events[0].not_before,
        "Mon, 19 Sep 2016 18:29:47 GMT"
    );
    assert_eq!(scheduled.events[0].resources, ["aks-edw-spot-x7f2k"]);
    schedule.start("e1");
    let started = document(&schedule);
    assert_eq!(started.events[0].event_status, Status::Started);
    assert_eq!(started.events[0].not_before, "");
    schedule.finish("e1");
    let last = document(&schedule);
    assert_eq!(last.events, []);
    let incarnations = [first, scheduled, started, last].map(|it| it.document_incarnation);
    assert_eq!(incarnations, [1, 2, 3, 4]);
}

#[test]
fn what_changes_nothing_is_the_same_incarnation() {
    let mut schedule = announced();
    schedule.start("e1");
    let before = document(&schedule);
    schedule.start("e1");
    schedule.finish("e2");
    schedule.acknowledge(&["e1".to_owned()]).unwrap();
    assert_eq!(document(&schedule), before);
}

#[test]
fn an_event_is_due_at_its_time_and_not_before_unless_it_is_acknowledged() {
    let mut schedule = announced();
    let at = |seconds| START.plus(Duration::from_secs(seconds));
    assert!(!schedule.is_due("e1", at(29)));
    assert!(schedule.is_due("e1", at(30)));
    schedule.acknowledge(&["e1".to_owned()]).unwrap();
    assert!(schedule.is_due("e1", at(0)));
    let unknown = schedule.acknowledge(&["e1".to_owned(), "e2".to_owned()]);
    assert_eq!(unknown, Err(UnknownEvent("e2".to_owned())));
}

#[test]
fn older_versions_lack_what_later_ones_brought() {
    let schedule = announced();
    let fields = |version| {
        let document = schedule.document(version).unwrap();
        let event = &document.events[0];
        [
            event.description.is_some(),
            event.event_source.is_some(),
            event.duration_in_seconds.is_some(),
        ]
    };
    assert_eq!(fields("2017-11-01"), [false, false, false]);
    assert_eq!(fields("2019-04-01"), [true, false, false]);
    assert_eq!(fields("2019-08-01"), [true, true, false]);
    assert_eq!(fields("2020-07-01"), [true, true, true]);
    assert_eq!(schedule.document("latest"), None);
}
