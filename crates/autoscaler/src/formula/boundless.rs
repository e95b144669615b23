//! Finds trigger values for which a formula gives no number that KEDA can pass on, for example a division by an empty queue.

use super::{Formula, Node, Value};

/// Most combinations of values that are tried.
const MOST: usize = 4_096;

impl Formula {
    /// Values of the triggers for which the result is infinite or not a number, with that result; `None` if no tried
    /// combination has one. `values` has the values that each trigger can have; if it has none for a trigger, all numbers in
    /// the formula, and 0 and 1, are tried. A trigger that the formula does not use reads 0.
    ///
    /// The case that all triggers read 0 and the result is not a number is left out: no replicas are wanted then, so it does no
    /// harm.
    pub(crate) fn boundless(&self, values: &[Vec<f64>]) -> Option<(Vec<f64>, f64)> {
        let mut usual = vec![1.0, 0.0];
        self.root.constants(&mut usual);
        let of = |(trigger, known): (usize, &'_ Vec<f64>)| {
            if !self.uses(trigger) {
                vec![0.0]
            } else if known.is_empty() {
                usual.clone()
            } else {
                known.clone()
            }
        };
        let values: Vec<Vec<f64>> = values.iter().enumerate().map(of).collect();
        let combinations = values
            .iter()
            .try_fold(1_usize, |all, it| all.checked_mul(it.len()));
        let combinations = combinations.unwrap_or(MOST).min(MOST);
        let mut tried = (0..combinations).map(|number| {
            let mut rest = number;
            let pick = |of: &Vec<f64>| {
                let picked = of[rest % of.len()];
                rest /= of.len();
                picked
            };
            values.iter().map(pick).collect::<Vec<f64>>()
        });
        tried.find_map(|reads| {
            let given: Vec<_> = reads.iter().copied().map(Some).collect();
            let number = self.evaluate(&given).ok()??;
            let is_idle = number.is_nan() && reads.iter().all(|it| *it == 0.0);
            (!number.is_finite() && !is_idle).then_some((reads, number))
        })
    }

    /// Whether the formula uses the trigger with this index.
    pub(crate) fn uses(&self, trigger: usize) -> bool {
        let mut is_used = false;
        self.root
            .each(&mut |node| is_used |= *node == Node::Trigger(trigger));
        is_used
    }
}

impl Node {
    /// Adds the numbers in the formula, from 0 on: a division by `orders - 5` is a division by zero for 5 orders.
    fn constants(&self, numbers: &mut Vec<f64>) {
        self.each(&mut |node| match node {
            Self::Whole(number) | Self::Constant(Value::Number(number))
                if *number >= 0.0 && !numbers.contains(number) =>
            {
                numbers.push(*number);
            }
            _ => {}
        });
    }

    /// Calls `to` with this node and all nodes below it.
    fn each(&self, to: &mut dyn FnMut(&Self)) {
        to(self);
        match self {
            Self::Constant(_) | Self::Whole(_) | Self::Trigger(_) => {}
            Self::Negative(node) | Self::Not(node) => node.each(to),
            Self::Binary(_, left, right) => {
                left.each(to);
                right.each(to);
            }
            Self::Choice(condition, yes, no) => {
                for part in [condition, yes, no] {
                    part.each(to);
                }
            }
            Self::Call(_, arguments) => {
                for argument in arguments {
                    argument.each(to);
                }
            }
        }
    }
}
