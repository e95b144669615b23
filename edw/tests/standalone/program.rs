//! The content of the program's file.

#[cfg(target_os = "linux")]
use std::ops::Range;
#[cfg(target_os = "linux")]
use std::path::Path;

/// The ranges of an ELF file (64 bits, little-endian) that are loaded when it runs: sections with the flag ALLOC. Debug
/// information, which a development build has, is not in them.
#[cfg(target_os = "linux")]
fn loaded(file: &[u8]) -> Vec<Range<usize>> {
    let number = |at: usize, size: usize| {
        let bytes = file[at..at + size].iter().rev();
        bytes.fold(0_usize, |number, byte| (number << 8) | usize::from(*byte))
    };
    assert_eq!(&file[..6], b"\x7fELF\x02\x01", "an ELF file of 64 bits");
    let (sections, size, count) = (number(0x28, 8), number(0x3a, 2), number(0x3c, 2));
    let sections = (0..count).map(|index| sections + index * size);
    // Type 8 is NOBITS, which takes no space in the file; flag 2 is ALLOC.
    let loaded = sections.filter(|at| number(at + 4, 4) != 8 && number(at + 8, 8) & 2 != 0);
    let places = loaded.map(|at| number(at + 0x18, 8)..number(at + 0x18, 8) + number(at + 0x20, 8));
    places.collect()
}

/// The offset of `text`, if the file contains it.
#[cfg(target_os = "linux")]
fn place(bytes: &[u8], text: &str) -> Option<usize> {
    bytes
        .windows(text.len())
        .position(|part| part == text.as_bytes())
}

#[cfg(target_os = "linux")]
#[test]
fn no_path_of_the_repository_that_built_it_is_in_the_program() {
    let file = std::fs::read(env!("CARGO_BIN_EXE_edw")).expect("the program");
    let loaded = loaded(&file);
    let carried = "Scenario: One message brings one consumer";
    assert!(
        loaded
            .iter()
            .any(|part| place(&file[part.clone()], carried).is_some()),
        "what is loaded must hold what the program carries"
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a workspace");
    let root = root.to_str().expect("a path of text");
    for part in loaded {
        let bytes = &file[part];
        if let Some(at) = place(bytes, root) {
            let text = String::from_utf8_lossy(&bytes[at..bytes.len().min(at + 200)]);
            panic!("the program holds a path of the build: {text}");
        }
    }
}
