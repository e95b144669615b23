//! Types of a formula's parts, and the check that they fit together (`expr-lang/expr`, `checker/checker.go`).

use super::{Node, Operator, ParseError};

/// The type of a formula's part, known before evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Truth,
    Nil,
}

/// A part of a formula, and its type.
pub(super) type Part = (Node, Kind);

/// The error for a formula that KEDA refuses.
pub(super) fn wrong(reason: String) -> ParseError {
    ParseError::Wrong(reason)
}

pub(super) fn join(operator: Operator, left: Part, right: Part) -> Result<Part, ParseError> {
    let kind = match operator {
        Operator::And | Operator::Or => {
            require(left.1, Kind::Truth, "and or or stands beside")?;
            require(right.1, Kind::Truth, "and or or stands beside")?;
            Kind::Truth
        }
        Operator::Equal | Operator::Unequal => {
            if common(left.1, right.1).is_none() {
                let reason = "compares a number with what is true or false";
                return Err(wrong(reason.to_owned()));
            }
            Kind::Truth
        }
        Operator::Coalesce => either(left.1, right.1)?,
        _ => {
            require(left.1, Kind::Number, "what is reckoned with is")?;
            require(right.1, Kind::Number, "what is reckoned with is")?;
            if operator.compares() {
                Kind::Truth
            } else {
                Kind::Number
            }
        }
    };
    let node = Node::Binary(operator, Box::new(left.0), Box::new(right.0));
    Ok((node, kind))
}

/// The common type of two types; nil fits both.
fn common(one: Kind, other: Kind) -> Option<Kind> {
    match (one, other) {
        (Kind::Nil, kind) | (kind, Kind::Nil) => Some(kind),
        (one, other) => (one == other).then_some(one),
    }
}

/// The type of a result that is one of two parts. If their types differ, the values decide whether KEDA accepts the result
/// (`expr-lang/expr`, `checker/checker.go`, `conditionalNode`: any type).
pub(super) fn either(one: Kind, other: Kind) -> Result<Kind, ParseError> {
    common(one, other).ok_or_else(|| {
        let mixed = "a result that is now a number, now true or false";
        ParseError::Unknown(mixed.to_owned())
    })
}

pub(super) fn require(kind: Kind, wanted: Kind, what: &str) -> Result<(), ParseError> {
    if kind == wanted {
        return Ok(());
    }
    let word = |kind| match kind {
        Kind::Number => "a number",
        Kind::Truth => "true or false",
        Kind::Nil => "nil",
    };
    Err(wrong(format!(
        "does not fit: {what} {}, must be {}",
        word(kind),
        word(wanted)
    )))
}
