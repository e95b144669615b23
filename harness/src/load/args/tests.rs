use super::*;

#[test]
fn a_repeated_load_is_one_that_a_shell_reads() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a b.csv");
    std::fs::write(&path, "0.1\n").unwrap();
    let words = [
        format!("--shape=trace:{}", path.display()),
        "--limit=end to end p99 50ms".to_owned(),
        "--work=exp:5ms".to_owned(),
    ];
    let load = LoadArgs::from_words(&words).unwrap();
    let typed = shlex::split(&load.repeat(7)).unwrap();
    let flags = typed.iter().position(|word| word.starts_with("--"));
    let again = LoadArgs::from_words(&typed[flags.unwrap()..]);
    let repeated = again.unwrap_or_else(|error| panic!("{typed:?}: {error:#}"));
    assert_eq!(repeated.repeat(7), load.repeat(7));
}

#[test]
fn a_load_that_cannot_be_spread_says_what_to_give_instead() {
    for (flags, advice) in [
        (&["--queues=4"][..], None),
        (&["--generators=3"], None),
        (
            &["--queues=2", "--generators=3"],
            Some("give --generators 4"),
        ),
        (
            &["--messages=3", "--generators=4"],
            Some("give fewer --generators"),
        ),
        (
            &["--queues=4", "--consumers=3"],
            Some("give --consumers 4 or more"),
        ),
    ] {
        let words: Vec<_> = flags.iter().map(ToString::to_string).collect();
        let told = LoadArgs::from_words(&words).unwrap().misspread();
        match advice {
            None => assert_eq!(told, None, "{flags:?}"),
            Some(advice) => assert!(told.unwrap().ends_with(advice), "{flags:?}"),
        }
    }
}

#[test]
fn a_step_without_a_search_is_refused() {
    let unheeded = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        LoadArgs::from_words(&words).unwrap().unheeded()
    };
    assert_eq!(unheeded(&["--find-rate", "--step=5s"]), None);
    assert_eq!(unheeded(&[]), None);
    let told = unheeded(&["--step=5s"]).unwrap();
    assert!(told.ends_with("say --find-rate, or leave it out"), "{told}");
}

#[test]
fn a_search_chooses_number_and_shape_of_its_messages_itself() {
    for other in ["--messages=3", "--shape=burst"] {
        let words = ["--find-rate".to_owned(), other.to_owned()];
        let refused = LoadArgs::from_words(&words).unwrap_err();
        let told = format!("{refused:#}");
        assert!(told.contains("cannot be used with"), "{told}");
    }
}

#[test]
fn limits_are_read_as_they_are_said() {
    let limit: LatencyLimitArg = "end to end p99 2s".parse().unwrap();
    let expected = LatencyLimit::new(
        Hop::EndToEnd,
        "p99".parse().unwrap(),
        Duration::from_secs(2),
    );
    assert_eq!(limit.0, expected);
    assert_eq!(limit.to_string(), "end to end p99 2s");
    for text in [
        "",
        "p99 2s",
        "end to end 2s",
        "end to end p99",
        "nowhere p99 2s",
        "work p99 -1s",
    ] {
        assert!(text.parse::<LatencyLimitArg>().is_err(), "{text:?}");
    }
}
