//! The parts of requests and answers that logs may contain; everything else is redacted, above all a SAS's `sig`.

use azure_core::http::ClientOptions;
use std::borrow::Cow;

const ALLOWED_HEADERS: &[&str] = &[
    "dataserviceversion",
    "maxdataserviceversion",
    "preference-applied",
    "prefer",
    "x-ms-date",
    "x-ms-error-code",
    "x-ms-version",
];

/// The parts of a SAS that are not secret, and paging; `$filter` and keys may contain personal data and are left out.
const ALLOWED_QUERY_PARAMETERS: &[&str] = &[
    "se", "si", "sip", "sp", "spr", "srt", "ss", "st", "sv", "tn", "comp", "restype", "$select",
    "$top",
];

/// Adds this crate's lists to those of the caller.
pub(crate) fn apply_defaults(options: &mut ClientOptions) {
    let logging = &mut options.logging;
    let borrowed = |names: &'static [&'static str]| names.iter().copied().map(Cow::Borrowed);
    logging
        .additional_allowed_header_names
        .extend(borrowed(ALLOWED_HEADERS));
    logging
        .additional_allowed_query_params
        .extend(borrowed(ALLOWED_QUERY_PARAMETERS));
}
