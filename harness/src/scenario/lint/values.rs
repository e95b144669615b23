//! Finds numbers that a step can read but that make no sense in its sentence: zero messages, more than a hundred percent, a lease
//! longer than a queue allows.

use workflow::contract::PayloadSize;

use crate::scenario::durations::Time;

/// Sentences in which a zero, at `#`, is meaningful: there are none of something, a process ended well, nothing is waited for, or
/// something happens immediately.
const ZERO_IS_MEANT: [&str; 14] = [
    "there are # consumers",
    "exit code #",
    "never more than # consumers",
    "# consumers died",
    "# messages were delivered more than once",
    "turned at most # times",
    "when # are sent",
    "from # per ",
    " to # per ",
    "each message takes # ",
    " before the first consumer starts",
    "drained by force # ",
    "later than # ",
    "at most # messages were delivered",
];

/// Longest lease, in seconds: 7 days (Queue service, Get Messages, `visibilitytimeout`).
const LONGEST_LEASE_S: u64 = 7 * 86_400;

/// The problem with a number in a defined sentence, and what to write.
pub(super) fn problem(sentence: &str) -> Option<String> {
    if let Some(text) = sentence.strip_prefix("a lease lasts ") {
        return lease(text);
    }
    if let Some(sizes) = sentence
        .strip_prefix("messages of ")
        .and_then(|rest| rest.strip_suffix(" bytes"))
    {
        let sizes = format!("uniform:{}", sizes.replace(" to ", ".."));
        return sizes.parse::<PayloadSize>().err().map(|_| {
            let (least, most) = (PayloadSize::RANGE.start(), PayloadSize::RANGE.end());
            format!("write sizes from {least} to {most} bytes, the smaller one first")
        });
    }
    let words: Vec<&str> = sentence.split(' ').collect();
    (0..words.len()).find_map(|at| {
        let number = words[at].parse::<u64>().ok()?;
        let unit = words.get(at + 1).copied().unwrap_or_default();
        match unit.trim_end_matches([',', ':']) {
            "%" => percent(number),
            unit => zero(&words, at, unit).filter(|_| number == 0),
        }
    })
}

/// The problem with a percentage of 0 or of more than 100.
pub(super) fn percent(number: u64) -> Option<String> {
    match number {
        0 => Some("0 % is none; write 1 to 100 %, or leave the step out".to_owned()),
        1..=100 => None,
        _ => Some(format!("{number} % is more than all; write 1 to 100 %")),
    }
}

/// The problem with the zero at `words[at]`, which `unit` follows.
fn zero(words: &[&str], at: usize, unit: &str) -> Option<String> {
    let (sentence, mut marked) = (words.join(" "), words.to_vec());
    marked[at] = "#";
    let marked = marked.join(" ");
    let is_meant = ZERO_IS_MEANT.iter().any(|known| marked.contains(known));
    if is_meant && !never_sends(&sentence) && !marked.starts_with("# messages are sent") {
        return None;
    }
    let before = words[..at].last().copied().unwrap_or_default();
    let is_time = format!("0 {unit}").parse::<Time>().is_ok();
    let text = match unit {
        _ if is_time && before == "within" => {
            format!("nothing is done within 0 {unit}; write how long it may take")
        }
        _ if is_time => {
            format!("0 {unit} is no time; write 1 {unit} or more, or leave the step out")
        }
        "per" => "at a rate of 0 no message is ever sent; write 1 per minute or more".to_owned(),
        "consumer" | "consumers" if words.len() == 2 => {
            "without a consumer nothing is done; write 1 or more, or 'no consumer, and the workload's own scaling settings' for as \
             many as the autoscaler wants"
                .to_owned()
        }
        "message" | "messages" if at == 0 => {
            "no message is sent, so that nothing is shown; write 1 or more".to_owned()
        }
        _ if before == "least" => "at least 0 holds of anything; write 1 or more".to_owned(),
        "attempt" | "attempts" => {
            "every message is given up before it is tried; write 1 or more".to_owned()
        }
        _ => "0 is none of them, so that nothing is shown; write 1 or more, or leave the step out"
            .to_owned(),
    };
    Some(text)
}

/// Whether a changing rate is 0 at its beginning and at its end.
fn never_sends(sentence: &str) -> bool {
    sentence.contains("from 0 per ") && sentence.contains(" to 0 per ")
}

/// Queue service, Get Messages: "The new value must be larger than or equal to 1 second, and can't be larger than 7 days", in seconds.
fn lease(text: &str) -> Option<String> {
    let Time(time) = text.parse().ok()?;
    let is_one = time.subsec_nanos() == 0 && (1..=LONGEST_LEASE_S).contains(&time.as_secs());
    (!is_one).then(|| {
        let minutes = LONGEST_LEASE_S / 60;
        format!(
            "a queue gives leases of whole seconds, from 1 s to {minutes} min; write such a time"
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::scenario::tests::cases;

    /// Replaces every number of every sentence of the features by zero: each zero is reported, or it is in the list.
    #[test]
    fn a_zero_is_told_wherever_it_says_nothing() {
        let mut taken = BTreeSet::new();
        for sentence in cases()
            .iter()
            .flat_map(|case| &case.steps)
            .map(|step| step.value.clone())
        {
            let words: Vec<&str> = sentence.split(' ').collect();
            for at in 0..words.len() {
                if words[at].parse::<u64>().is_err() {
                    continue;
                }
                let mut zeroed = words.clone();
                zeroed[at] = "0";
                let zeroed = zeroed.join(" ");
                if problem(&zeroed).is_none() {
                    let shape = zeroed.split(' ').map(|word| match word.parse::<u64>() {
                        Ok(0) => "0",
                        Ok(_) => "N",
                        Err(_) => word,
                    });
                    taken.insert(shape.collect::<Vec<_>>().join(" "));
                }
            }
        }
        let taken: Vec<_> = taken.iter().map(String::as_str).collect();
        assert_eq!(
            taken,
            [
                "0 consumers died",
                "0 messages were delivered more than once",
                "N messages are sent at N per minute, and one of the Spot nodes is evicted with N s of notice, and drained by force 0 s after it",
                "N messages are sent at N per second, and Entra cannot be reached for N s when 0 are sent",
                "N messages are sent at N per second, and storage goes away for N s when 0 are sent",
                "N messages are sent at a rate that falls from 0 per minute to N per minute in N min",
                "N messages are sent at a rate that falls from N per minute to 0 per minute in N min",
                "N messages are sent at once, 0 s before the first consumer starts",
                "at least N consumers were taken away while they had work, and each ended by itself, with exit code 0",
                "at most 0 messages were delivered more than once",
                "each message takes 0 ms of work",
                "each message takes 0 s of work",
                "every consumer of a node that was evicted ended by itself before the node did, with exit code 0",
                "no consumer took a message later than 0 s after the notice",
                "that consumer ended by itself within N s, with exit code 0",
                "that consumer took no message later than 0 s after it was told to stop",
                "there were never more than 0 consumers",
                "within N min there are 0 consumers",
                "within N s every consumer ends by itself with exit code 0",
            ]
        );
    }

    #[test]
    fn what_makes_no_sense_is_told_with_what_does() {
        for (sentence, told) in [
            (
                "0 consumers",
                "without a consumer nothing is done; write 1 or more",
            ),
            ("0 messages are sent at once", "no message is sent"),
            ("0 messages are sent at 5 per second", "no message is sent"),
            (
                "5 messages are sent at 0 per second",
                "at a rate of 0 no message is ever sent",
            ),
            (
                "5 messages are sent at 5 per second, 120 % of them twice",
                "120 % is more than all",
            ),
            ("0 % of all requests get 503 ServerBusy", "0 % is none"),
            (
                "a lease lasts 0 s",
                "a queue gives leases of whole seconds, from 1 s to 10080 min",
            ),
            (
                "a lease lasts 1500 ms",
                "a queue gives leases of whole seconds",
            ),
            (
                "a lease lasts 10081 min",
                "a queue gives leases of whole seconds",
            ),
            (
                "a message is given up after 0 attempts",
                "every message is given up before it is tried",
            ),
            ("messages of 10 to 5 bytes", "write sizes from 48 to "),
            (
                "the first 0 inserts get half an answer",
                "0 is none of them",
            ),
            (
                "within 0 s every message has exactly one result",
                "nothing is done within 0 s",
            ),
            (
                "9 messages are sent at a rate that falls from 0 per second to 0 per second in 5 s",
                "at a rate of 0 no message is ever sent",
            ),
            (
                "at least 0 consumers had messages",
                "at least 0 holds of anything",
            ),
        ] {
            let found = problem(sentence).unwrap_or_default();
            assert!(found.starts_with(told), "{sentence}: {found:?}");
        }
        for sentence in [
            "within 30 s there are 0 consumers",
            "each message takes 0 ms of work",
            "a lease lasts 10080 min",
            "100 messages are sent at a rate that falls from 10 per second to 0 per second in 5 s",
        ] {
            assert_eq!(problem(sentence), None, "{sentence}");
        }
    }
}
