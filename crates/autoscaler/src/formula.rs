//! `advanced.scalingModifiers.formula`: computes one number from the values of several triggers.
//!
//! KEDA evaluates formulas with `expr-lang/expr`. This is the part of that language that formulas over queues need. Everything
//! else is refused by its name, never guessed:
//!
//! - numbers, the names of triggers, `nil`, `true`, `false`, parentheses;
//! - `+ - * /`, `**` and `^` (powers), comparisons, `and or not && || !`, `a ? b : c`, `??`;
//! - `min`, `max`, `sum`, `mean` of several numbers or of one list, `abs`, `ceil`, `floor`, `round`, `float`.
//!
//! Precedence is that of `expr-lang/expr`, `parser/operator/operator.go`: a power binds tighter than a sign, `not` tighter than
//! `and` and looser than `+`. All numbers are floating point, as the values of triggers are in KEDA.

mod boundless;
mod kind;
mod parse;
#[cfg(test)]
mod tests;
mod tokens;

pub(crate) use parse::ParseError;

/// A parsed formula.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    text: String,
    root: Node,
}

/// A part of a formula.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Number(f64),
    Truth(bool),
    Nil,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Constant(Value),
    /// A number without a point or exponent, which is an integer to `expr-lang/expr`.
    Whole(f64),
    /// The value of the trigger with this index.
    Trigger(usize),
    Negative(Box<Node>),
    Not(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    Choice(Box<Node>, Box<Node>, Box<Node>),
    Call(Function, Vec<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Coalesce,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Min,
    Max,
    Sum,
    Mean,
    Abs,
    Ceil,
    Floor,
    Round,
    Float,
}

/// Error of a formula that cannot be evaluated with these values, for example because one of them is nil.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoValue;

impl Formula {
    /// Parses a formula over triggers with these names; a trigger without a name cannot be used.
    pub(crate) fn parse(text: &str, triggers: &[Option<&str>]) -> Result<Self, ParseError> {
        let root = parse::parse(text, triggers)?;
        Ok(Self {
            text: text.to_owned(),
            root,
        })
    }

    /// The text of the formula.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The result for these values of the triggers; `None` is nil. `Ok(None)`: the result is nil (KEDA
    /// `pkg/scaling/modifiers/formula.go`, `calculateScalingModifiersFormula`), which only a formula with `??` may have: any other
    /// is put into `float( )`, which nil is no argument of (`scaledobject_webhook.go`, `castToFloatIfNecessary`).
    pub(crate) fn evaluate(&self, triggers: &[Option<f64>]) -> Result<Option<f64>, NoValue> {
        match self.root.evaluate(triggers)? {
            Value::Number(number) => Ok(Some(number)),
            Value::Nil if self.text.contains("??") => Ok(None),
            Value::Nil | Value::Truth(_) => Err(NoValue),
        }
    }
}

impl Node {
    fn evaluate(&self, triggers: &[Option<f64>]) -> Result<Value, NoValue> {
        Ok(match self {
            Self::Constant(value) => *value,
            Self::Whole(number) => Value::Number(*number),
            Self::Trigger(n) => match triggers.get(*n).copied().flatten() {
                Some(number) => Value::Number(number),
                None => Value::Nil,
            },
            Self::Negative(node) => Value::Number(-node.number(triggers)?),
            Self::Not(node) => Value::Truth(!node.truth(triggers)?),
            Self::Choice(condition, yes, no) => {
                let chosen = if condition.truth(triggers)? { yes } else { no };
                chosen.evaluate(triggers)?
            }
            Self::Binary(operator, left, right) => binary(*operator, left, right, triggers)?,
            Self::Call(function, arguments) => {
                let numbers = arguments.iter().map(|it| it.number(triggers));
                let numbers: Vec<f64> = numbers.collect::<Result<_, _>>()?;
                Value::Number(function.of(&numbers)?)
            }
        })
    }

    /// Whether the result may be an integer to `expr-lang/expr` (`checker/checker.go`, `binaryNode`; `builtin/lib.go`): triggers,
    /// divisions and powers are floating point, and so is all that is reckoned with them. A sum of zeros is an integer.
    fn may_be_whole(&self) -> bool {
        match self {
            Self::Whole(_) | Self::Call(Function::Sum, _) => true,
            Self::Negative(node) => node.may_be_whole(),
            Self::Choice(_, yes, no) => yes.may_be_whole() || no.may_be_whole(),
            Self::Binary(operator, left, right) => {
                let keeps = [Operator::Add, Operator::Subtract, Operator::Multiply];
                keeps.contains(operator) && left.may_be_whole() && right.may_be_whole()
            }
            Self::Call(Function::Min | Function::Max | Function::Abs, arguments) => {
                arguments.iter().any(Self::may_be_whole)
            }
            Self::Constant(_) | Self::Trigger(_) | Self::Not(_) | Self::Call(_, _) => false,
        }
    }

    fn number(&self, triggers: &[Option<f64>]) -> Result<f64, NoValue> {
        match self.evaluate(triggers)? {
            Value::Number(number) => Ok(number),
            Value::Truth(_) | Value::Nil => Err(NoValue),
        }
    }

    fn truth(&self, triggers: &[Option<f64>]) -> Result<bool, NoValue> {
        match self.evaluate(triggers)? {
            Value::Truth(truth) => Ok(truth),
            Value::Number(_) | Value::Nil => Err(NoValue),
        }
    }
}

fn binary(
    operator: Operator,
    left: &Node,
    right: &Node,
    triggers: &[Option<f64>],
) -> Result<Value, NoValue> {
    let numbers = || Ok((left.number(triggers)?, right.number(triggers)?));
    let number = |of: fn(f64, f64) -> f64| numbers().map(|(a, b)| Value::Number(of(a, b)));
    let truth = |of: fn(&f64, &f64) -> bool| numbers().map(|(a, b)| Value::Truth(of(&a, &b)));
    match operator {
        Operator::Add => number(|a, b| a + b),
        Operator::Subtract => number(|a, b| a - b),
        Operator::Multiply => number(|a, b| a * b),
        Operator::Divide => number(|a, b| a / b),
        Operator::Power => number(f64::powf),
        Operator::Less => truth(f64::lt),
        Operator::LessOrEqual => truth(f64::le),
        Operator::Greater => truth(f64::gt),
        Operator::GreaterOrEqual => truth(f64::ge),
        Operator::Equal => Ok(Value::Truth(
            left.evaluate(triggers)? == right.evaluate(triggers)?,
        )),
        Operator::Unequal => Ok(Value::Truth(
            left.evaluate(triggers)? != right.evaluate(triggers)?,
        )),
        Operator::And => Ok(Value::Truth(
            left.truth(triggers)? && right.truth(triggers)?,
        )),
        Operator::Or => Ok(Value::Truth(
            left.truth(triggers)? || right.truth(triggers)?,
        )),
        Operator::Coalesce => match left.evaluate(triggers)? {
            Value::Nil => right.evaluate(triggers),
            value => Ok(value),
        },
    }
}

impl Function {
    /// The functions with their names in a formula.
    const ALL: [(&'static str, Self); 9] = [
        ("min", Self::Min),
        ("max", Self::Max),
        ("sum", Self::Sum),
        ("mean", Self::Mean),
        ("abs", Self::Abs),
        ("ceil", Self::Ceil),
        ("floor", Self::Floor),
        ("round", Self::Round),
        ("float", Self::Float),
    ];

    fn takes_one(self) -> bool {
        !matches!(self, Self::Min | Self::Max | Self::Sum | Self::Mean)
    }

    /// Computes a function (`expr-lang/expr`, `builtin/lib.go`): halves are rounded away from zero; of values that are not a
    /// number, min and max keep a first one and skip later ones (`minMax`).
    fn of(self, numbers: &[f64]) -> Result<f64, NoValue> {
        let first = *numbers.first().ok_or(NoValue)?;
        let sum = || numbers.iter().sum::<f64>();
        Ok(match self {
            Self::Min => numbers.iter().copied().fold(first, lesser),
            Self::Max => numbers.iter().copied().fold(first, greater),
            Self::Sum => sum(),
            Self::Mean => sum() / numbers.len() as f64,
            Self::Abs => first.abs(),
            Self::Ceil => first.ceil(),
            Self::Floor => first.floor(),
            Self::Round => first.round(),
            Self::Float => first,
        })
    }
}

fn lesser(least: f64, number: f64) -> f64 {
    if number < least { number } else { least }
}

fn greater(most: f64, number: f64) -> f64 {
    if number > most { number } else { most }
}
