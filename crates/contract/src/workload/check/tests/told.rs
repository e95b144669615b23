//! Lines and reasons of what is wrong with a description.

use super::*;

/// The lines of what is wrong with `text`, and the words.
fn lines(text: &str) -> Vec<String> {
    let problems = Description::read(text).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_line_told_is_that_of_the_value_itself() {
    for (from, to, told) in [
        (
            "text: \"{payload}\"",
            "text: \"{payload}\"\n    a:\n      b:\n        c: \"{lease}\"",
            "line 9: {lease} has no meaning here",
        ),
        (
            "text: \"{payload}\"",
            "text: \"{payload}\"\n    list:\n    - {a: 1}\n    - - x\n      - {id}",
            "line 10: YAML reads {id} without quotes",
        ),
        (
            "name: orders",
            "name: orders\nbeside:\n  queues:\n  - \"{queue}-a\"\n  - \"{queue}-B\"",
            "line 6: a queue cannot be called {queue}-B",
        ),
        (
            "name: orders",
            "name: orders\npoison:\n  body:\n    a: \"{body}\"\n    b: [1,\n      \"{lease}\"]",
            "line 7: {lease} has no meaning here",
        ),
        (
            "    text: \"{payload}\"",
            "    text: |\n      {payload}\n      <a>\n      {lease}</a>",
            "line 9: {lease} has no meaning here",
        ),
        (
            "    text: \"{payload}\"",
            "    text: |\n      {payload}\n      {lese}",
            "line 8: {lese} is no placeholder",
        ),
        (
            "text: \"{payload}\"",
            "text: \"{payload}\\n\\n{lease}\"",
            "line 6: {lease} has no meaning here",
        ),
        // Fields that are called as sections are.
        (
            "text: \"{payload}\"\nrow:\n  columns:\n    order: \"{id}\"",
            "row: 5\n    columns: 6\n    order: 7\nrow:\n  columns:\n    order: \"{uuid}\"",
            "line 11: the worker cannot know {uuid}",
        ),
        (
            "text: \"{payload}\"",
            "text: \"{payload}\"\n    worker: {variables: {QUEUE: 1}}",
            "line 15: {id} has no meaning here",
        ),
    ] {
        let text = GOOD.replace(
            "QUEUE: \"{queue-endpoint}\"",
            "QUEUE: \"{id}{queue-endpoint}\"",
        );
        assert!(text.contains(from), "{from:?}");
        let problems = lines(&text.replace(from, to));
        let is_told = problems.iter().any(|problem| problem.starts_with(told));
        assert!(is_told, "{told:?}: {problems:?}");
    }
    let json = "{\"version\": 1, \"name\": \"x\",\n \"message\": {\"body\": {\"a\": \"{id}\"}},\n \"row\": {\"columns\": {\n  \"A\": \"{id}\",\n  \
                \"Timestamp\": \"{id}\"}}}";
    let problems = lines(json);
    assert!(
        problems[0].starts_with("line 5: the table service itself writes the column Timestamp"),
        "{problems:?}"
    );
}

#[test]
fn every_problem_of_a_file_is_told_at_once_and_its_consequences_are_not() {
    let many = GOOD
        .replace("message:\n", "message:\n  encodng: text\n")
        .replace("order: \"{id}\"", "order: \"{ide}\"")
        .replace(
            "worker:\n",
            "wrker: 1\nworker:\n  drains: \"no\"\n  comand: a\n",
        );
    let problems = lines(&many);
    let told = [
        "line 4: unknown field encodng; the fields here are body, encoding",
        "line 10: {ide} is no placeholder; do you mean {id}?",
        "line 12: unknown field wrker; the fields here are version, name, message, row, beside, poison, worker",
        "line 14: true or false is expected here, without quotes; write drains: false: 'drains: \"no\"'",
        "line 15: unknown field comand; the fields here are command, drains, exit, image",
    ];
    assert_eq!(problems.len(), told.len(), "{problems:#?}");
    for (problem, told) in problems.iter().zip(told) {
        assert!(problem.starts_with(told), "{problem}");
    }
    // A misspelt name and the field that is missing for it are one problem; a wrong template is not missing too.
    for (from, to) in [
        ("message:", "mesage:"),
        ("  columns:", "  colums:"),
        ("orderId: \"{id}\"", "orderId: {id}"),
        ("orderId: \"{id}\"", "orderId: \"{id:x}\""),
        (
            "order: \"{id}\"\n    result: \"{payload}\"",
            "order: \"{ID}\"",
        ),
    ] {
        assert_eq!(
            wrong(from, to).len(),
            1,
            "{from:?} {to:?}: {:?}",
            wrong(from, to)
        );
    }
    // What is wrong elsewhere is told beside an unknown field.
    let beside = GOOD
        .replace("name: orders", "name: \"\"\nnme: orders")
        .replace("QUEUE: ", "QUEUE-URL: ");
    let problems = lines(&beside);
    assert_eq!(problems.len(), 3, "{problems:?}");
}

#[test]
fn what_is_missing_or_at_a_wrong_place_is_told_with_what_to_write_where() {
    for (from, to, told) in [
        (
            "  body:\n    orderId: \"{id}\"\n    text: \"{payload}\"\n",
            "  encoding: text\n",
            "line 3: message lacks the field body; write it below message, indented, such as: body: {id: \"{id}\", text:",
        ),
        (
            "  columns:\n    order: \"{id}\"\n    result: \"{payload}\"\n",
            "  written: updated\n",
            "line 7: row lacks the field columns; write it below row, indented, such as: columns: {id: ",
        ),
        (
            "row:\n  columns:\n    order: \"{id}\"\n    result: \"{payload}\"\n",
            "",
            "line 1: the description lacks the field row; write it at the top of the file, such as: row: {columns: ",
        ),
        (
            "    order: \"{id}\"\n    result: \"{payload}\"\n",
            "  order: \"{id}\"\n  result: \"{payload}\"\n",
            "line 9: order, result must stand below columns; indent each line of it further than 'columns:' in line 8",
        ),
        (
            "  command: python3 worker.py\n  variables:\n    QUEUE: \"{queue-endpoint}\"\n    TABLE: \"{table-endpoint}\"\n",
            "command: python3 worker.py\n",
            "line 12: command must stand below worker; indent each line of it further than 'worker:' in line 11",
        ),
        (
            "row:\n  columns:\n    order",
            "  row:\n    columns:\n      order",
            "line 7: unknown field row; it belongs at the top of the file, on a line without blanks before it. The fields here are",
        ),
        (
            "worker:\n  command: python3 worker.py\n  variables:",
            "command: python3 worker.py\nworker:\n  variables:",
            "line 11: unknown field command; it belongs into worker, indented below it",
        ),
        (
            "worker:\n",
            "worker:\n  exit:\n",
            "line 12: one of these words is expected here: fault, restart: 'exit:'",
        ),
        (
            "name: orders",
            "name: orders\nbeside:",
            "line 3: beside is empty; write its fields below it",
        ),
    ] {
        let problems = wrong(
            from,
            &to.replace(
                "result",
                if to.contains("      order") {
                    "  result"
                } else {
                    "result"
                },
            ),
        );
        assert!(problems[0].starts_with(told), "{told:?}: {problems:#?}");
        assert!(problems.len() <= 1 || to.is_empty(), "{problems:#?}");
    }
}

/// YAML 1.2.2, "10.3.2. Tag Resolution": `true` and `false` are booleans, and `yes` and `no` are texts.
#[test]
fn a_value_of_another_type_is_refused_as_the_schema_refuses_it() {
    for (from, to, told) in [
        (
            "version: 1",
            "version: \"1\"",
            "line 1: write version: 1, without quotes or a point",
        ),
        (
            "version: 1",
            "version: 1.0",
            "line 1: write version: 1, without quotes or a point",
        ),
        (
            "name: orders",
            "name: 12",
            "line 2: a text is expected here, but YAML reads 12 as another type; put it into quotes, as in name: \"12\"",
        ),
        (
            "name: orders",
            "name: true",
            "line 2: a text is expected here, but YAML reads true as another type",
        ),
        (
            "name: orders",
            "name: \" \"",
            "line 2: the name is empty; write the name that reports shall show",
        ),
        (
            "command: python3 worker.py",
            "command: 5",
            "line 12: a text is expected here, but YAML reads 5 as another type",
        ),
        (
            "command: python3 worker.py",
            "drains: \"yes\"",
            "line 12: true or false is expected here, without quotes; write drains: true",
        ),
        (
            "command: python3 worker.py",
            "drains: no",
            "line 12: true or false is expected here, without quotes; write drains: false",
        ),
        (
            "  columns:",
            "  written: [updated]\n  columns:",
            "line 8: one of these words is expected here: inserted, updated: 'written: [updated]'",
        ),
        (
            "name: orders",
            "name: a\npoison: {after: -1}",
            "line 3: a whole number from 1 to 4294967295 is expected here",
        ),
        (
            "name: orders",
            "name: a\npoison: {reasons: [5]}",
            "line 3: a text is expected here, but YAML reads 5 as another type; put it into quotes, as in \"5\"",
        ),
    ] {
        let problems = wrong(from, to);
        assert!(problems[0].starts_with(told), "{told:?}: {problems:?}");
    }
}

#[test]
fn what_no_row_and_no_service_will_match_is_refused() {
    for (from, to, told) in [
        (
            "order: \"{id}\"",
            "order: \"{id}\"\n    order?: \"{id}\"",
            "line 10: the column order is listed twice, with and without ?",
        ),
        (
            "order: \"{id}\"",
            "order: \"“{id}”\"",
            "line 9: YAML reads the quotes in “{id}” as part of the text",
        ),
        (
            "order: \"{id}\"",
            "order: „{id}“",
            "line 9: YAML reads the quotes in „{id}“ as part of the text",
        ),
        (
            "text: \"{payload}\"",
            "text: «{payload}»",
            "line 6: YAML reads the quotes in «{payload}» as part of the text",
        ),
        (
            "name: orders",
            "name: a\nbeside: {queues: [\"{queue:json}-a\"]}",
            "line 3: {queue:json} has a format, which a name cannot have; write {queue}",
        ),
        (
            "worker:",
            "---\nworker:",
            "line 12: a second document begins here",
        ),
    ] {
        let problems = wrong(from, to);
        assert!(problems[0].starts_with(told), "{told:?}: {problems:?}");
    }
}

#[test]
fn what_looks_like_another_type_and_is_right_is_taken() {
    for (from, to) in [
        ("text: \"{payload}\"", "text: \"“{payload}” is said\""),
        (
            "order: \"{id}\"",
            "order: \"{id}\"\n    country: no\n    n: 5\n    b: true",
        ),
        (
            "command: python3 worker.py",
            "command: python3 worker.py\n  drains: False\n  image: null",
        ),
    ] {
        assert_eq!(
            Description::read(&GOOD.replace(from, to)).err(),
            None,
            "{to}"
        );
    }
    let text = GOOD.replace(
        "text: \"{payload}\"",
        "text: \"{payload}\"\n    country: no",
    );
    let body = Description::read(&text).unwrap().message.body;
    let Body::Object(fields) = body else {
        panic!("{body:?}")
    };
    assert_eq!(fields[2].1, Body::Text("no".parse().unwrap()));
}
