use serde_json::json;

use super::*;

mod clients;
mod entities;
mod mistakes;

fn row(id: &str) -> Value {
    json!({"PartitionKey": "p", "RowKey": id, "total": 5})
}

#[test]
fn rows_are_read_as_tools_export_them() {
    let all = vec![row("a-1"), row("a-2")];
    let lines = format!("{}\n\n{}\n", all[0], all[1]);
    let csv =
        "PartitionKey,RowKey,Timestamp,total,total@type,note\r\np,a-1,,5,Int32,\r\np,a-2,,5,,\r\n";
    for text in [
        lines,
        json!(all).to_string(),
        serde_json::to_string_pretty(&all).unwrap(),
        json!({"items": all, "nextMarker": {}}).to_string(),
        json!({"odata.metadata": "https://a/$metadata#work", "value": all}).to_string(),
        csv.to_owned(),
    ] {
        let read: Vec<Value> = rows(&text)
            .unwrap()
            .into_iter()
            .map(Value::Object)
            .collect();
        assert_eq!(read, all, "{text}");
    }
    let semicolons = csv.replace(',', ";");
    for table in [
        format!("sep=,\r\n{csv}"),
        format!("sep=;\r\n{semicolons}"),
        semicolons,
        csv.replace(',', "\t"),
    ] {
        let read: Vec<Value> = rows(&table)
            .unwrap()
            .into_iter()
            .map(Value::Object)
            .collect();
        assert_eq!(read, all, "{table}");
    }
    let quoted = "PartitionKey,RowKey,data\np,a-1,\"one, \"\"two\"\"\nthree\"\n";
    assert_eq!(rows(quoted).unwrap()[0]["data"], "one, \"two\"\nthree");
    assert_eq!(rows(&row("a-1").to_string()).unwrap().len(), 1);
}

#[test]
fn what_is_no_row_is_told_with_its_place() {
    for (text, said) in [
        (
            "[1]",
            "entry 1 of the list is no row: it is a single value, and a row is an object of JSON; write a few real ones",
        ),
        (
            "[{\"RowKey\": \"a\"}, null]",
            "entry 2 of the list is no row: it is null, and a row",
        ),
        (
            "[]",
            "it is an empty list, and no row is in it; write a few real ones",
        ),
        ("{\"items\": [], \"nextMarker\": {}}", "it is an empty list"),
        ("{\"value\": null}", "it is an empty list"),
        ("", "no row is in it; write a few real ones"),
        ("PartitionKey,RowKey,total\r\n", "no row is in it"),
        (
            "PartitionKey;RowKey;total\r\n;;\r\n;;\r\n",
            "no row is in it",
        ),
        (
            "{\"RowKey\": \"a\"}\nx\n",
            "line 2 is no row: this is no JSON: 'x'; write",
        ),
        (
            "{\"RowKey\": \"a\"}\n[1]\n",
            "line 2 is no row: it is a list, and a row is an object of JSON",
        ),
        ("null\nnull\n", "line 1 is no row: it is null"),
        (
            "{\"a\": 1},\n{\"a\": 2}\n",
            "line 1 is no row: a comma is at its end; leave the comma away, or make a list of all",
        ),
        (
            "{\"a\": 1}\n{\"a\": \n",
            "line 2 is no row: it ends too early",
        ),
        (
            "PartitionKey,RowKey\np\n",
            "row 2 has 1 cells, and the header 2",
        ),
        (
            "[{\"id\": \"a\", \"data\": {\"x\": 1}}]",
            "the column data of entry 1 of the list holds {\"x\":1}, which no column of a table can",
        ),
        (
            "{\"etag\": \"x\", \"Timestamp\": \"2026-11-23T13:14:15Z\"}",
            "entry 1 of the list has no column of a worker",
        ),
        (
            "{\"odata.error\": {\"code\": \"TableNotFound\"}}",
            "it is an error of the service in place of rows: {\"code\":\"TableNotFound\"}; export the rows again",
        ),
    ] {
        let error = rows(text).unwrap_err().to_string();
        assert!(error.starts_with(said), "{text}: {error}");
    }
}

/// `azure.data.tables.EntityProperty`, which is a tuple, and the `EntityProperty` of `azure-cosmosdb-table`, which is an object.
#[test]
fn a_value_that_comes_with_its_type_is_the_value() {
    let read = rows(
        "[{\"RowKey\": \"a\", \"n\": [5, \"Edm.Int64\"], \"m\": {\"value\": \"6\", \"edm_type\": \"Edm.Int64\"}}]",
    );
    assert_eq!(
        Value::from(read.unwrap().remove(0)),
        json!({"RowKey": "a", "n": 5, "m": "6"})
    );
}

fn texts(text: &str) -> Vec<String> {
    let messages = messages(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    messages.into_iter().map(|message| message.text).collect()
}

fn wrong(text: &str) -> String {
    messages(text).unwrap_err().to_string()
}

#[test]
fn messages_are_read_as_tools_export_them() {
    for all in [
        ["{\"id\":1}", "{\"id\":2}"],
        ["eyJpZCI6MX0=", "eyJpZCI6Mn0="],
    ] {
        let peeked: Vec<Value> = all
            .iter()
            .map(|text| json!({"content": text, "dequeueCount": 0, "id": "0e32", "insertionTime": "2026-11-29T10:00:00+00:00"}))
            .collect();
        for text in [
            all.join("\n\n"),
            json!(all).to_string(),
            serde_json::to_string_pretty(&peeked).unwrap(),
            // As `jq -c '.[]'` prints it.
            format!("{}\n{}\n", peeked[0], peeked[1]),
        ] {
            assert_eq!(texts(&text), all, "{text}");
        }
        assert_eq!(texts(&peeked[0].to_string()), all[..1]);
    }
    // One message that is formatted over several lines.
    let pretty = "{\n  \"id\": 1\n}\n";
    assert_eq!(texts(pretty), [pretty.trim()]);
    for several in [
        "order 1 shipped\norder 2 {late}\n",
        "id=1&n=2\nid=2&n=3\n",
        "<id>1</id>\n",
        "1234\nab34\ntrue\n",
    ] {
        assert_eq!(texts(several).len(), several.lines().count());
    }
}

#[test]
fn a_list_of_objects_is_as_many_messages() {
    let all = ["{\"id\":1}", "{\"id\":2}"];
    let list = format!("[{}]", all.join(","));
    let pretty: Value = serde_json::from_str(&list).unwrap();
    for text in [list, serde_json::to_string_pretty(&pretty).unwrap()] {
        assert_eq!(texts(&text), all, "{text}");
    }
    // Messages that are lists: in a list of their own, or each on its line.
    assert_eq!(texts("[[{\"id\": 1}]]"), ["[{\"id\":1}]"]);
    assert_eq!(texts("[{\"id\": 1}]\n[{\"id\": 2}]\n").len(), 2);
}

#[test]
fn a_message_of_nothing_is_told_with_its_place() {
    let peeked = |content: &str| {
        format!("[{{\"content\": \"x\", \"dequeueCount\": 0}}, {{{content}\"dequeueCount\": 1}}]")
    };
    let nothing = "and nothing else tells which message it is; leave it out";
    for (content, what) in [
        ("\"content\": null,", "is null"),
        ("\"content\": \"\",", "is empty"),
        ("\"content\": 7,", "is no text"),
        ("", "is missing"),
    ] {
        let said = format!("the content of entry 2 of the list {what}, {nothing}");
        assert_eq!(wrong(&peeked(content)), said);
    }
    for (text, said) in [
        (
            "[]",
            "it is an empty list, and no message is in it; write a few real ones",
        ),
        ("[\n]\n", "it is an empty list"),
        (
            "",
            "it is empty, and no message is in it; write a few real ones",
        ),
        (
            "[\"a\", null]",
            "entry 2 of the list is null, and nothing tells",
        ),
        (
            "[\"a\", \" \"]",
            "entry 2 of the list is empty, and nothing tells",
        ),
        (
            "{\"id\": 1}\nnull\n",
            "line 2 is null, and nothing tells which message it is; leave it out",
        ),
        ("null\n", "line 1 is null"),
        (
            "[1, 2]",
            "entry 1 of the list is 1; a message is an object or a text",
        ),
    ] {
        let error = wrong(text);
        assert!(error.starts_with(said), "{text}: {error}");
    }
}

#[test]
fn a_line_that_is_no_message_is_told_with_its_number_and_what_to_do() {
    let good = "{\"id\": 1}\n".repeat(4);
    for (text, said) in [
        (
            format!("{good}{{\"id\": 5, \"no"),
            "line 5 is no JSON: it ends too early, as what was cut off does",
        ),
        (
            "{\"id\": 1, \"no\n".to_owned(),
            "line 1 is no JSON: it ends too early",
        ),
        (
            format!("{good}\nhello\n{good}"),
            "line 6 is no JSON as 8 others are: this is no JSON: 'hello'; mend it",
        ),
        (
            "{\"id\": 1},\n{\"id\": 2},\n".to_owned(),
            "line 1 is no JSON: a comma is at its end; leave the comma away, or make a list of all with [ and ]",
        ),
        (
            "{'id': 1}\n".to_owned(),
            "line 1 is no JSON: a field's name must stand in double quotes",
        ),
        (
            "eyJpZCI6MX0=\neyJpZCI6MX0\neyJpZCI6MX0=\n".to_owned(),
            "line 2 is base64 without the '=' at its end",
        ),
        (
            "eyJpZCI6MX0=\nhello\neyJpZCI6MX0=\n".to_owned(),
            "line 2 is no base64 as 2 others are; mend it",
        ),
    ] {
        let error = wrong(&text);
        assert!(error.starts_with(said), "{text:?}: {error}");
    }
}
