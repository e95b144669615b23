//! Every known difference between the engine and Azurite, and the page of the service's documentation that decides it.

#![expect(clippy::print_stderr, reason = "what a failed test is read by")]

use crate::{answer::Answer, both::Ask};

/// An intended difference.
#[derive(Debug)]
pub(crate) struct Known {
    /// The difference, for readers of this list and of `docs/ENGINE.md`.
    pub(crate) what: &'static str,
    /// The page that decides it.
    pub(crate) judge: &'static str,
    /// Whether both sides have different data afterwards, so that the sequence must end.
    pub(crate) diverges: bool,
    applies: fn(&Ask, &Answer, &Answer) -> bool,
}

const fn same_data(
    what: &'static str,
    judge: &'static str,
    applies: fn(&Ask, &Answer, &Answer) -> bool,
) -> Known {
    Known {
        what,
        judge,
        diverges: false,
        applies,
    }
}

/// The known differences; the second answer is the engine's.
pub(crate) const KNOWN: &[Known] = &[
    same_data(
        "a preference is told as applied only where one was stated",
        "Insert Entity, Create Table: Preference-Applied tells whether the Prefer header was honored",
        |ask, azurite, engine| {
            let stated = ask.headers.iter().any(|(name, _)| *name == "prefer");
            let without = |answer: &Answer| {
                let seen = answer.seen().into_iter();
                seen.filter(|line| !line.starts_with("preference-applied"))
                    .collect::<Vec<_>>()
            };
            !stated && engine.status == 201 && without(azurite) == without(engine)
        },
    ),
    same_data(
        "a pop receipt that is malformed is an invalid parameter, not one that does not match",
        "Update Message, Delete Message: popreceipt is a value that a call returned",
        |ask, azurite, engine| {
            ask.query.contains("popreceipt=garbage")
                && engine.code() == "InvalidQueryParameterValue"
                && matches!(
                    azurite.code(),
                    "PopReceiptMismatch" | "MessageNotFound" | "QueueNotFound"
                )
        },
    ),
    same_data(
        "every refusal has a code and a document",
        "Status and error codes: each error is told with x-ms-error-code and a body",
        |_, azurite, engine| {
            azurite.status == 400 && azurite.code().is_empty() && engine.status == 400
        },
    ),
    same_data(
        "a key with a forbidden character, or a table's name that is none, is told by its own code",
        "Understanding the Table service data model: characters disallowed in key fields",
        |_, azurite, engine| {
            azurite.status == 400 && engine.status == 400 && engine.code() == "OutOfRangeInput"
        },
    ),
    same_data(
        "a malformed If-Match of a merge is told as that of any other write",
        "Table Storage error codes: InvalidInput, the etag value specified is not valid",
        |_, azurite, engine| {
            azurite.code() == "InvalidOperation" && engine.code() == "InvalidInput"
        },
    ),
    same_data(
        "a deletion of an entity without If-Match lacks a required header",
        "Delete Entity: If-Match is required",
        |ask, azurite, engine| {
            ask.method == "DELETE"
                && azurite.status == 412
                && engine.code() == "MissingRequiredHeader"
        },
    ),
    same_data(
        "$top outside of 1 to 1,000 is refused",
        "Query Entities: a value greater than 1,000 is answered with 400",
        |ask, azurite, engine| {
            ask.query.contains("$top=") && azurite.status == 200 && engine.code() == "InvalidInput"
        },
    ),
];

/// The known difference between two answers.
pub(crate) fn find(ask: &Ask, azurite: &Answer, engine: &Answer) -> Option<&'static Known> {
    let known = KNOWN
        .iter()
        .find(|known| (known.applies)(ask, azurite, engine))?;
    // Printed if a test fails, and with --nocapture.
    eprintln!("known: {}; judged by {}", known.what, known.judge);
    Some(known)
}
