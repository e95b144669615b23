mod told;

use super::*;
use crate::workload::OWN;

const GOOD: &str = "\
version: 1
name: orders
message:
  body:
    orderId: \"{id}\"
    text: \"{payload}\"
row:
  columns:
    order: \"{id}\"
    result: \"{payload}\"
worker:
  command: python3 worker.py
  variables:
    QUEUE: \"{queue-endpoint}\"
    TABLE: \"{table-endpoint}\"
";

/// The problems of the valid description after `from` is replaced by `to`.
fn wrong(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from:?}");
    let problems = Description::read(&GOOD.replace(from, to)).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn good_descriptions_have_no_problem() {
    // A payload of which `%` stands before what no key can hold.
    let escaped = GOOD.replace("result: \"{payload}\"", "RowKey: \"{payload:url}\"");
    for text in [GOOD, OWN, &escaped] {
        assert_eq!(Description::read(text).err(), None);
    }
}

#[test]
fn every_problem_is_told_with_its_line_and_what_would_be_right() {
    are_told(&[
        (
            "version: 1",
            "version: 2",
            "line 1: version 2 is not known, this program reads version 1; write version: 1, or use",
        ),
        (
            "order: \"{id}\"",
            "order: \"{ide}\"",
            "line 9: {ide} is no placeholder; do you mean {id",
        ),
        (
            "result: \"{payload}\"",
            "result: \"{lease}\"",
            "line 10: {lease} has no meaning here",
        ),
        (
            "result: \"{payload}\"",
            "result: \"{seq}\"",
            "line 10: the worker cannot know {seq}",
        ),
        (
            "result: \"{payload}\"",
            "RowKey: \"{received}\"",
            "line 10: only the worker knows the value of",
        ),
        (
            "result: \"{payload}\"",
            "RowKey?: \"{id}\"",
            "line 10: every row has a RowKey",
        ),
        (
            "result: \"{payload}\"",
            "at: \"t {done}\"",
            "line 10: {done} must be the whole content of its column",
        ),
        (
            "result: \"{payload}\"",
            "Timestamp: \"{done}\"",
            "line 10: the table service itself writes the column Timestamp",
        ),
        (
            "text: \"{payload}\"",
            "text: \"{attempt}\"",
            "line 6: {attempt} has no meaning here",
        ),
        (
            "QUEUE: \"{queue-endpoint}\"",
            "QUEUE: \"{id}\"",
            "line 14: {id} has no meaning here",
        ),
        (
            "{queue-endpoint}",
            "nowhere",
            "line 13: no variable tells the worker where the queue is",
        ),
        (
            "python3 worker.py",
            "\"\"",
            "line 12: the command is empty; name a program",
        ),
    ]);
}

#[test]
fn a_key_that_no_table_can_hold_is_told() {
    are_told(&[
        (
            "result: \"{payload}\"",
            "RowKey: \"o-{payload}\"",
            "line 10: {payload} holds characters that a key cannot hold (/ \\ # ? and control characters), so",
        ),
        (
            "result: \"{payload}\"",
            "PartitionKey: \"{payload:base64}\"",
            "line 10: {payload:base64} holds characters that a key cannot hold",
        ),
        (
            "result: \"{payload}\"",
            "RowKey: \"orders/{id}\"",
            "line 10: a key cannot hold '/'; write the key as the table has it",
        ),
        (
            "result: \"{payload}\"",
            "PartitionKey: \"a#b\"",
            "line 10: a key cannot hold '#'",
        ),
    ]);
}

/// Holds that, with the second text in place of the first, a problem begins with the third.
fn are_told(cases: &[(&str, &str, &str)]) {
    for (from, to, told) in cases {
        let problems = wrong(from, to);
        assert!(
            problems.iter().any(|problem| problem.starts_with(told)),
            "{told:?}: {problems:?}"
        );
    }
}

#[test]
fn what_does_not_fit_is_told_without_the_words_of_the_parser() {
    for (from, to, told) in [
        ("version: 1", "version: one", "line 1: "),
        (
            "message:\n",
            "message:\n  encoding: Base64\n",
            "line 4: the value \"Base64\" is not allowed; write one of text, base64: 'encoding: Base64'",
        ),
        (
            "order: \"{id}\"",
            "order: {id}",
            "line 9: a text is expected here; put what begins with { or [ into quotes",
        ),
        (
            "order: \"{id}\"",
            "order: [\"{id}\"]",
            "line 9: a text is expected here",
        ),
        (
            "result: \"{payload}\"",
            "result: null",
            "line 10: a text is expected here, but this is null or empty; write the text",
        ),
        (
            "result: \"{payload}\"",
            "result:",
            "line 10: a text is expected here, but this is null or empty; write the text",
        ),
        ("worker:\n", "worker:\n  drains: maybe\n", "line 12: "),
        (
            "name: orders",
            "nme: orders",
            "line 2: unknown field nme; the fields here are version, name, message",
        ),
        (
            "name: orders\n",
            "",
            "line 1: the description lacks the field name; write it at the top of the file, such as: name: orders",
        ),
    ] {
        let problems = wrong(from, to);
        assert!(
            problems.iter().any(|problem| problem.starts_with(told)),
            "{told:?}: {problems:?}"
        );
        for parser in [
            "serde",
            "scalar",
            "invalid type",
            "variant",
            "struct",
            "u32",
            "bool",
            "`",
        ] {
            assert!(!problems[0].contains(parser), "{problems:?}");
        }
    }
}

#[test]
fn names_that_nothing_can_have_and_misspelt_placeholders_are_told() {
    for (from, to, told) in [
        (
            "order: \"{id}\"",
            "my-order: \"{id}\"",
            "line 9: a column cannot be called \"my-order\": a name has letters, digits and '_'",
        ),
        (
            "order: \"{id}\"",
            "1st?: \"{id}\"",
            "line 9: a column cannot be called \"1st\"",
        ),
        (
            "QUEUE:",
            "QUEUE-URL:",
            "line 14: \"QUEUE-URL\" cannot be the name of an environment variable: a name has letters, digits and '_'",
        ),
        (
            "QUEUE:",
            "Storage:Queue:",
            "line 14: \"Storage:Queue\" cannot be the name of an environment variable: a name has letters, digits and '_', \
             and does not begin with a digit; in \
             place of ':' .NET reads '__'",
        ),
        (
            "text: \"{payload}\"",
            "text: {payload}",
            "line 6: YAML reads {payload} without quotes as a mapping; write \"{payload}\"",
        ),
        (
            "text: \"{payload}\"",
            "text: \"{Payload}\"",
            "line 6: {Payload} is no placeholder; do you mean {payload}?",
        ),
    ] {
        let problems = wrong(from, to);
        assert!(
            problems.iter().any(|problem| problem.starts_with(told)),
            "{told:?}: {problems:?}"
        );
    }
}

#[test]
fn one_row_for_many_messages_is_said_to_be_out_of_scope() {
    let text = GOOD.replace(
        "    order: \"{id}\"\n    result: \"{payload}\"\n",
        "    worker: \"{worker}\"\n",
    );
    let problems = Description::read(&text).unwrap_err();
    assert!(problems[0].text.contains("out of scope"), "{problems:?}");
    assert_eq!(problems[0].line, 8);
}

#[test]
fn a_message_that_nothing_tells_apart_is_refused() {
    let text = GOOD.replace(
        "    orderId: \"{id}\"\n    text: \"{payload}\"\n",
        "    sent: \"{sent}\"\n",
    );
    let problems = Description::read(&text).unwrap_err();
    assert!(
        problems[0]
            .to_string()
            .contains("no placeholder in the message identifies it"),
        "{problems:?}"
    );
}

#[test]
fn what_a_worker_uses_beside_is_each_runs_own() {
    let beside = |beside: &str| {
        let problems = Description::read(&format!("{GOOD}beside:\n{beside}")).err();
        problems.map(|problems| problems[0].to_string())
    };
    let good = "  queues: [\"{queue}-low\"]\n  tables: [\"{table}log\", \"{table}old\"]\n";
    assert_eq!(beside(good), None);
    for (wrong, told) in [
        ("  queues: [low]\n", "line 17: low is the same in every run"),
        (
            "  queues: [\"{queue}\"]\n",
            "line 17: {queue} is known already",
        ),
        (
            "  tables: [\"{table}a\", \"{table}a\"]\n",
            "line 17: {table}a is known already",
        ),
        (
            "  queues: [\"{queue}_old\"]\n",
            "line 17: a queue cannot be called {queue}_old: a name has 3 to 63 lower-case letters, digits and single '-'",
        ),
        (
            "  tables: [\"{table}-log\"]\n",
            "line 17: a table cannot be called {table}-log: a name has 3 to 63 letters and digits",
        ),
        (
            "  tables: [\"1{table}\"]\n",
            "line 17: a table cannot be called 1{table}",
        ),
        (
            "  tables: [\"{queue}a\"]\n",
            "line 17: {queue} has no meaning here; the name can hold {table} and text",
        ),
    ] {
        let problem = beside(wrong).expect("a problem");
        assert!(problem.starts_with(told), "{problem}");
    }
}

#[test]
fn what_is_given_up_holds_its_message() {
    let poison = |poison: &str| {
        let text = format!("{GOOD}poison:\n{poison}");
        Description::read(&text)
            .err()
            .map(|problems| problems[0].to_string())
    };
    assert_eq!(poison("  after: 5\n"), None);
    let told = poison("  body:\n    why: \"{reason}\"\n").unwrap();
    assert!(
        told.ends_with("the poison message does not hold the original body; add {body}"),
        "{told}"
    );
    assert!(
        poison("  queue: \"{queue}\"\n")
            .unwrap()
            .contains("the name of the queue")
    );
    for name in [
        "{queue}_poison",
        "{queue}-",
        "{queue}--poison",
        "Poison-{queue}",
        "{queue}.poison",
    ] {
        let told = poison(&format!("  queue: \"{name}\"\n")).unwrap_or_default();
        let expected = format!("line 17: a queue cannot be called {name}: ");
        assert!(told.starts_with(&expected), "{told}");
    }
    let told = poison("  after: 0\n").unwrap();
    assert!(
        told.starts_with("line 17: a whole number from 1 to"),
        "{told}"
    );
}
