//! Tokens of a formula.

use super::ParseError;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    Number {
        value: f64,
        /// Whether `expr-lang/expr` makes an integer of it: it has neither a point nor an exponent.
        is_whole: bool,
    },
    Name(&'a str),
    Sign(&'a str),
}

/// Longest first, so that `<=` is not read as `<`.
const SIGNS: [&str; 24] = [
    "**", "??", "==", "!=", "<=", ">=", "&&", "||", "+", "-", "*", "/", "^", "<", ">", "!", "?",
    ":", "(", ")", "[", "]", ",", "%",
];

pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, ParseError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length_of = |is_part: fn(char) -> bool| {
            let end = rest.find(|it| !is_part(it));
            end.unwrap_or(rest.len())
        };
        let length = if first.is_ascii_digit() || (first == '.' && digit_follows(rest)) {
            let length = number_length(rest);
            let number = rest[..length].replace('_', "");
            let number = number
                .parse()
                .map_err(|_| ParseError::Unknown(format!("the number {}", &rest[..length])))?;
            tokens.push(Token::Number {
                value: in_range(number, &rest[..length])?,
                is_whole: is_whole(&rest[..length]),
            });
            length
        } else if first.is_ascii_alphabetic() || "_$".contains(first) {
            let length = length_of(|it| it.is_ascii_alphanumeric() || "_$".contains(it));
            tokens.push(Token::Name(&rest[..length]));
            length
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            if rest.starts_with("//") || rest.starts_with("/*") {
                return Err(ParseError::Unknown("a comment".to_owned()));
            }
            tokens.push(Token::Sign(sign));
            sign.len()
        } else {
            return Err(ParseError::Unknown(format!("{first}")));
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// Returns `number`, unless `expr-lang/expr` refuses it for its size (`parser/parser.go`, `parseSecondary`: integers are int64,
/// and `strconv.ParseFloat` fails for an infinite number).
fn in_range(number: f64, text: &str) -> Result<f64, ParseError> {
    let digits = text.replace('_', "");
    if number.is_infinite() || (is_whole(text) && digits.parse::<i64>().is_err()) {
        return Err(ParseError::Wrong(format!(
            "has the number {text}, which is too large; write a smaller one"
        )));
    }
    Ok(number)
}

fn is_whole(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'_')
}

fn digit_follows(text: &str) -> bool {
    text[1..].starts_with(|it: char| it.is_ascii_digit())
}

/// The length of a number with its fraction and exponent.
fn number_length(text: &str) -> usize {
    let mut before = ' ';
    let end = text.find(|it: char| {
        let exponent = "eE".contains(before) && "+-".contains(it);
        let ends = !(it.is_ascii_alphanumeric() || it == '.' || it == '_' || exponent);
        before = it;
        ends
    });
    end.unwrap_or(text.len())
}

pub(super) fn shown(token: Token<'_>) -> String {
    match token {
        Token::Number { value, .. } => value.to_string(),
        Token::Name(name) => name.to_owned(),
        Token::Sign(sign) => sign.to_owned(),
    }
}
