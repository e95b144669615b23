//! GUIDs in the forms in which programs write them: with dashes or without, in small or large letters, bare, in braces or in parentheses.

use workflow::contract::workload::is_uuid;

use super::embed::Part;
use super::place::Place;

/// What may stand around a GUID (`Guid.ToString` of .NET: `D`, `N`, `B`, `P`), and how a template has it.
const AROUND: [(&str, &str, &str); 3] = [("", "", ""), ("{", "}", "{'{'}"), ("(", ")", "(")];

/// How GUIDs are written, as far as `None` does not leave it open.
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
    // Digests have as many digits; a GUID has a version and a variant there (RFC 9562, 4.1 and 4.2).
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

/// The template of texts that all are GUIDs of one form.
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

/// The digits of a GUID in any form.
pub(super) fn digits(text: &str) -> Option<String> {
    read(text).map(|(digits, _)| digits)
}

/// The forms in which the GUIDs `values` may stand within other texts.
pub(super) fn forms(values: &[String]) -> Vec<Part> {
    let bare: Option<Vec<String>> = values.iter().map(|it| digits(it)).collect();
    let Some(bare) = bare else { return Vec::new() };
    let dashed = |digits: &String| {
        let steps = [
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..],
        ];
        steps.join("-")
    };
    let dashed: Vec<String> = bare.iter().map(dashed).collect();
    let upper = |texts: &[String]| texts.iter().map(|it| it.to_ascii_uppercase()).collect();
    let forms = [
        ("{uuid:upper}", upper(&dashed)),
        ("{uuid:n-upper}", upper(&bare)),
        ("{uuid}", dashed),
        ("{uuid:n}", bare),
    ];
    let part = |(template, values): (&str, Vec<String>)| Part {
        template: template.to_owned(),
        values,
        is_fixed: false,
    };
    // Small letters first, as most programs write them.
    forms.into_iter().rev().map(part).collect()
}

/// The template of a column in which each row has the GUID of its message at `place`, but all rows write it in another form.
pub(super) fn column(place: &Place, pairs: &[(&str, String)]) -> Option<String> {
    let is_guid = |template: &String| template.contains("{uuid");
    place.template.as_ref().filter(|it| is_guid(it))?;
    let is_same = |(stored, sent): &(&str, String)| {
        let stored = digits(stored);
        stored.is_some() && stored == digits(sent)
    };
    let texts: Vec<&str> = pairs.iter().map(|(stored, _)| *stored).collect();
    pairs.iter().all(is_same).then(|| template(&texts))?
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
        // No letter in it says which letters there are.
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
        // A digest of MD5.
        assert_eq!(template(&["d41d8cd98f00b204e9800998ecf8427e"]), None);
    }
}
