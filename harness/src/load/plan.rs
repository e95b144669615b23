//! Refuses latency limits that count from the intended time of a send, for messages without that time.

use workflow::contract::workload::{Description, Name};

use super::{LoadArgs, knee};
use crate::measure::WITHOUT_PLAN;

/// Why a limit of `args` cannot be judged for the described workload; known before anything is sent.
pub(super) fn lacking(args: &LoadArgs, description: &Description) -> Option<String> {
    if description.message_has(Name::Intended) {
        return None;
    }
    let limits = if args.find_rate {
        knee::limits(args)
    } else {
        args.limits.clone()
    };
    let limit = limits.iter().find(|limit| limit.0.hop.is_from_plan())?;
    Some(format!(
        "the limit '{limit}' could not be judged, since {WITHOUT_PLAN}; or give a --limit on 'end to end, naive', which counts from the send"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_counts_from_the_plan_needs_messages_that_tell_it() {
        let described = |fields: &str| {
            let text = format!(
                "version: 1\nname: x\nmessage: {{ body: {{ id: \"{{id}}\"{fields} }} }}\nrow: {{ columns: {{ a: \"{{id}}\" }} }}\n"
            );
            Description::read(&text).unwrap()
        };
        let (without, with) = (described(""), described(", at: \"{intended:unix-ms}\""));
        for (flags, limit) in [
            (
                &["--limit=end to end p99 2s"][..],
                Some("end to end p99 2s"),
            ),
            (
                &["--limit=schedule lag p50 1s"],
                Some("schedule lag p50 1s"),
            ),
            (&["--limit=end to end, naive p99 2s"], None),
            (&["--find-rate"], Some("end to end p99 100ms")),
            (&["--find-rate", "--limit=work p99 1s"], None),
            (&[], None),
        ] {
            let words: Vec<_> = flags.iter().map(ToString::to_string).collect();
            let args = LoadArgs::from_words(&words).unwrap();
            assert_eq!(lacking(&args, &with), None, "{flags:?}");
            let told = lacking(&args, &without);
            let expected =
                limit.map(|limit| format!("the limit '{limit}' could not be judged, since "));
            match expected {
                None => assert_eq!(told, None, "{flags:?}"),
                Some(expected) => {
                    let told = told.unwrap();
                    assert!(told.starts_with(&expected), "{told}");
                    assert!(told.contains("add {intended} to message.body"), "{told}");
                }
            }
        }
    }
}
