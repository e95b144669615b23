use super::*;

fn parsed(text: &str) -> Result<Vec<f64>, String> {
    parse(Path::new("t.csv"), text.as_bytes())
        .map(|offsets| offsets.iter().map(Duration::as_secs_f64).collect())
        .map_err(|error| error.to_string())
}

#[test]
fn a_trace_is_read_with_and_without_header_comments_and_further_columns() {
    let expected = Ok(vec![0.0, 0.25, 0.25, 3.0]);
    assert_eq!(parsed("0\n0.25\n0.25\n3\n"), expected);
    assert_eq!(parsed("# recorded\noffset_s\n0\n0.25\n\n0.25\n3"), expected);
    assert_eq!(
        parsed("\"offset_s\",size\r\n0,1\r\n0.25,2\r\n0.25,\r\n 3 ,9\r\n"),
        expected
    );
}

/// "CSV UTF-8" of Excel begins with a byte order mark, and its header may be in quotes or in another case.
#[test]
fn a_trace_out_of_a_spreadsheet_is_read() {
    let expected = Ok(vec![0.0, 0.25]);
    for text in [
        "\u{feff}0\r\n0.25\r\n",
        "\u{feff}offset_s\r\n0\r\n0.25\r\n",
        "\u{feff}\"offset_s\",\"note\"\n\"0\",\"a, b\"\n\"0.25\",c\n",
        "Offset_s;size\n0;1\n0.25;2\n",
        "offset_s\tsize\n0\t1\n0.25\t2\n",
        "\u{feff}sep=;\r\noffset_s;size\r\n0;1\r\n0.25;2\r\n",
        "\"sep=|\"\noffset_s|note\n0|a;b\n0.25|\n",
        "SEP=\t\n0\ta, b\n0.25\t\n",
    ] {
        assert_eq!(parsed(text), expected, "{text:?}");
    }
    // Lines that end with CR alone.
    assert_eq!(parsed("offset_s\r0\r0.25\r"), expected);
    let error = parsed("offset_s\r0\rx\r").unwrap_err();
    assert!(error.contains("line 3:"), "{error}");
    // "Unicode Text" of Excel is UTF-16 with tabs.
    let text = "\u{feff}offset_s\tsize\r\n0\t1\r\n0.25\t2\r\n";
    for unit in [u16::to_le_bytes, u16::to_be_bytes] {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(unit).collect();
        let offsets = parse(Path::new("t.csv"), bytes.as_slice()).unwrap();
        let expected = [Duration::ZERO, Duration::from_millis(250)];
        assert_eq!(offsets, expected);
    }
}

#[test]
fn decimals_with_a_comma_are_not_taken_for_two_columns() {
    for (text, line) in [
        ("offset_s\n0\n0,25\n", 3),
        ("0\n0,25\n1\n", 2),
        ("offset_s;size\n0;1\n0,25;1\n", 3),
        ("\"0,25\"\n", 1),
    ] {
        let error = parsed(text).unwrap_err();
        assert!(error.contains(&format!("line {line}:")), "{error}");
        assert!(error.contains("write decimals with a point"), "{error}");
    }
}

#[test]
fn what_could_be_a_header_is_told_what_a_header_is() {
    for text in ["seconds\n0\n", "id,offset_s\n1,0\n"] {
        let error = parsed(text).unwrap_err();
        assert!(
            error.ends_with("a header is the line offset_s, with or without columns after it"),
            "{error}"
        );
    }
    assert_eq!(
        parsed("Timestamp\n2026-11-28T10:00:00Z\n").unwrap_err(),
        "read trace t.csv: line 1: a column \"Timestamp\" is no offset_s; if every line is one arrival, call it offset_s"
    );
}

/// Times of arrivals, counted as `harness recording` counts the times of its rows.
#[test]
fn times_of_day_are_counted_from_the_first_line() {
    let expected = Ok(vec![0.0, 0.25, 60.0]);
    for text in [
        "2026-11-28T10:00:00Z\n2026-11-28T10:00:00.25Z\n2026-11-28T10:01:00Z\n",
        "offset_s,size\n2026-11-28 10:00:00,1\n2026-11-28 10:00:00.25,2\n2026-11-28 10:01:00,3\n",
        "offset_s\n2026-11-28T23:30:00-01:00\n2026-11-29T00:30:00.25Z\n2026-11-29T00:31Z\n",
        "offset_s\n1764324000\n1764324000.25\n1764324060\n",
    ] {
        assert_eq!(parsed(text), expected, "{text:?}");
    }
    let error = parsed("offset_s\n1764324000\n1764323999\n").unwrap_err();
    assert_eq!(
        error,
        "read trace t.csv: line 3: 1764323999 is earlier than the arrival before it, 0; sort the trace"
    );
    for text in ["2026-11-28T10:00:00Z\n5\n", "offset_s\n0\n1764324000\n"] {
        let error = parsed(text).unwrap_err();
        assert!(
            error.ends_with(
                "the first line is of another kind; write all as offsets, or all as times"
            ),
            "{error}"
        );
    }
}

/// As exported by Grafana ("Series joined by time", in milliseconds, or formatted), Prometheus' API through jq, Azure Monitor and
/// Log Analytics.
/// export them.
#[test]
fn values_over_time_are_no_arrivals_and_are_told_as_such() {
    for (text, said) in [
        (
            "\"Time\",\"queue length\"\n1704067200000,1\n",
            "line 1: it looks like an export of values over time",
        ),
        (
            "Time;Value\n2026-11-28 10:00:00;5\n",
            "line 1: it looks like an export of values over time",
        ),
        (
            "sep=;\n\"Time\";\"queue length\"\n",
            "line 2: it looks like an export of values over time",
        ),
        (
            "TimeGenerated [UTC],QueueMessageCount\n",
            "line 1: it looks like an export of values over time",
        ),
        (
            "Timestamp (UTC),Average\n",
            "line 1: it looks like an export of values over time",
        ),
        (
            "1764324000,5\n1764324015,6\n",
            "line 1: it begins with seconds since 1970 and has further columns",
        ),
        (
            "2026-11-28T10:00:00Z,5\n",
            "line 1: it begins with a time of day and has further columns",
        ),
    ] {
        let error = parsed(text).unwrap_err();
        assert!(error.contains(said), "{text:?}: {error}");
        assert!(
            error.contains("if every line is one arrival, call its first column offset_s"),
            "{error}"
        );
        assert!(
            error.contains("of lengths of a queue nobody can tell what came"),
            "{error}"
        );
    }
}

/// The error for an offset `text` ends with `advice`.
fn assert_advised(text: &str, advice: &str) {
    let error = parsed(&format!("offset_s,n\n{text},1\n")).unwrap_err();
    assert!(
        error.contains("line 2:") && error.ends_with(advice),
        "{text}: {error}"
    );
}

#[test]
fn what_is_no_offset_is_told_how_to_write_it() {
    for (text, advice) in [
        ("1s", "write the number alone: 1"),
        ("250 ms", "write the number alone: 0.25"),
        ("2min", "write the number alone: 120"),
        ("0:01:30.5", "write it in seconds: 90.5"),
        ("NaN", "it says no time; leave the line out"),
        ("inf", "it says no time; leave the line out"),
        (
            "-5",
            "an offset counts from the begin; take the first one, -5, off each",
        ),
        (
            "1704067200000",
            "it looks like milliseconds since 1970; divide each by 1,000",
        ),
        ("40000000", "if it is milliseconds, divide each by 1,000"),
        (
            "11/28/2026 10:00 AM",
            "if it is a time of day, write it as 2026-11-28T10:00:00Z",
        ),
        (
            "2025-02-30T00:00:00Z",
            "there is no day 30 in 2025-02, which has 28 days",
        ),
        (
            "2025-04-31 10:00",
            "there is no day 31 in 2025-04, which has 30 days",
        ),
        ("2025-13-01T00:00:00Z", "there is no month 13"),
        (
            "2025-01-00T00:00:00Z",
            "there is no day 00 in 2025-01, which has 31 days",
        ),
        (
            "2025-01-01T25:00:00Z",
            "there is no such time of day; times are from 00:00:00 to 23:59:59",
        ),
    ] {
        assert_advised(text, advice);
    }
}

#[test]
fn a_character_that_no_number_has_is_named() {
    for (text, advice) in [
        (
            "1'000.5",
            "it has ' (U+0027, an apostrophe), which no number has here; write 1000.5",
        ),
        (
            "1\u{2019}000",
            "it has \u{2019} (U+2019, an apostrophe), which no number has here; write 1000",
        ),
        (
            "1\u{a0}000",
            "it has U+00A0 (a no-break space), which no number has here; write 1000",
        ),
        (
            "1\u{202f}000.25",
            "it has U+202F (a narrow no-break space), which no number has here; write 1000.25",
        ),
        (
            "\u{2212}5",
            "it has \u{2212} (U+2212, a minus sign of another kind), which no number has here; write -5",
        ),
        (
            "\u{664}.5",
            "it has \u{664} (U+0664, a digit of another script), which no number has here; write it with 0 to 9",
        ),
        (
            "",
            "the first column is empty: write the offset there, or leave the line out",
        ),
    ] {
        assert_advised(text, advice);
    }
}

#[test]
fn errors_name_the_line() {
    assert_eq!(
        parsed("offset_s\n0\n2\n1.5\n").unwrap_err(),
        "read trace t.csv: line 4: 1.5 is earlier than the arrival before it, 2; sort the trace"
    );
    for (text, line) in [
        ("0\nx\n", 2),
        ("seconds\n0\n", 1),
        ("0\n1\n\n-1\n", 4),
        ("0\ninf\n", 2),
        ("NaN\n", 1),
        ("0\noffset_s\n", 2),
    ] {
        let error = parsed(text).unwrap_err();
        assert!(
            error.contains(&format!("line {line}:")),
            "{text:?}: {error}"
        );
        assert!(error.contains("is not an offset in seconds"), "{error}");
    }
}

#[test]
fn a_trace_without_arrivals_is_refused() {
    for text in ["", "offset_s\n", "# nothing\n"] {
        assert_eq!(
            parsed(text).unwrap_err(),
            "read trace t.csv: it has no arrivals"
        );
    }
}

#[test]
fn counts_quotes_without_an_end_and_two_numbers_are_told() {
    for (text, line, said) in [
        ("offset_s,count\n0,5\n", 1, "the column \"count\" counts"),
        (
            "offset_s;\"Messages\"\n0;5\n",
            1,
            "the column \"Messages\" counts",
        ),
        ("0,5\n1,10\n", 1, "\"0,5\" may be a number with a comma"),
        (
            "offset_s,note\n0,\"a\n1,b\n",
            2,
            "a quote has no end on this line",
        ),
        ("\"0\n1\n", 1, "a quote has no end on this line"),
        ("0\n1e300\n", 2, "no time is so far away"),
    ] {
        let error = parsed(text).unwrap_err();
        assert!(
            error.contains(&format!("line {line}: ")),
            "{text:?}: {error}"
        );
        assert!(error.contains(said), "{text:?}: {error}");
    }
    let expected = Ok(vec![0.0]);
    for text in [
        "offset_s,size\n0,5\n",
        "0;5\n",
        "0,a\n",
        "offset_s,note\n0,\"a \"\"b\"\"\"\n",
    ] {
        assert_eq!(parsed(text), expected, "{text:?}");
    }
}

/// Rule source: RFC 1952, section 2.3.1: a gzip file begins with 1f 8b.
#[test]
fn files_of_other_kinds_are_told_in_plain_words() {
    let told = |bytes: &[u8]| {
        let error = parse(Path::new("t.csv"), bytes).unwrap_err();
        error.to_string()
    };
    assert_eq!(
        told(&[0x1f, 0x8b, 8, 0, 0]),
        "read trace t.csv: the file is compressed by gzip; unpack it first ('gunzip FILE')"
    );
    assert_eq!(
        told(b"offset_s\n0\n\xe9\n"),
        "read trace t.csv: line 3: it is neither UTF-8 nor UTF-16; save it as UTF-8"
    );
    let directory = tempfile::tempdir().unwrap();
    let error = read(directory.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("it is a directory; name a file in it"),
        "{error}"
    );
}
