use serde_json::json;

use super::*;

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
    for (text, said) in [
        ("[1]", "entry 1 of the array"),
        (
            "[]",
            "it is an empty list, and no row is in it; write a few real ones",
        ),
        ("{}\nx\n", "line 2 is no row: this is no JSON: 'x'; write"),
        (
            "{}\n[1]\n",
            "line 2 is no row: is a list, must be an object",
        ),
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
    ] {
        let error = rows(text).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn messages_are_read_as_tools_export_them() {
    let all = ["{\"id\": 1}", "eyJpZCI6MX0="];
    let peeked: Vec<Value> = all
        .iter()
        .map(|text| json!({"content": text, "dequeueCount": 0, "id": "0e32", "insertionTime": "2026-11-29T10:00:00+00:00"}))
        .collect();
    for text in [
        all.join("\n\n"),
        json!(all).to_string(),
        serde_json::to_string_pretty(&peeked).unwrap(),
    ] {
        assert_eq!(messages(&text).unwrap(), all, "{text}");
    }
    // A message that is an array itself.
    let own = "[{\"content\": \"x\"}]";
    assert_eq!(messages(own).unwrap(), [own]);
    // One that is written for people to read.
    let pretty = "{\n  \"id\": 1\n}\n";
    assert_eq!(messages(pretty).unwrap(), [pretty.trim()]);
    for texts in [
        "order 1 shipped\norder 2 {late}\n",
        "id=1&n=2\nid=2&n=3\n",
        "<id>1</id>\n",
        "",
    ] {
        assert_eq!(messages(texts).unwrap().len(), texts.lines().count());
    }
}

#[test]
fn a_line_that_is_no_message_is_told_with_its_number_and_what_to_do() {
    let good = "{\"id\": 1}\n".repeat(4);
    for (text, said) in [
        (
            "[]".to_owned(),
            "it is an empty list, and no message is in it; write a few real ones",
        ),
        ("[\n]\n".to_owned(), "it is an empty list"),
        (
            "[\n {\"id\": 1},\n {\"id\": 2}\n]".to_owned(),
            "it is one list of 2 entries over several lines",
        ),
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
            "line 6 is no JSON as 8 other lines are: this is no JSON: 'hello'; mend the line",
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
            "line 2 is no base64 as 2 other lines are; mend the line",
        ),
    ] {
        let error = messages(&text).unwrap_err().to_string();
        assert!(error.starts_with(said), "{text:?}: {error}");
    }
}
