//! Parses the text of a formula into nodes and checks it: names are known, and the result is a number.

use thiserror::Error;

use super::kind::{Kind, Part, either, join, require, wrong};
use super::tokens::{Token, shown, tokens};
use super::{Function, Node, Operator, Value};

/// Deepest nesting that is accepted.
const DEEPEST: usize = 100;

/// Operators of `expr-lang/expr` that may follow `not` (`parser/operator/operator.go`, `AllowedNegateSuffix`). They apply to
/// texts and lists, and triggers are numbers.
const NEGATABLE: [&str; 5] = ["in", "contains", "matches", "startsWith", "endsWith"];

/// Reason why a formula is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum ParseError {
    /// KEDA refuses the formula too: used only if `expr-lang/expr` refuses it during parsing or type checking (KEDA
    /// `scaledobject_webhook.go`, `validateScalingModifiersFormula`).
    #[error("{0}")]
    Wrong(String),
    /// KEDA may accept the formula, but this model does not cover it.
    #[error("{0}")]
    Unknown(String),
}

pub(super) fn parse(text: &str, triggers: &[Option<&str>]) -> Result<Node, ParseError> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        depth: 0,
        triggers,
    };
    let (node, kind) = parser.choice()?;
    if let Some(token) = parser.peek() {
        return Err(wrong(format!("{} is not expected there", shown(token))));
    }
    // KEDA scaledobject_webhook.go, `castToFloatIfNecessary`.
    match kind {
        Kind::Truth => Err(wrong(
            "is true or false, must be a number: write a choice, such as a > 2 ? 5 : 0".to_owned(),
        )),
        // KEDA accepts it, and then scales by nothing: it takes floating point numbers alone (`formula.go`,
        // `calculateScalingModifiersFormula`).
        Kind::Number if is_left_as_it_is(text) && node.may_be_whole() => {
            Err(ParseError::Unknown(
                "float( at its beginning and not around all of it, so that KEDA scales nothing when the formula gives a whole number; put float( ) around all of it, or leave it out".to_owned(),
            ))
        }
        Kind::Number | Kind::Nil => Ok(node),
    }
}

/// Whether KEDA does not put the formula into `float( )` (`scaledobject_webhook.go`, `castToFloatIfNecessary`).
fn is_left_as_it_is(text: &str) -> bool {
    text.starts_with("float(") && !text.contains("??")
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    depth: usize,
    triggers: &'a [Option<&'a str>],
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.next).copied()
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_next = self.peek() == Some(Token::Sign(sign));
        self.next += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &str) -> Result<(), ParseError> {
        if self.takes(sign) {
            return Ok(());
        }
        let found = self.peek().map_or("its end".to_owned(), shown);
        Err(wrong(format!("has {found} where {sign} is expected")))
    }

    /// Parses `a ? b : c`, which binds loosest, or anything tighter.
    fn choice(&mut self) -> Result<Part, ParseError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(ParseError::Unknown(format!("more than {DEEPEST} levels")));
        }
        let (condition, kind) = self.binary(0)?;
        let part = if self.takes("?") {
            require(kind, Kind::Truth, "the condition of ? is")?;
            if self.peek() == Some(Token::Sign(":")) {
                return Err(ParseError::Unknown("the choice ?:".to_owned()));
            }
            let (yes, one) = self.choice()?;
            self.expect(":")?;
            let (no, other) = self.choice()?;
            let kind = either(one, other)?;
            (
                Node::Choice(Box::new(condition), Box::new(yes), Box::new(no)),
                kind,
            )
        } else {
            (condition, kind)
        };
        self.depth -= 1;
        Ok(part)
    }

    /// Parses operators that bind at least as tightly as `least` (`expr-lang/expr`, `parser/operator/operator.go`).
    fn binary(&mut self, least: u16) -> Result<Part, ParseError> {
        let mut left = self.sign()?;
        let mut before: Option<Operator> = None;
        while let Some((operator, precedence)) = self.operator()? {
            if precedence < least {
                break;
            }
            check_neighbours(before, operator)?;
            self.next += 1;
            // A power is right-associative.
            let tighter = if operator == Operator::Power {
                precedence
            } else {
                precedence + 1
            };
            let right = self.binary(tighter)?;
            left = join(operator, left, right)?;
            before = Some(operator);
        }
        Ok(left)
    }

    fn operator(&self) -> Result<Option<(Operator, u16)>, ParseError> {
        let Some(Token::Sign(word) | Token::Name(word)) = self.peek() else {
            return Ok(None);
        };
        Ok(Some(match word {
            "or" | "||" => (Operator::Or, 10),
            "and" | "&&" => (Operator::And, 15),
            "==" => (Operator::Equal, 20),
            "!=" => (Operator::Unequal, 20),
            "<" => (Operator::Less, 20),
            "<=" => (Operator::LessOrEqual, 20),
            ">" => (Operator::Greater, 20),
            ">=" => (Operator::GreaterOrEqual, 20),
            "+" => (Operator::Add, 30),
            "-" => (Operator::Subtract, 30),
            "*" => (Operator::Multiply, 60),
            "/" => (Operator::Divide, 60),
            "**" | "^" => (Operator::Power, 100),
            "??" => (Operator::Coalesce, 500),
            "%" => {
                let reason = "%, which needs whole numbers, and triggers are none".to_owned();
                return Err(ParseError::Unknown(reason));
            }
            _ if NEGATABLE.contains(&word) => {
                return Err(ParseError::Unknown(format!("the operator {word}")));
            }
            "not" => {
                let next = self.tokens.get(self.next + 1);
                let negated = NEGATABLE
                    .iter()
                    .find(|word| next == Some(&Token::Name(word)));
                let Some(word) = negated else { return Ok(None) };
                return Err(ParseError::Unknown(format!("the operator not {word}")));
            }
            _ => return Ok(None),
        }))
    }

    /// Parses a sign or `not`: `-a` applies to parts that bind tighter than 90, `not a` to parts tighter than 50.
    fn sign(&mut self) -> Result<Part, ParseError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(ParseError::Unknown(format!("more than {DEEPEST} levels")));
        }
        let part = match self.peek() {
            Some(Token::Sign("-")) => {
                self.next += 1;
                let (node, kind) = self.binary(90)?;
                require(kind, Kind::Number, "what - is before is")?;
                (Node::Negative(Box::new(node)), Kind::Number)
            }
            Some(Token::Sign("+")) => {
                self.next += 1;
                let (node, kind) = self.binary(90)?;
                require(kind, Kind::Number, "what + is before is")?;
                (node, Kind::Number)
            }
            Some(Token::Sign("!") | Token::Name("not")) => {
                self.next += 1;
                let (node, kind) = self.binary(50)?;
                require(kind, Kind::Truth, "what not is before is")?;
                (Node::Not(Box::new(node)), Kind::Truth)
            }
            _ => self.primary()?,
        };
        self.depth -= 1;
        Ok(part)
    }

    /// Parses an operand. Lists and member access, which `expr-lang/expr` has, are refused.
    fn primary(&mut self) -> Result<Part, ParseError> {
        let part = self.single()?;
        match self.peek() {
            Some(Token::Sign("[")) => Err(ParseError::Unknown("an element of a list".to_owned())),
            _ => Ok(part),
        }
    }

    fn single(&mut self) -> Result<Part, ParseError> {
        let token = self.peek();
        self.next += 1;
        match token {
            Some(Token::Number { value, is_whole }) => {
                let node = if is_whole {
                    Node::Whole(value)
                } else {
                    Node::Constant(Value::Number(value))
                };
                Ok((node, Kind::Number))
            }
            Some(Token::Sign("(")) => {
                let part = self.choice()?;
                self.expect(")")?;
                Ok(part)
            }
            Some(Token::Name("nil")) => Ok((Node::Constant(Value::Nil), Kind::Nil)),
            Some(Token::Name(word @ ("true" | "false"))) => {
                Ok((Node::Constant(Value::Truth(word == "true")), Kind::Truth))
            }
            Some(Token::Name(name)) if self.peek() == Some(Token::Sign("(")) => self.call(name),
            Some(Token::Name(name)) => {
                let mut known = self.triggers.iter();
                match known.position(|it| *it == Some(name)) {
                    Some(n) => Ok((Node::Trigger(n), Kind::Number)),
                    None if name == "$env" => Err(ParseError::Unknown(name.to_owned())),
                    None => Err(self.no_trigger(name)),
                }
            }
            Some(Token::Sign("[")) => Err(ParseError::Unknown("a list".to_owned())),
            Some(Token::Sign(":")) if self.peek() == Some(Token::Sign(":")) => {
                Err(ParseError::Unknown("::".to_owned()))
            }
            Some(token) => Err(wrong(format!(
                "has {} where a number is expected",
                shown(token)
            ))),
            None => Err(wrong("ends where a number is expected".to_owned())),
        }
    }

    /// The error for a name that is no trigger's. A `-` ends a name, so the part after it is cut off.
    fn no_trigger(&self, name: &str) -> ParseError {
        let names: Vec<_> = self.triggers.iter().flatten().copied().collect();
        let listed = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        let is_cut = |it: &&str| it.strip_prefix(name).is_some_and(|it| it.starts_with('-'));
        let advice = match names.iter().find(|it| is_cut(it)) {
            Some(meant) => format!(
                "; the - of {meant} is a minus in a formula: give the trigger a name without one"
            ),
            None => String::new(),
        };
        wrong(format!(
            "names {name}, and no trigger is called so; those with a name are {listed}{advice}"
        ))
    }

    fn call(&mut self, name: &str) -> Result<Part, ParseError> {
        let known = Function::ALL.iter().find(|known| known.0 == name);
        let Some((_, function)) = known else {
            return Err(ParseError::Unknown(format!("the function {name}")));
        };
        self.expect("(")?;
        let is_list = !function.takes_one() && self.takes("[");
        let close = if is_list { "]" } else { ")" };
        if is_list && self.peek() == Some(Token::Sign(close)) {
            return Err(ParseError::Unknown("an empty list".to_owned()));
        }
        let mut arguments = Vec::new();
        loop {
            let (node, kind) = self.choice()?;
            require(kind, Kind::Number, &format!("what {name} is given is"))?;
            arguments.push(node);
            // A trailing comma is ignored (`parser/parser.go`, `parseArguments` and `parseArrayExpression`).
            if !self.takes(",") || self.peek() == Some(Token::Sign(close)) {
                break;
            }
        }
        self.expect(close)?;
        if is_list {
            self.after_list(name)?;
        }
        if function.takes_one() && arguments.len() != 1 {
            return Err(wrong(format!(
                "gives {name} {} numbers, it takes one",
                arguments.len()
            )));
        }
        if *function == Function::Sum && !is_list {
            return Err(wrong("gives sum no list: write sum([a, b])".to_owned()));
        }
        Ok((Node::Call(*function, arguments), Kind::Number))
    }
}

impl Parser<'_> {
    /// Parses the end of a call whose argument is a list. Further arguments are not covered here: `max`, `min` and `mean`
    /// accept lists and numbers side by side, and `sum` a predicate (`builtin/lib.go`, `minMax` and `mean`; `parser/parser.go`,
    /// `predicates`).
    fn after_list(&mut self, name: &str) -> Result<(), ParseError> {
        self.takes(",");
        match self.peek() {
            None | Some(Token::Sign(")")) => self.expect(")"),
            Some(_) => Err(ParseError::Unknown(format!("more than one list in {name}"))),
        }
    }
}

/// Checks two neighbouring operators (`expr-lang/expr`, `parser/parser.go`): an operator after `??` needs parentheses. A chain
/// of comparisons, which `expr-lang/expr` accepts, is not covered here.
fn check_neighbours(before: Option<Operator>, operator: Operator) -> Result<(), ParseError> {
    let Some(before) = before else { return Ok(()) };
    if before == Operator::Coalesce && operator != Operator::Coalesce {
        return Err(wrong(
            "has another operator after ??: put the part with ?? into parentheses".to_owned(),
        ));
    }
    if before.compares() && operator.compares() {
        return Err(ParseError::Unknown("a chain of comparisons".to_owned()));
    }
    Ok(())
}

impl Operator {
    pub(super) fn compares(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::Unequal
                | Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
        )
    }
}
