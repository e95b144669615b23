//! A history, as it is written, read and followed.

use super::*;
use crate::wire::{Answer, Operation};

#[test]
fn a_history_is_read_up_to_its_torn_end_and_a_bad_line_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path()).unwrap();
    let crossing = Crossing {
        client: "c".to_owned(),
        operation: Operation::ReceiveMessages,
        resource: "q".to_owned(),
        began: Stamp::from_micros(1),
        ended: Stamp::from_micros(2),
        answer: Answer::Status(200, None),
        failed_part: None,
        fault: None,
        unheard: false,
        messages: vec![],
        rows: vec![],
        strange: None,
        clock_us: 0,
        pauses: vec![],
    };
    history.append(&crossing);
    let path = dir.path().join(FILE);
    let line = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{line}{}", &line[..20])).unwrap();
    let read: Vec<_> = history.read().unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(read, [crossing]);
    let asked = |since| {
        let since = Stamp::from_micros(since);
        history.look(|index| index.has_asked("c", since))
    };
    assert!(asked(0).unwrap());
    assert!(!asked(1).unwrap());
    // What is new is read from where the last look ended: the torn line is whole now.
    let later = line.replace("00:00:00.000001", "00:00:07.000000");
    assert_ne!(later, line);
    std::fs::write(&path, format!("{line}{later}")).unwrap();
    assert!(asked(6_000_000).unwrap());
    std::fs::write(&path, format!("{line}nonsense\n")).unwrap();
    let error = history.read().unwrap().nth(1).unwrap().unwrap_err();
    assert!(
        error.to_string().ends_with("history.jsonl, line 2"),
        "{error}"
    );
}
