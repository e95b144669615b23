use super::*;

fn told(texts: &[&str]) -> Option<String> {
    let placed = (1..).zip(texts).map(|(number, text): (usize, _)| Placed {
        place: format!("line {number}"),
        text: (*text).to_owned(),
    });
    let error = one_kind(&placed.collect::<Vec<_>>()).err();
    error.map(|error| error.to_string())
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

#[test]
fn messages_of_one_kind_are_taken() {
    let base64 = encoded("{\"id\": 1}");
    let of_text = encoded("order 1 of 2");
    for texts in [
        &["{\"id\": 1}", "{\"id\": 2}"][..],
        &["[1]", "[2]"],
        &["\"a\"", "\"b\""],
        &["1", "2"],
        &[&base64, &base64],
        &[&of_text],
        // Some of these words are valid Base64 by chance.
        &["word", "an order", "another one"],
        &["12", "a 12"],
    ] {
        assert_eq!(told(texts), None, "{texts:?}");
    }
}

#[test]
fn messages_of_several_kinds_are_told_with_the_first_that_differs() {
    let base64 = encoded("{\"id\": 1}");
    let one_kind = "a description is of messages of one kind, so leave the others out";
    for (texts, said) in [
        (
            &["{\"id\": 1}", "{\"id\": 2}", &base64][..],
            "line 3 is base64, but 2 others are each an object of JSON; ",
        ),
        (
            &[&base64, "{\"id\": 2}", &base64],
            "line 2 is an object of JSON, but 2 others are each base64; ",
        ),
        (
            &["{\"id\": 2}", "[2]", "{\"id\": 3}"],
            "line 2 is a list of JSON, but 2 others are each ",
        ),
        (
            &["{\"id\": 2}", "7", "{\"id\": 3}"],
            "line 2 is a number, but 2 others are each ",
        ),
    ] {
        let expected = format!("{said}{}", if said.ends_with("; ") { one_kind } else { "" });
        let told = told(texts).unwrap_or_default();
        assert!(told.starts_with(&expected), "{told}");
    }
    let text = encoded("hello, world");
    let told = told(&[&base64, &text]).unwrap_or_default();
    assert!(
        told.starts_with("what line 2 holds in base64 is no JSON as 1 others are: "),
        "{told}"
    );
}

#[test]
fn base64_that_no_worker_of_a_run_would_get_is_told() {
    let json = "{\"id\": \"a?>~\"}";
    let wide: Vec<u8> = json.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let url_safe = encoded(json).replace('+', "-").replace('/', "_");
    assert!(url_safe.contains(['-', '_']), "{url_safe}");
    for (text, said) in [
        (
            encoded(wide),
            "line 1 is base64 of UTF-16, as Encoding.Unicode of .NET is",
        ),
        (
            encoded([0x1f, 0x8b, 8, 0]),
            "line 1 is base64 of what gzip has packed",
        ),
        (
            url_safe,
            "line 1 is base64 without the '=' at its end, or with '-' and '_' in it",
        ),
        (
            encoded(encoded(json)),
            "what line 1 holds in base64 is base64 again",
        ),
        (
            encoded("{\"id\": 1"),
            "what line 1 holds in base64 is no JSON: it ends too early",
        ),
        (encoded(" "), "what line 1 holds in base64 is empty"),
    ] {
        let told = told(&[&text]).unwrap_or_default();
        assert!(told.starts_with(said), "{text}: {told}");
    }
}

fn all(texts: &[&str]) -> Vec<Value> {
    let read = |text: &&str| serde_json::from_str(text).unwrap();
    texts.iter().map(read).collect()
}

#[test]
fn kinds_of_objects_are_told_by_their_name_or_their_fields() {
    for (texts, said) in [
        (
            &[
                r#"{"type": "deleted", "ref": "A-0"}"#,
                r#"{"type": "created", "id": "A-1"}"#,
                r#"{"type": "deleted", "ref": "A-2"}"#,
            ][..],
            r#"the messages are of several kinds, by their field type: "deleted" (messages 1 and 3), "created" (message 2); a description is"#,
        ),
        (
            &[r#"{"EventType": "a", "x": 1}"#, r#"{"EventType": "b"}"#],
            r#"the messages are of several kinds, by their field EventType: "a" (message 1), "b" (message 2); "#,
        ),
        (
            &[r#"{"ref": 1}"#, r#"{"id": 1, "text": "t"}"#, "{}"],
            "the messages are of several kinds, by the fields that only some have: with ref (message 1), with id and text (message 2), with none of \
             these (message 3); ",
        ),
    ] {
        let told = several(&all(texts)).unwrap_or_default();
        assert!(told.starts_with(said), "{told}");
    }
    for one in [
        &[r#"{"type": "a", "id": 1}"#, r#"{"type": "a", "id": 2}"#][..],
        // Each has its own, as ids do.
        &[r#"{"type": "a", "id": 1}"#, r#"{"type": "b", "id": 2}"#],
        &["[1]", "[2]"],
    ] {
        assert_eq!(several(&all(one)), None);
    }
    assert_eq!(
        counted(&[1, 2, 3, 4, 5, 6, 7]),
        "messages 1, 2, 3, 4, 5 and 2 more"
    );
}

fn described(messages: &[&str], rows: &[&str]) -> anyhow::Result<String> {
    let row = |text: &&str| serde_json::from_str(text).unwrap();
    crate::init::described(&crate::init::Examples {
        messages: messages.iter().map(|it| (*it).to_owned()).collect(),
        rows: rows.iter().map(row).collect(),
    })
}

#[test]
fn what_is_given_twice_is_taken_once() {
    let messages = [
        r#"{"id": "ORD-1000", "text": "desk lamp table chair 480"}"#,
        r#"{"id": "ORD-1000", "text": "desk lamp table chair 480"}"#,
        r#"{"id": "ORD-1001", "text": "mirror desk shelf rug 204"}"#,
    ];
    let rows = [
        r#"{"PartitionKey": "p", "RowKey": "ORD-1000", "text": "desk lamp table chair 480"}"#,
        r#"{"PartitionKey": "p", "RowKey": "ORD-1000", "text": "desk lamp table chair 480"}"#,
        r#"{"PartitionKey": "p", "RowKey": "ORD-1001", "text": "mirror desk shelf rug 204"}"#,
    ];
    let text = described(&messages, &rows).unwrap();
    for line in [
        "# NOT TOLD: A message is given several times (message 2 again), and was taken once: no two messages of a run are the same.",
        "\"RowKey\": \"{id}\"",
        "from 2 messages and 2 rows",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let error = described(&[r#"{"type": "x"}"#; 2], &rows)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("nothing in the messages tells one from the next"),
        "{error}"
    );
    // Messages that are nothing but their kind.
    let kinds = [r#"{"type": "a"}"#, r#"{"type": "b"}"#, r#"{"type": "a"}"#];
    let error = described(&kinds, &rows).unwrap_err().to_string();
    assert!(
        error.starts_with("the messages are of several kinds, by their field type"),
        "{error}"
    );
    let kinds = [
        r#"{"type": "deleted", "ref": "A-0"}"#,
        messages[0],
        messages[2],
    ];
    let error = described(&kinds, &rows).unwrap_err().to_string();
    assert!(
        error.starts_with("the messages are of several kinds, by the fields"),
        "{error}"
    );
}
