//! Whether a text has the form of a SAS, and what it is if it has not. The text is never repeated.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::CredentialError;
use crate::azure::Secret;
use crate::azure::connection_string::{of_variable, other_service};
use crate::azure::given::{bare, no_ascii};

/// Parameters of a SAS ("Create an account SAS", "Create a service SAS", "Create a user delegation SAS"), one of which it begins with.
const PARAMETERS: [&str; 23] = [
    "sv", "ss", "srt", "sp", "se", "st", "spr", "sip", "sig", "si", "sr", "tn", "spk", "srk",
    "epk", "erk", "skoid", "sktid", "skt", "ske", "sks", "skv", "ses",
];

/// Returns the SAS without its question mark, if it has the form of a SAS.
pub(super) fn check_sas(given: &Secret) -> Result<Secret, CredentialError> {
    let sas = bare(given.expose()).trim_start_matches('?');
    if let Some(service) = other_service(sas) {
        return Err(CredentialError::OtherService { service });
    }
    if sas.contains("AccountKey=") {
        return Err(CredentialError::AccountKey);
    }
    match problem(sas) {
        Some(problem) => Err(CredentialError::MalformedSas { problem }),
        None => Ok(Secret::new(sas)),
    }
}

/// What is wrong with `sas`, to complete a sentence after "what is given".
fn problem(sas: &str) -> Option<Cow<'static, str>> {
    if let Some(told) = no_ascii(sas) {
        return Some(told.into());
    }
    if let Some(name) = of_variable(sas, is_parameter) {
        let told = format!(
            "begins with the name of a variable, {name}; leave out the name, what stands before it, and what separates it from the \
             SAS, which begins with sv= or another parameter"
        );
        return Some(told.into());
    }
    let value = |name: &str| sas.split('&').find_map(|pair| pair.strip_prefix(name));
    let lacks = |name: &str| value(name).is_none_or(str::is_empty);
    let is_open = ["<", "${", "$(", "{{", "@Microsoft."];
    let problem = if is_open.iter().any(|begin| sas.starts_with(begin)) {
        "is a reference or a placeholder that nobody has filled in"
    } else if sas.contains("SharedAccessSignature=") {
        "is a connection string, which belongs into AZURE_STORAGE_CONNECTION_STRING"
    } else if sas.starts_with('{') {
        "is JSON; give the SAS in it alone (-o tsv)"
    } else if sas.contains("://") {
        "is a URL, of which only what follows the question mark is the SAS"
    } else if sas.contains("&amp;") {
        "has &amp; in place of &, as from XML or HTML"
    } else if sas.starts_with("SharedAccessSignature ") {
        "is a token of Service Bus, Event Hubs or IoT Hub, which opens no storage"
    } else if value("sig=").is_some_and(has_space_of_base64) {
        "has a space in its sig=, which was a + of base64 that something has decoded; write %2B there"
    } else if sas.contains(char::is_whitespace) {
        "holds white space"
    } else if value("sig=").is_some_and(|it| it.contains('+')) {
        "has a + in its sig=, which is a space in a URL, so that the service refuses it; write %2B there"
    } else if lacks("sv=") && lacks("sig=") && sas.to_ascii_lowercase().contains("sig%3d") {
        "is percent-encoded as a whole; decode it once"
    } else if is_account_key(sas) {
        "looks like an account key, which must not leave the account"
    } else if sas.ends_with("...") {
        "ends in ..., so that a part of it is missing"
    } else if lacks("sv=") || lacks("sig=") {
        "has no sv=... and sig=..."
    } else if let Some(name) = encoded_twice(sas) {
        let told = format!(
            "is percent-encoded twice, since its {name}= has %25, which is a % that was encoded; decode the whole once, so that %25 \
             becomes %"
        );
        return Some(told.into());
    } else {
        return None;
    };
    Some(problem.into())
}

/// Whether `signature` is base64 with spaces in place of `+`.
fn has_space_of_base64(signature: &str) -> bool {
    let is_of_it = |it: char| it.is_ascii_alphanumeric() || " /=%".contains(it);
    signature.contains(' ') && signature.chars().all(is_of_it)
}

fn is_parameter(name: &str) -> bool {
    PARAMETERS.contains(&name)
}

/// The parameter of `sas` whose value was encoded twice. A value that was encoded once has no `%25`: none of them has a `%` itself
/// ("Create an account SAS": times, letters, addresses, and a signature in base64), but for keys of a table and the name of a policy.
fn encoded_twice(sas: &str) -> Option<&'static str> {
    const FREE: [&str; 6] = ["si", "tn", "spk", "srk", "epk", "erk"];
    let mut pairs = sas.split('&').filter_map(|pair| pair.split_once('='));
    let (found, _) = pairs.find(|(name, value)| {
        let is_strict = is_parameter(name) && !FREE.contains(name);
        let mut escaped = value.match_indices("%25");
        let is_of_byte = |at: usize| {
            let digits = value.get(at + 3..at + 5);
            digits.is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        is_strict && escaped.any(|(at, _)| is_of_byte(at))
    })?;
    PARAMETERS.into_iter().find(|known| *known == found)
}

/// Whether `text` is Base64 of 64 bytes, like account keys.
fn is_account_key(text: &str) -> bool {
    text.len() == 88 && BASE64_STANDARD.decode(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let error = check_sas(&Secret::new(text)).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
        error
    }

    /// A signature in base64 has `+`, `/` and `=`, which are `%2B`, `%2F` and `%3D` once encoded (RFC 3986, 2.1).
    #[test]
    fn a_sas_that_was_encoded_twice_is_told_so() {
        for (text, name) in [
            ("sv=2024-11-04&sp=r&sig=hunter2%252Ba%253D", "sig"),
            ("?sv=2024-11-04&sig=hunter2%253d", "sig"),
            (
                "sv=2024-11-04&se=2099-01-01T10%253A00%253A00Z&sig=hunter2%3D",
                "se",
            ),
            // As it is in the text of a URL that another program has encoded again.
            ("sv=2024-11-04&sig=hunter2%25252B", "sig"),
        ] {
            let error = told(text);
            let expected = format!("is percent-encoded twice, since its {name}= has %25");
            assert!(error.contains(&expected), "{text}: {error}");
        }
        for text in [
            "sv=2024-11-04&sig=hunter2%2Ba%2Fb%3D",
            "sv=2024-11-04&sig=hunter2a/b=",
            "sv=2024-11-04&tn=t&spk=100%2525&sig=hunter2%3D",
            "sv=2024-11-04&sig=hunter2%25",
        ] {
            assert!(check_sas(&Secret::new(text)).is_ok(), "{text}");
        }
    }

    /// `+` is a space in a query (nteract/papermill#447, Azure/api-management-policy-snippets#122: "Signature fields not well formed").
    #[test]
    fn a_plus_of_base64_that_is_not_encoded_is_told() {
        let plus = told("sv=2024-11-04&sig=hunter2+a%3D&se=2099-01-01");
        assert!(plus.contains("has a + in its sig="), "{plus}");
        let space = told("sv=2024-11-04&sig=hunter2 a%3D");
        assert!(space.contains("write %2B there"), "{space}");
    }

    /// "export" is of POSIX, `set` of cmd.exe, `$env:` of PowerShell; `NAME: value` is of YAML.
    #[test]
    fn a_sas_with_the_name_of_its_variable_is_told_what_to_leave_out() {
        let sas = "sv=2024-11-04&sig=hunter2%3D";
        for text in [
            format!("AZURE_STORAGE_SAS_TOKEN={sas}"),
            format!("AZURE_STORAGE_SAS_TOKEN=\"?{sas}\""),
            format!("export AZURE_STORAGE_SAS_TOKEN='{sas}'\n"),
            format!("set AZURE_STORAGE_SAS_TOKEN={sas}\r\n"),
            format!("$env:AZURE_STORAGE_SAS_TOKEN = \"{sas}\""),
            format!("AZURE_STORAGE_SAS_TOKEN: {sas}"),
            "AZURE_STORAGE_SAS_TOKEN=ss=q&sv=2024-11-04&sig=hunter2%3D".to_owned(),
        ] {
            let error = told(&text);
            assert!(
                error.contains(
                    "begins with the name of a variable, AZURE_STORAGE_SAS_TOKEN; leave out"
                ),
                "{text}: {error}"
            );
        }
        // As 'az storage account generate-sas' prints it, and a line of another variable.
        assert!(told("{\"sas\": \"sv=2024-11-04&sig=hunter2\"}").contains("is JSON"));
        assert!(told("hunter2").contains("has no sv="));
        assert!(told("A=b").contains("has no sv="));
    }

    #[test]
    fn a_placeholder_and_a_part_of_a_sas_are_told_as_that() {
        for (text, words) in [
            ("<hunter2>", "a placeholder that nobody has filled in"),
            ("${HUNTER2}", "a placeholder that nobody has filled in"),
            (
                "@Microsoft.KeyVault(SecretUri=https://hunter2.vault.azure.net)",
                "a placeholder that nobody has filled in",
            ),
            (
                "sv=2022-11-02&sig=hunter2...",
                "ends in ..., so that a part of it is missing",
            ),
        ] {
            let error = told(text);
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_character_that_no_sas_has_is_named_by_its_code() {
        for (text, code) in [
            ("sv=2024\u{2013}11-04&sig=hunter2", "U+2013, an en dash"),
            (
                "sv=2024-11-04&\u{200b}sig=hunter2",
                "U+200B (zero width space)",
            ),
            ("sv=2024-11-04\u{a0}&sig=hunter2", "U+00A0 (no-break space)"),
            ("sv=2024-11-04&sig=hunter2\u{2026}", "U+2026"),
        ] {
            let error = told(text);
            assert!(error.contains(code), "{error}");
        }
        let quoted = "\u{201e}sv=2024-11-04&sig=a\u{201c}";
        assert_eq!(
            check_sas(&Secret::new(quoted)).unwrap().expose(),
            "sv=2024-11-04&sig=a"
        );
    }
}
