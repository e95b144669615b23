//! Tokens of a filter: names, operators, brackets, and constants with their types.

use base64::Engine as _;

use super::FilterError;
use crate::state::edm::{DateTime, Type, Value};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Open,
    Close,
    /// A name or an operator; the parser distinguishes them.
    Word(String),
    Constant(Value),
}

/// Splits a filter into its tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '(' => (Token::Open, &rest[1..]),
            ')' => (Token::Close, &rest[1..]),
            '\'' => {
                let (text, after) = quoted(rest)?;
                (Token::Constant(Value::String(text.into())), after)
            }
            '0'..='9' | '-' | '+' | '.' => number(rest)?,
            _ => word(rest)?,
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// Reads a text in single quotes, in which a quote is doubled.
fn quoted(text: &str) -> Result<(String, &str), FilterError> {
    let mut rest = &text[1..];
    let mut result = String::new();
    loop {
        let end = rest.find('\'');
        let end = end.ok_or_else(|| FilterError("a text has no closing quote".into()))?;
        result.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                result.push('\'');
                rest = after;
            }
            None => return Ok((result, rest)),
        }
    }
}

fn end_of_word(text: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '\'');
    text.find(ends).unwrap_or(text.len())
}

/// Reads a number. `L` makes it an Int64; a point, an exponent or `d`, `f`, `m` a Double.
fn number(text: &str) -> Result<(Token, &str), FilterError> {
    let (word, after) = text.split_at(end_of_word(text));
    let wrong = || FilterError(format!("'{word}' is no number"));
    let long = word.strip_suffix(['L', 'l']);
    let double = word.strip_suffix(['d', 'D', 'f', 'F', 'm', 'M']);
    let value = if word == "-INF" || word == "-Infinity" {
        Some(Value::Double(f64::NEG_INFINITY))
    } else if let Some(long) = long {
        long.parse().ok().map(Value::Int64)
    } else if let Some(double) = double {
        Value::parse(Type::Double, double)
    } else if word.contains(['.', 'e', 'E']) {
        Value::parse(Type::Double, word)
    } else {
        let small = word.parse().ok().map(Value::Int32);
        small.or_else(|| word.parse().ok().map(Value::Int64))
    };
    Ok((Token::Constant(value.ok_or_else(wrong)?), after))
}

fn word(text: &str) -> Result<(Token, &str), FilterError> {
    let (word, after) = text.split_at(end_of_word(text));
    if word.is_empty() {
        return Err(FilterError(format!("unexpected text '{text}'")));
    }
    if after.starts_with('\'') {
        let (inner, after) = quoted(after)?;
        let value = prefixed(word, &inner)
            .ok_or_else(|| FilterError(format!("{word}'{inner}' is no constant")))?;
        return Ok((Token::Constant(value), after));
    }
    let token = match word {
        word if word.eq_ignore_ascii_case("true") => Token::Constant(Value::Boolean(true)),
        word if word.eq_ignore_ascii_case("false") => Token::Constant(Value::Boolean(false)),
        "NaN" => Token::Constant(Value::Double(f64::NAN)),
        "INF" | "Infinity" => Token::Constant(Value::Double(f64::INFINITY)),
        word => {
            let first = word.starts_with(|c: char| c.is_alphabetic() || c == '_');
            if !first {
                return Err(FilterError(format!("unexpected text '{word}'")));
            }
            Token::Word(word.to_owned())
        }
    };
    Ok((token, after))
}

/// Reads a constant such as `datetime'...'`.
fn prefixed(prefix: &str, text: &str) -> Option<Value> {
    if prefix == "X" || prefix.eq_ignore_ascii_case("binary") {
        return Some(Value::Binary(binary(text)?.into()));
    }
    if prefix.eq_ignore_ascii_case("datetime") {
        return DateTime::parse(text).map(Value::DateTime);
    }
    if prefix.eq_ignore_ascii_case("guid") {
        return Value::parse(Type::Guid, text);
    }
    None
}

/// Reads a binary constant. It is hexadecimal; some clients write Base64, which Azurite accepts too.
fn binary(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    if let Some(digits) = digits.filter(|digits| digits.len().is_multiple_of(2)) {
        return Some(
            digits
                .chunks_exact(2)
                .map(|pair| pair[0] << 4 | pair[1])
                .collect(),
        );
    }
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}
