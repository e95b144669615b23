//! Tests of filters, many from the examples of "Querying tables and entities".

use super::*;
use crate::clock::Moment;

fn entity() -> (Key, Entity) {
    let guid = uuid::Uuid::try_parse("a455c695-df98-5678-aaaa-81d3367e5a34").unwrap();
    let property = |name: &str, value: Value| (Box::from(name), value);
    let entity = Entity {
        timestamp: Moment::from_ticks(17_958_890_240_000_000),
        properties: vec![
            property("LastName", Value::String("O'Brien".into())),
            property("Age", Value::Int32(23)),
            property("Big", Value::Int64(9_007_199_254_740_993)),
            property("Amount", Value::Double(100.25)),
            property("IsActive", Value::Boolean(true)),
            property("IsOld", Value::Boolean(false)),
            property("Id", Value::Guid(guid)),
            property(
                "Since",
                Value::DateTime(DateTime::parse("2008-07-10T00:00:00Z").unwrap()),
            ),
            property("Raw", Value::Binary([0xab, 0xcd].into())),
        ],
    };
    (Key::new("p", "r"), entity)
}

#[test]
fn filters_match_what_the_documentation_says() {
    let (key, entity) = entity();
    for (text, expected) in [
        ("LastName eq 'O''Brien'", true),
        ("LastName ge 'O' and LastName lt 'P'", true),
        ("Age gt 30", false),
        ("Age ge 23 and Age le 23", true),
        ("23 le Age", true),
        ("24 le Age", false),
        ("Big eq 9007199254740993L", true),
        ("Big eq 9007199254740993", true),
        ("Big eq 9007199254740992L", false),
        ("Age eq 23L", true),
        ("Amount ge 100.25", true),
        ("Amount lt 1e3", true),
        ("Amount gt 100", true),
        ("IsActive eq true", true),
        ("IsActive eq TruE", true),
        ("IsActive eq False", false),
        ("IsActive", true),
        ("IsOld", false),
        ("not IsOld", true),
        ("not (IsActive) or Age eq 23", true),
        ("not IsActive and Age eq 23", false),
        ("not (Age eq 23)", false),
        ("IsActive and (LastName eq 'x' or Age eq 23)", true),
        ("Age eq 1 or Age eq 23 and LastName eq 'x'", false),
        ("Id eq guid'a455c695-df98-5678-aaaa-81d3367e5a34'", true),
        ("Since eq datetime'2008-07-10T00:00:00Z'", true),
        ("Since gt datetime'2008-07-10'", false),
        ("Raw eq X'abCD'", true),
        ("Raw eq binary'abcd'", true),
        ("PartitionKey eq 'p' and RowKey eq 'r'", true),
        ("Timestamp ge datetime'2008-07-10T00:00:00Z'", true),
        ("Missing eq 1", false),
        ("Missing ne 1", false),
        ("Age eq '23'", false),
        ("Age ne '23'", true),
        ("((((Age)) eq ((23))))", true),
        ("(Age eq 23) eq true", true),
        ("true", true),
        ("  Age   eq\t23  ", true),
    ] {
        let filter = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(filter.matches(&key, &entity), expected, "{text}");
    }
}

#[test]
fn malformed_filters_are_refused() {
    for text in [
        "",
        "Age eq",
        "eq 1",
        "Age eq 1 and",
        "Age eq 1 Age eq 2",
        "(Age eq 1",
        "Age eq 1)",
        "Age eq 'x",
        "Age = 1",
        "Age eq 1x",
        "Age eq datetime'yesterday'",
        "Age eq guid'1'",
        "Age eq LastName",
        "'x'",
        "Age plus 1",
        "substringof('x', LastName)",
        "Age eq 99999999999999999999",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_filter_of_any_depth_or_length_ends() {
    let deep = format!("{}A eq 1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(parse(&deep).is_err());
    assert!(parse(&"not ".repeat(100_000)).is_err());
    let long = vec!["A eq 1"; 100_000].join(" or ");
    assert!(parse(&long).is_err());
    let documented = vec!["PartitionKey eq 'a'"; 500].join(" or ");
    assert!(parse(&documented).is_ok());
}

#[test]
fn keys_of_a_filter_hold_every_key_that_matches() {
    let range = |text: &str| parse(text).unwrap().keys().ranges();
    let one = range("PartitionKey eq 'p' and RowKey eq 'r'");
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].start, Key::new("p", "r"));
    assert_eq!(one[0].end, Some(Key::new("p", "r\0")));
    assert_eq!(
        range("PartitionKey eq 'p' and Age eq 1")[0].start,
        Key::new("p", "")
    );
    assert_eq!(range("PartitionKey eq 'p' or Age eq 1"), range("Age eq 1"));
    assert_eq!(range("not (PartitionKey eq 'p')"), range("Age eq 1"));
    let two =
        range("(PartitionKey eq 'b' and RowKey eq '1') or (PartitionKey eq 'a' and RowKey eq '2')");
    assert_eq!(two.len(), 2);
    assert_eq!(two[0].start, Key::new("a", "2"));
    assert_eq!(range("PartitionKey lt ''"), []);
    assert_eq!(range("PartitionKey eq 'a' and PartitionKey eq 'b'"), []);
}
