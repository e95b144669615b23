//! Tests of reading and following a history.

use contract::Stamp;

use super::*;
use crate::{Answer, Operation};

#[test]
fn a_history_is_read_up_to_its_torn_end_and_a_bad_line_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
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
    let line = format!("{}\n", serde_json::to_string(&crossing).unwrap());
    std::fs::write(&path, format!("{line}{}", &line[..20])).unwrap();
    let read: Vec<_> = Reader::open(&path)
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(read, [crossing]);
    let mut follower = Follower::of(path.clone());
    let mut began = || {
        let mut began = Vec::new();
        follower
            .follow(|crossing| began.push(crossing.began.as_micros()))
            .unwrap();
        began
    };
    assert_eq!(began(), [1]);
    assert_eq!(began(), Vec::<i64>::new());
    // Reading continues where the last one ended: the incomplete line is whole now.
    let later = line.replace("00:00:00.000001", "00:00:07.000000");
    assert_ne!(later, line);
    std::fs::write(&path, format!("{line}{later}")).unwrap();
    assert_eq!(began(), [7_000_000]);
    std::fs::write(&path, format!("{line}nonsense\n")).unwrap();
    let error = Reader::open(&path).unwrap().nth(1).unwrap().unwrap_err();
    assert!(
        error.to_string().ends_with("history.jsonl, line 2"),
        "{error}"
    );
}
