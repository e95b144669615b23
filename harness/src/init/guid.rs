//! GUIDs in the forms in which programs write them: with dashes or without, in small or large letters, bare, in braces or in parentheses.

use serde_json::Value;
use workflow::contract::workload::is_uuid;

use super::guess::Place;

/// The brackets around a GUID (`Guid.ToString` of .NET: `D`, `N`, `B`, `P`), and how a template writes them.
const AROUND: [(&str, &str, &str); 3] = [("", "", ""), ("{", "}", "{'{'}"), ("(", ")", "(")];

/// How GUIDs are written; `None` where the texts do not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    around: (&'static str, &'static str, &'static str),
    has_dashes: bool,
    is_upper: Option<bool>,
}

/// The digits of a GUID, and how it is written.
fn read(text: &str) -> Option<(String, Form)> {
    let bare = |around: &(&'static str, &'static str, &'static str)| {
        let bare = text.strip_prefix(around.0)?.strip_suffix(around.1)?;
        is_uuid(bare).then_some((bare, *around))
    };
    let (bare, around) = AROUND.iter().rev().find_map(bare)?;
    let has_dashes = bare.contains('-');
    // An MD5 digest has as many digits; a GUID has a version and a variant (RFC 9562, 4.1 and 4.2).
    let digits = bare.replace('-', "").to_ascii_lowercase();
    let (version, variant) = (digits.as_bytes()[12], digits.as_bytes()[16]);
    let is_guid = has_dashes || (b'1'..=b'8').contains(&version) && b"89ab".contains(&variant);
    let (small, large) = (
        bare.contains(|c: char| c.is_ascii_lowercase()),
        bare.contains(|c: char| c.is_ascii_uppercase()),
    );
    let is_upper = match (small, large) {
        (true, true) => return None,
        (false, false) => None,
        (_, is_upper) => Some(is_upper),
    };
    let form = Form {
        around,
        has_dashes,
        is_upper,
    };
    is_guid.then_some((digits, form))
}

/// The template of texts that are all GUIDs of one form.
pub(super) fn template(texts: &[impl AsRef<str>]) -> Option<String> {
    let read = |text: &str| read(text).map(|(_, form)| form);
    let mut forms = texts.iter().map(|text| read(text.as_ref()));
    let mut form = forms.next()??;
    for other in forms {
        let other = other?;
        form.is_upper = form.is_upper.or(other.is_upper);
        let is_alike = other.is_upper.is_none() || other.is_upper == form.is_upper;
        if !is_alike || (other.around, other.has_dashes) != (form.around, form.has_dashes) {
            return None;
        }
    }
    let format = match (form.has_dashes, form.is_upper == Some(true)) {
        (true, false) => "",
        (true, true) => ":upper",
        (false, false) => ":n",
        (false, true) => ":n-upper",
    };
    Some(format!(
        "{}{{uuid{format}}}{}",
        form.around.2, form.around.1
    ))
}

/// The template of a column whose texts are the GUIDs of messages, possibly in another form.
pub(super) fn column(place: &Place, texts: &[String]) -> Option<String> {
    let is_guid = |template: &String| template.contains("{uuid");
    place.template.as_ref().filter(|it| is_guid(it))?;
    let digits = |text: &str| read(text).map(|(digits, _)| digits);
    let known: Vec<String> = place
        .values
        .iter()
        .filter_map(Value::as_str)
        .filter_map(digits)
        .collect();
    let is_known = |text: &String| digits(text).is_some_and(|it| known.contains(&it));
    texts.iter().any(is_known).then(|| template(texts))?
}

#[cfg(test)]
mod tests {
    use workflow::contract::workload::Template;

    use super::*;

    #[test]
    fn every_form_of_dot_net_has_its_template_and_mixed_forms_have_none() {
        let plain = "0a4eb195-932c-433e-b276-b2a334c0dc61";
        let bare = plain.replace('-', "");
        for (text, expected) in [
            (plain.to_owned(), "{uuid}"),
            (plain.to_uppercase(), "{uuid:upper}"),
            (bare.clone(), "{uuid:n}"),
            (bare.to_uppercase(), "{uuid:n-upper}"),
            (format!("{{{plain}}}"), "{'{'}{uuid}}"),
            (
                format!("{{{}}}", plain.to_uppercase()),
                "{'{'}{uuid:upper}}",
            ),
            (format!("({plain})"), "({uuid})"),
        ] {
            let found = template(&[&text, &text]);
            assert_eq!(found.as_deref(), Some(expected), "{text}");
            let read: Template = expected.parse().unwrap();
            let value = if expected.contains("upper") {
                plain.to_uppercase()
            } else {
                plain.to_owned()
            };
            let value = if expected.contains(":n") {
                value.replace('-', "")
            } else {
                value
            };
            assert_eq!(read.fill(|_| Some(value.clone().into())), Some(text));
        }
        // A GUID without letters does not tell whether letters are small or large.
        let digits = "00000000-0000-4000-8000-000000000021";
        assert_eq!(
            template(&[digits, &plain.to_uppercase()]).as_deref(),
            Some("{uuid:upper}")
        );
        for mixed in [
            [plain, &bare],
            [plain, &plain.to_uppercase()],
            [plain, "x"],
            [plain, &format!("({plain})")],
        ] {
            assert_eq!(template(&mixed), None, "{mixed:?}");
        }
        // An MD5 digest.
        assert_eq!(template(&["d41d8cd98f00b204e9800998ecf8427e"]), None);
    }
}
