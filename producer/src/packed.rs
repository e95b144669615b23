//! Recognises directories, compressed files and spreadsheets where a text belongs, and says what to do.

use std::io::{self, ErrorKind};
use std::path::Path;

/// What to do with a directory in place of a file.
pub(crate) const DIRECTORY: &str = "it is a directory; name a file in it";

/// The content of a file that should be text. The error of a directory or a compressed file says what it is, and what to do.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    if path.is_dir() {
        return Err(io::Error::new(ErrorKind::IsADirectory, DIRECTORY));
    }
    let bytes = std::fs::read(path)?;
    match packed(&bytes) {
        Some(told) => Err(io::Error::new(ErrorKind::InvalidData, told)),
        None => Ok(bytes),
    }
}

/// What a file is whose content begins with `bytes`, and what to do; `None` where it may be a text.
///
/// Sources of the first bytes: RFC 1952 (gzip), RFC 8878 (Zstandard), APPNOTE.TXT of PKWARE (ZIP, in which spreadsheets are), "The .xz
/// File Format", the documentation of Parquet ("File Format").
pub(crate) fn packed(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 6] = [
        (
            &[0x1f, 0x8b],
            "the file is compressed by gzip; unpack it first ('gunzip FILE')",
        ),
        (
            &[0x28, 0xb5, 0x2f, 0xfd],
            "the file is compressed by Zstandard; unpack it first ('unzstd FILE')",
        ),
        (
            &[0xfd, b'7', b'z', b'X', b'Z', 0],
            "the file is compressed by xz; unpack it first ('unxz FILE')",
        ),
        (
            b"BZh",
            "the file is compressed by bzip2; unpack it first ('bunzip2 FILE')",
        ),
        (
            b"PK\x03\x04",
            "the file is a ZIP archive or a spreadsheet (.xlsx, .ods); unpack it, or save the spreadsheet as CSV",
        ),
        (
            b"PAR1",
            "the file is in Parquet; write its column of times into a CSV file",
        ),
    ];
    let mut kinds = KINDS.into_iter();
    let found = kinds.find(|(begin, _)| bytes.starts_with(begin));
    found.map(|(_, told)| told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_a_directory_or_a_compressed_file_fails_in_plain_words() {
        let directory = tempfile::tempdir().unwrap();
        let told = |path: &Path| read_file(path).unwrap_err().to_string();
        assert_eq!(told(directory.path()), DIRECTORY);
        let file = directory.path().join("producer.json");
        std::fs::write(&file, [0x1f, 0x8b, 8, 0]).unwrap();
        assert!(told(&file).starts_with("the file is compressed by gzip"));
        std::fs::write(&file, "{}").unwrap();
        assert_eq!(read_file(&file).unwrap(), b"{}");
    }

    #[test]
    fn compressed_files_are_named_and_texts_are_not() {
        for (bytes, name) in [
            (&[0x1f, 0x8b, 8, 0][..], "gzip"),
            (b"PK\x03\x04\x14", ".xlsx"),
            (b"BZh91AY", "bzip2"),
            (&[0x28, 0xb5, 0x2f, 0xfd, 4], "Zstandard"),
        ] {
            let told = packed(bytes).unwrap();
            assert!(told.contains(name), "{told}");
        }
        for text in ["", "0\n1\n", "offset_s", "{\"run\"", "PK"] {
            assert_eq!(packed(text.as_bytes()), None);
        }
    }
}
