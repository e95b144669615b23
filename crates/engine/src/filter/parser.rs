//! Parses tokens into a filter: `or` binds least, then `and`, then `not`.

use super::{Comparison, Filter, FilterError, lexer};
use crate::state::edm::Value;
use lexer::Token;

/// Most nested brackets and `not`s. A filter in an address is rarely longer anyway.
const DEEPEST: usize = 100;

/// Most operators of one filter, so that neither parsing nor dropping it exhausts the stack.
const MOST_OPERATORS: usize = 2_000;

/// Parses a filter.
///
/// # Errors
/// [`FilterError`] for an invalid filter.
pub(crate) fn parse(text: &str) -> Result<Filter, FilterError> {
    let tokens = lexer::tokens(text)?;
    let mut parser = Parser {
        tokens: tokens.into_iter().peekable(),
        operators: 0,
    };
    let filter = parser.any(0)?;
    match parser.tokens.next() {
        None => Ok(filter),
        Some(token) => Err(unexpected(Some(token))),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    operators: usize,
}

fn unexpected(token: Option<Token>) -> FilterError {
    FilterError(match token {
        None => "the filter ends too early".into(),
        Some(Token::Open) => "unexpected '('".into(),
        Some(Token::Close) => "unexpected ')'".into(),
        Some(Token::Word(word)) => format!("unexpected '{word}'"),
        Some(Token::Constant(_)) => "unexpected constant".into(),
    })
}

/// One side of a comparison.
enum Operand {
    Name(String),
    Constant(Value),
}

impl Parser {
    fn takes(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.peek(), Some(Token::Word(next)) if next == word);
        if found {
            self.operators += 1;
            self.tokens.next();
        }
        found
    }

    fn any(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut filter = self.all(depth)?;
        while self.takes("or") {
            self.check(depth)?;
            filter = Filter::Or(filter.into(), self.all(depth)?.into());
        }
        Ok(filter)
    }

    fn all(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut filter = self.one(depth)?;
        while self.takes("and") {
            self.check(depth)?;
            filter = Filter::And(filter.into(), self.one(depth)?.into());
        }
        Ok(filter)
    }

    fn check(&self, depth: usize) -> Result<(), FilterError> {
        if depth > DEEPEST || self.operators > MOST_OPERATORS {
            return Err(FilterError("the filter is too complex".into()));
        }
        Ok(())
    }

    fn one(&mut self, depth: usize) -> Result<Filter, FilterError> {
        self.check(depth)?;
        if self.takes("not") {
            return Ok(Filter::Not(self.one(depth + 1)?.into()));
        }
        if self.tokens.next_if_eq(&Token::Open).is_some() {
            let inner = self.any(depth + 1)?;
            return match self.tokens.next() {
                Some(Token::Close) => self.compared(inner),
                other => Err(unexpected(other)),
            };
        }
        let left = self.operand()?;
        let Some(comparison) = self.comparison() else {
            return match left {
                Operand::Name(name) => Ok(Filter::Property(name)),
                Operand::Constant(Value::Boolean(value)) => Ok(Filter::Constant(value)),
                Operand::Constant(_) => Err(unexpected(self.tokens.next())),
            };
        };
        match (left, self.operand()?) {
            (Operand::Name(name), Operand::Constant(value)) => {
                Ok(Filter::Compare(name, comparison, value))
            }
            (Operand::Constant(value), Operand::Name(name)) => {
                Ok(Filter::Compare(name, comparison.flipped(), value))
            }
            (Operand::Constant(a), Operand::Constant(b)) => {
                Ok(Filter::Constant(comparison.holds(a.compare(&b))))
            }
            (Operand::Name(_), Operand::Name(_)) => Err(FilterError(
                "a property can be compared with a constant only".into(),
            )),
        }
    }

    /// Parses the rest after a bracket, whose content may be a single name or a boolean that is compared: `(A) eq 1`, `(A eq 1)
    /// eq true`.
    fn compared(&mut self, inner: Filter) -> Result<Filter, FilterError> {
        let Some(comparison) = self.comparison() else {
            return Ok(inner);
        };
        match (inner, comparison, self.operand()?) {
            (Filter::Property(name), comparison, Operand::Constant(value)) => {
                Ok(Filter::Compare(name, comparison, value))
            }
            (inner, Comparison::Equal, Operand::Constant(Value::Boolean(true)))
            | (inner, Comparison::NotEqual, Operand::Constant(Value::Boolean(false))) => Ok(inner),
            (inner, Comparison::Equal, Operand::Constant(Value::Boolean(false)))
            | (inner, Comparison::NotEqual, Operand::Constant(Value::Boolean(true))) => {
                Ok(Filter::Not(inner.into()))
            }
            _ => Err(FilterError(
                "a property can be compared with a constant only".into(),
            )),
        }
    }

    fn operand(&mut self) -> Result<Operand, FilterError> {
        // Brackets around a single operand have no effect.
        let mut open = 0;
        while self.tokens.next_if_eq(&Token::Open).is_some() {
            open += 1;
        }
        let operand = match self.tokens.next() {
            Some(Token::Word(name)) if !is_operator(&name) => Operand::Name(name),
            Some(Token::Constant(value)) => Operand::Constant(value),
            other => return Err(unexpected(other)),
        };
        for _ in 0..open {
            match self.tokens.next() {
                Some(Token::Close) => {}
                other => return Err(unexpected(other)),
            }
        }
        Ok(operand)
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let Some(Token::Word(word)) = self.tokens.peek() else {
            return None;
        };
        let comparison = match word.as_str() {
            "eq" => Comparison::Equal,
            "ne" => Comparison::NotEqual,
            "gt" => Comparison::Greater,
            "ge" => Comparison::GreaterOrEqual,
            "lt" => Comparison::Less,
            "le" => Comparison::LessOrEqual,
            _ => return None,
        };
        self.operators += 1;
        self.tokens.next();
        Some(comparison)
    }
}

fn is_operator(word: &str) -> bool {
    ["and", "or", "not", "eq", "ne", "gt", "ge", "lt", "le"].contains(&word)
}
