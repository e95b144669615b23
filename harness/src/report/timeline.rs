//! The way of a witness through the wire, in words.

use crate::measure::Micros;
use evidence::{Answer, Crossing, Handled, Operation};

/// One line for each crossing, with the time since the first.
pub(super) fn timeline(history: &[Crossing]) -> Vec<String> {
    let Some(first) = history.first() else {
        return Vec::new();
    };
    let line = |crossing: &Crossing| {
        let since = Micros(crossing.began.micros_since(first.began)).to_string();
        let took = Micros(crossing.ended.micros_since(crossing.began));
        let fault = crossing.fault.as_ref();
        let unheard = if crossing.unheard {
            ", the client had gone"
        } else {
            ""
        };
        format!(
            "+{since:<8} {:<11} {}{} \u{2192} {} in {took}{unheard}{}",
            crossing.client,
            crossing.operation,
            about(crossing),
            answer(&crossing.answer),
            fault.map_or(String::new(), |fault| format!(" \u{26a1} {fault}")),
        )
    };
    history.iter().map(line).collect()
}

/// What a reader must know about the message to follow its way.
fn about(crossing: &Crossing) -> String {
    let delivery = |message: &Handled| Some(format!(", delivery {}", message.attempt?));
    let handed_back =
        |message: &Handled| (message.hidden_s == Some(0)).then(|| ", handed back".to_owned());
    let poisons = |message: &Handled| message.poisons.as_ref().map(|_| " as poison".to_owned());
    let message = crossing.messages.first();
    let told = match crossing.operation {
        Operation::ReceiveMessages => message.and_then(delivery),
        Operation::UpdateMessage => message.and_then(handed_back),
        Operation::PutMessage => message.and_then(poisons),
        _ => None,
    };
    told.unwrap_or_default()
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::NotAsked => "storage was not asked".to_owned(),
        Answer::Status(status, None) => status.to_string(),
        Answer::Status(status, Some(code)) => format!("{status} {code}"),
        Answer::None(why) => format!("no answer: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use workflow::contract::Stamp;

    use super::*;

    #[test]
    fn a_way_is_told_in_order_with_its_faults() {
        let received = Crossing {
            client: "consumer-1".to_owned(),
            operation: Operation::ReceiveMessages,
            resource: "q".to_owned(),
            began: Stamp::from_micros(1_000),
            ended: Stamp::from_micros(3_000),
            answer: Answer::Status(200, None),
            failed_part: None,
            fault: None,
            unheard: false,
            messages: vec![Handled {
                attempt: Some(2),
                ..Handled::default()
            }],
            rows: vec![],
            strange: None,
            clock_us: 0,
            pauses: vec![],
        };
        let deleted = Crossing {
            operation: Operation::DeleteMessage,
            began: Stamp::from_micros(2_001_000),
            ended: Stamp::from_micros(2_002_000),
            answer: Answer::Status(404, Some("MessageNotFound".to_owned())),
            failed_part: None,
            fault: Some("answer withheld".to_owned()),
            ..received.clone()
        };
        let told = timeline(&[received, deleted]);
        assert!(told[0].contains("consumer-1"), "{}", told[0]);
        assert!(
            told[0].contains("receive-messages, delivery 2 \u{2192} 200 in 2.00 ms"),
            "{}",
            told[0]
        );
        assert!(
            told[1].contains(
                "delete-message \u{2192} 404 MessageNotFound in 1.00 ms \u{26a1} answer withheld"
            ),
            "{}",
            told[1]
        );
        assert!(told[1].starts_with("+2.00 s"), "{}", told[1]);
    }
}
