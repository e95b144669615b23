//! One target under libFuzzer; the variable `FUZZ_TARGET` names it. One binary for all targets links faster than one for each.
#![no_main]
#![expect(
    unsafe_code,
    reason = "libFuzzer calls the function that the macro makes by its unmangled name"
)]

use std::sync::LazyLock;

static TARGET: LazyLock<String> =
    LazyLock::new(|| std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET must name a target"));

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::run(&TARGET, input));
