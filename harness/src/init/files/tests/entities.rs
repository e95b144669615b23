//! Rows as clients of the table service tell them.

use super::*;

fn are(read: &[Value], text: &str) {
    let rows = rows(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let rows: Vec<Value> = rows.into_iter().map(Value::Object).collect();
    assert_eq!(rows, read, "{text}");
}

/// `TableEntityResult` of `@azure/data-tables`, `TableEntity` of .NET and of Java, and `TableEntity` of Python.
#[test]
fn the_names_that_clients_give_to_keys_are_the_keys() {
    let at = json!("2026-03-10T08:11:00.1234567Z");
    for row in [
        json!({"etag": "W/\"x0\"", "partitionKey": "p", "rowKey": "a", "timestamp": at, "text": "t"}),
        json!({"partitionKey": "p", "rowKey": "a", "timestamp": at, "eTag": {}, "text": "t"}),
        json!({"PartitionKey": "p", "RowKey": "a", "ETag": {}, "text": "t"}),
        json!({"PartitionKey": "p", "RowKey": "a", "ETag": "W/\"x0\"", "text": "t"}),
        json!({"PartitionKey": "p", "RowKey": "a", "Timestamp": {"offset": "Z", "year": 2026}, "text": "t"}),
        json!({"partitionKey": "p", "rowKey": "a", "timestamp": {"offset": "Z"}, "etag": "W/\"x0\"",
               "properties": {"PartitionKey": "p", "RowKey": "a", "Timestamp": [2026, 3], "text": "t"}}),
        json!({"properties": {"PartitionKey": "p", "RowKey": "a", "text": "t"}}),
        json!({"PartitionKey": "p", "RowKey": "a", "ETag": "W/\"x0\"",
               "Properties": {"text": {"PropertyAsObject": "t", "PropertyType": 0, "StringValue": "t"}}}),
        json!({"PartitionKey": "p", "RowKey": "a", "text": "t", "_metadata": {"etag": "W/\"x0\"", "timestamp": at}}),
        json!({"PartitionKey": "p", "RowKey": "a", "text": "t", "Etag": "W/\"x0\"", "TableTimestamp": at}),
    ] {
        let read = json!({"PartitionKey": "p", "RowKey": "a", "text": "t"});
        are(&[read], &json!([row]).to_string());
    }
    let table = "partitionKey,rowKey,timestamp,etag,text\np,a,2026-03-10,W/x,t\n";
    are(
        &[json!({"PartitionKey": "p", "RowKey": "a", "text": "t"})],
        table,
    );
}

#[test]
fn a_column_of_a_worker_is_no_clients() {
    for row in [
        json!({"PartitionKey": "p", "RowKey": "a", "timestamp": "2026-03-10T08:11:00Z", "rowKey": "b", "ETag": "mine"}),
        json!({"PartitionKey": "p", "RowKey": "a", "metadata": "m", "value": "v", "type": "Int64"}),
        json!({"order": "a", "timestamp": "2026-03-10T08:11:00Z", "partitionKey": "p"}),
    ] {
        are(std::slice::from_ref(&row), &row.to_string());
    }
}

#[test]
fn a_value_with_a_type_is_the_value_whoever_wrote_it() {
    for (written, value) in [
        (json!({"type": "Int64", "value": "4"}), json!("4")),
        (json!({"value": "4", "type": "Edm.Int64"}), json!("4")),
        (json!({"$numberLong": "4"}), json!(4)),
        (json!({"$numberDecimal": "4.50"}), json!(4.5)),
        (
            json!({"$date": {"$numberLong": "1773130263000"}}),
            json!(1_773_130_263_000_i64),
        ),
        (
            json!({"$date": "2026-03-10T08:11:03Z"}),
            json!("2026-03-10T08:11:03Z"),
        ),
        (
            json!({"value": "2026-03-10T08:11:03Z", "DateTime": "Tuesday, March 10, 2026"}),
            json!("2026-03-10T08:11:03Z"),
        ),
    ] {
        let read = json!({"RowKey": "a", "n": value});
        are(&[read], &json!({"RowKey": "a", "n": written}).to_string());
    }
    for none in [
        json!({"type": "order", "value": "4"}),
        json!({"value": "4"}),
        json!({"$ref": "4"}),
        json!({"type": "Int64", "value": "4", "x": 1}),
    ] {
        let text = json!({"RowKey": "a", "n": none}).to_string();
        let error = rows(&text).unwrap_err().to_string();
        assert!(error.contains("which no column of a table can"), "{error}");
    }
}

#[test]
fn rows_over_several_lines_and_pages_are_read() {
    let all = [row("a-1"), row("a-2")];
    for text in [
        format!("{:#}\n{:#}\n", all[0], all[1]),
        format!("{:#}\n{:#}\n", json!([all[0]]), json!([all[1]])),
        format!("{}\n{}\n", json!([all[0]]), json!([all[1]])),
        format!("{}{}", all[0], all[1]),
        json!([[all[0]], [all[1]]]).to_string(),
        format!(
            "{:#}\n{:#}\n",
            json!({"items": [all[0]]}),
            json!({"items": [all[1]]})
        ),
        format!(
            "{}\n{}\n",
            json!({"value": [all[0]]}),
            json!({"value": [all[1]]})
        ),
        format!(
            "\u{1b}[1;39m{{\u{1b}[0m\u{1b}[34;1m\"items\": {}}}\u{1b}[0m",
            json!(all)
        ),
    ] {
        are(&all, &text);
    }
    for (text, said) in [
        (
            format!("{:#}\n{{\n  \"RowKey\": \"b\",\n", all[0]),
            "the object that begins on line 6 is no row: it ends too early",
        ),
        (
            format!("{:#},\n{:#}\n", all[0], all[1]),
            "line 5 is no row: a comma stands between two objects; leave",
        ),
        (
            "[\n  {\"RowKey\": \"a\"}\n  {\"RowKey\": \"b\"}\n]\n".to_owned(),
            "line 3 is no row: a comma is missing before this",
        ),
        (
            "{'PartitionKey': 'p', 'RowKey': 'a'}\n".to_owned(),
            "line 1 is no row: a field's name must stand in double quotes: ''PartitionKey': 'p','; Python writes JSON with json.dumps",
        ),
        (
            "PartitionKey    RowKey\n--------------  --------\np               a\n".to_owned(),
            "no column of the header is called PartitionKey: \"PartitionKey    RowKey\"; separate",
        ),
    ] {
        let error = rows(&text).unwrap_err().to_string();
        assert!(error.starts_with(said), "{text}: {error}");
    }
}
