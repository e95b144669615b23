use super::*;

fn payload(seed: u64, size: PayloadSize, seq: u64) -> String {
    Payloads { seed, size }.payload(Seq::new(seq).unwrap())
}

#[test]
fn the_samples_payload_is_its_text() {
    assert_eq!(
        payload(7, PayloadSize::Sample, 1),
        "Scale Test Message : COUNT 1"
    );
}

#[test]
fn splitmix64_gives_the_published_sequence() {
    // First outputs for seed 1234567, as published with the reference C implementation.
    let mut random = SplitMix64(1_234_567);
    assert_eq!(random.next(), 6_457_827_717_110_365_317);
    assert_eq!(random.next(), 3_203_168_211_198_807_973);
}

#[test]
fn payloads_are_those_of_an_independent_implementation() {
    // From a Python implementation of the same rule: no release may change these values.
    assert_eq!(
        payload(7, PayloadSize::Fixed(60), 42),
        " Scale Test Message : COUNT 42 𝄞Cw3G5Y0drkOIA5KiULKTaFKB "
    );
    assert_eq!(
        payload(7, PayloadSize::Fixed(120), 1),
        " Scale Test Message : COUNT 1 €wPnSE2v5hymCZiE3YYbX<&>d8MUJAfNjmj4_jPqr0Qc&amp;\
         KyeY0DReYwFDBvTaxgL_\to4dYSkTlHl69fRG1U "
    );
}

#[test]
fn payloads_differ_by_seed_and_seq_and_repeat() {
    let size = PayloadSize::Fixed(200);
    let a = payload(1, size, 1);
    assert_eq!(a, payload(1, size, 1));
    let filler = |text: &str| text.chars().skip(40).collect::<String>();
    assert_ne!(filler(&a), filler(&payload(2, size, 1)));
    assert_ne!(filler(&a), filler(&payload(1, size, 2)));
    assert_eq!(a.len(), 200);
}

#[test]
fn a_few_payloads_hold_all_that_consumers_mangle_and_only_what_xml_carries() {
    let all: String = (1..=20)
        .map(|seq| payload(1, PayloadSize::Fixed(256), seq))
        .collect();
    for specimen in SPECIMENS {
        assert!(all.contains(specimen), "{specimen:?}");
    }
    for bytes in 2..=4 {
        assert!(all.chars().any(|c| c.len_utf8() == bytes), "{bytes} bytes");
    }
    // XML 1.0, production 2. Line ends are line feeds only, since XML converts all others to them.
    let carried =
        |c| matches!(c, '\t' | '\n' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    assert!(all.chars().all(carried));
}

#[test]
fn every_size_has_its_bytes_and_blanks_at_both_ends() {
    for bytes in 48..600 {
        for seq in [1, 42, 1_000_000, u64::from(u32::MAX)] {
            let text = payload(9, PayloadSize::Fixed(bytes), seq);
            assert_eq!(text.len(), bytes, "{seq}");
            assert!(text.starts_with(' ') && text.ends_with(' '), "{text:?}");
        }
    }
    let text = payload(9, PayloadSize::Fixed(48), 12_345_678_901_234_567_890);
    assert_eq!(text, " Scale Test Message : COUNT 12345678901234567890");
    assert!(!payload(9, PayloadSize::Fixed(200), 1).is_ascii());
}

#[test]
fn the_largest_payload_of_the_worst_text_fits_a_message() {
    use crate::{MAX_MESSAGE_BYTES, Message, Stamp};
    // As the queue counts: a JSON string in XML, with every possible escape of XML.
    let escaped = |text: &str| -> usize {
        let bytes = |c: char| match c {
            '"' | '\'' => "&quot;".len(),
            '&' => "&amp;".len(),
            '<' | '>' => "&lt;".len(),
            c => c.len_utf8(),
        };
        text.chars().map(bytes).sum()
    };
    let largest = *PayloadSize::RANGE.end();
    for specimen in SPECIMENS {
        let step = format!("{specimen}{}", "x".repeat(LETTERS));
        let msg = step.repeat(largest / step.len());
        let id = format!("{}-{}", "r".repeat(40), 1).parse().unwrap();
        let body = Message::new(id, msg, Stamp::now(), Stamp::now()).encode();
        assert!(
            escaped(&body) < MAX_MESSAGE_BYTES,
            "{specimen:?}: {}",
            escaped(&body)
        );
    }
    let id = "r1-1".parse().unwrap();
    let msg = payload(1, PayloadSize::Fixed(largest), 1);
    let message = Message::new(id, msg, Stamp::now(), Stamp::now());
    assert_eq!(Message::decode(&message.encode()), Ok(message));
}

#[test]
fn a_payload_tells_its_message_and_nothing_else_does() {
    for size in [PayloadSize::Sample, PayloadSize::Fixed(200)] {
        let payloads = Payloads { seed: 5, size };
        let text = payload(5, size, 42);
        assert_eq!(payloads.seq_of(&text), Seq::new(42));
        assert!(size == PayloadSize::Sample || payloads.seq_of(text.trim()).is_none());
        for other in [&text[..20], &format!("{text}x"), "", PREFIX, "42"] {
            assert_eq!(payloads.seq_of(other), None, "{other:?}");
        }
    }
    let other_seed = payload(6, PayloadSize::Fixed(200), 42);
    let size = PayloadSize::Fixed(200);
    assert_eq!(Payloads { seed: 5, size }.seq_of(&other_seed), None);
}

#[test]
fn sizes_follow_their_distribution() {
    let sizes = |size| (1..=4_000).map(move |seq| payload(3, size, seq).len());
    assert!(sizes(PayloadSize::Uniform(100, 200)).all(|n| (100..=200).contains(&n)));
    let mean = sizes(PayloadSize::Exponential(1_000)).sum::<usize>() / 4_000;
    assert!((900..1_100).contains(&mean), "mean {mean}");
}

#[test]
fn sizes_parse_and_print_and_nonsense_is_refused() {
    for text in ["sample", "512", "uniform:100..2000", "exponential:800"] {
        assert_eq!(text.parse::<PayloadSize>().unwrap().to_string(), text);
    }
    for text in [
        "",
        "0",
        "47",
        "32769",
        "uniform:9..1",
        "uniform:200..100",
        "normal:100",
        "1e3",
    ] {
        assert!(
            text.parse::<PayloadSize>().is_err(),
            "{text:?} must be refused"
        );
    }
}
