//! Tests of formulas; every value was computed by hand with the rules of `expr-lang/expr`.

use super::*;

const NAMES: [Option<&str>; 3] = [Some("orders"), None, Some("day")];

fn value(text: &str, orders: Option<f64>, day: Option<f64>) -> Result<Option<f64>, NoValue> {
    let formula = Formula::parse(text, &NAMES).unwrap();
    formula.evaluate(&[orders, Some(1e9), day])
}

/// Source: `expr-lang/expr`, `parser/operator/operator.go` (precedence), `builtin/lib.go` (functions).
#[test]
fn a_formula_has_the_value_that_expr_gives_it() {
    for (text, expected) in [
        ("orders + day", 12.0),
        ("orders + day * 3", 16.0),
        ("(orders + day) * 3", 36.0),
        ("orders - day - 1", 7.0),
        ("orders / day / 2", 2.5),
        ("2 ** 3 ** 2", 512.0),
        ("-2 ** 2", -4.0),
        ("2 ^ -1", 0.5),
        ("-orders + 1", -9.0),
        ("1_000 + 1e2 + .5", 1_100.5),
        ("orders > 5 ? 1 : 0", 1.0),
        ("orders > 50 ? 1 : orders > 5 ? 2 : 3", 2.0),
        ("orders >= 10 && day != 2 || day == 2 ? 7 : 8", 7.0),
        ("not (orders < 10) and day <= 2 ? 1 : 0", 1.0),
        ("!(orders == 10) ? 1 : 0", 0.0),
        ("max(orders, day, 11)", 11.0),
        ("min([orders, day])", 2.0),
        ("sum([orders, day, 1])", 13.0),
        ("mean(orders, day)", 6.0),
        // parser/parser.go, parseArguments and parseArrayExpression: a trailing comma is ignored.
        ("max(orders, day,)", 10.0),
        ("sum([orders, day,],)", 12.0),
        ("abs(day - orders)", 8.0),
        ("ceil(orders / 3) + floor(orders / 3)", 7.0),
        ("round(2.5) + round(-2.5)", 0.0),
        ("float(orders)", 10.0),
        ("\n  orders\n  + 1\n", 11.0),
        ("orders ?? 3", 10.0),
        ("(nil ?? day) + 1", 3.0),
        ("1 + nil ?? day", 3.0),
        ("orders == nil ? 1 : 2", 2.0),
        ("+orders - +1", 9.0),
        ("1+2", 3.0),
        ("1e+2 + 1E-1", 100.1),
        ("orders != 10 ? 1 : 2", 2.0),
        ("orders != day ? 1 : 2", 1.0),
        ("orders > 5 and day > 5 ? 1 : 2", 2.0),
        ("orders > 50 or day > 5 ? 1 : 2", 2.0),
    ] {
        assert_eq!(
            value(text, Some(10.0), Some(2.0)),
            Ok(Some(expected)),
            "{text}"
        );
    }
}

/// Observed with `expr-lang/expr` 1.17.8: a division by zero is infinite, or not a number, and no error; `builtin/lib.go`,
/// `minMax`.
#[test]
fn a_division_by_zero_is_infinite_or_no_number() {
    let of = |text: &str| value(text, Some(10.0), Some(0.0)).unwrap().unwrap();
    for (text, expected) in [
        ("orders / day", f64::INFINITY),
        ("-orders / day", f64::NEG_INFINITY),
        ("1 / 0", f64::INFINITY),
        ("min(orders / day, 10)", 10.0),
        ("min(10, day / day)", 10.0),
        ("max(10, day / day)", 10.0),
        ("mean(orders / day, 1)", f64::INFINITY),
    ] {
        assert_eq!(of(text).to_bits(), expected.to_bits(), "{text}");
    }
    for text in ["day / day", "min(day / day, 10)", "max(day / day, 10)"] {
        assert!(of(text).is_nan(), "{text}");
    }
}

#[test]
fn values_with_which_a_formula_has_no_bound_are_found() {
    let found = |text: &str| {
        let formula = Formula::parse(text, &NAMES).unwrap();
        formula.boundless(&[vec![], vec![], vec![0.0, 4.0]])
    };
    for (text, orders, day) in [
        ("orders / day", 1.0, 0.0),
        ("orders / 0", 1.0, 0.0),
        ("100 / (orders - 5)", 5.0, 0.0),
        ("day / orders", 0.0, 4.0),
        ("1 / orders", 0.0, 0.0),
        ("orders ** 5000", 5_000.0, 0.0),
    ] {
        let (reads, number) = found(text).expect(text);
        assert_eq!((reads[0], reads[2]), (orders, day), "{text}");
        assert!(number.is_infinite(), "{text}");
    }
    for text in [
        "orders / max(day, 1)",
        "day > 0 ? orders / day : orders",
        "orders / (day + 1)",
        "orders / 2",
        // No messages, and no replicas wanted.
        "orders / (orders + day)",
        "min(orders / day, 10) ?? nil",
    ] {
        let found = found(text);
        assert_eq!(found, None, "{text}");
    }
}

/// Source: KEDA `pkg/scaling/modifiers/formula.go`, `scalingModifierTriggerValue` and `calculateScalingModifiersFormula`.
#[test]
fn a_trigger_that_failed_is_nil() {
    assert_eq!(value("orders ?? day", None, Some(2.0)), Ok(Some(2.0)));
    assert_eq!(value("orders ?? nil", None, Some(2.0)), Ok(None));
    assert_eq!(value("orders", None, Some(2.0)), Err(NoValue));
    assert_eq!(value("day > 1 ? orders : 0", None, Some(2.0)), Err(NoValue));
    assert_eq!(value("orders + day", None, Some(2.0)), Err(NoValue));
    assert_eq!(value("max(orders, 1)", None, Some(2.0)), Err(NoValue));
}

/// Source: KEDA `scaledobject_webhook.go`, `castToFloatIfNecessary`; `formula.go`, "formula returned non-float result".
#[test]
fn a_formula_that_only_begins_with_float_may_not_give_a_whole_number() {
    for text in [
        "float(orders) > 50 ? 10 : 1",
        "float(orders) > 50 ? orders : -1",
        "float(1) > 0 ? 2 * 3 + 1 : 1.0",
        "float(1) > 0 ? min(orders, 5) : 1.0",
        "float(1) > 0 ? abs(-5) : 1.0",
        "float(1) > 0 ? sum([orders, day]) : day",
    ] {
        let refused = Formula::parse(text, &NAMES);
        let told = |it: &ParseError| matches!(it, ParseError::Unknown(why) if why.contains("around all of it"));
        assert!(refused.as_ref().is_err_and(told), "{text}: {refused:?}");
    }
    for text in [
        "float(orders > 50 ? 10 : 1)",
        "orders > 50 ? 10 : 1",
        " float(orders) > 50 ? 10 : 1",
        "float(orders) > 50 ? 10.0 : 1e0",
        "float(orders) > 50 ? 10 / 5 : 2 ** 3",
        "float(orders) > 50 ? 10 * day : round(7)",
        "float(orders) > 50 ? min(day, orders) : mean(1, 2)",
        "float(orders) ?? 5",
    ] {
        assert!(Formula::parse(text, &NAMES).is_ok(), "{text}");
    }
}

#[test]
fn what_keda_refuses_and_what_the_model_does_not_know_are_told_apart() {
    for (text, unknown, part) in [
        ("orders +", false, "ends where a number is expected"),
        ("orders + mails", false, "mails"),
        ("orders > 5", false, "true or false"),
        ("orders == true ? 1 : 0", false, "true or false"),
        ("orders ? 1 : 0", false, "the condition of ?"),
        ("orders + (day > 1)", false, "reckoned"),
        ("(orders", false, ")"),
        ("orders day", false, "day"),
        ("abs(orders, day)", false, "abs"),
        ("sum(orders, day)", false, "list"),
        ("orders ?? day + 1", false, "parentheses"),
        ("median(orders, day)", true, "the function median"),
        ("count([orders], # > 1)", true, "#"),
        ("orders % 2", true, "%"),
        // expr-lang/expr docs/language-definition.md, "Array" and "Member Operator"
        ("[orders, day][0]", true, "a list"),
        ("orders[0]", true, "an element of a list"),
        ("(orders)[0]", true, "an element of a list"),
        ("let x = orders; x", true, "="),
        ("1 < orders < 5 ? 1 : 0", true, "a chain of comparisons"),
        ("$env[\"orders\"]", true, "\""),
        ("orders | abs()", true, "|"),
        ("0x10 + orders", true, "0x10"),
        ("orders // all of them", true, "a comment"),
        // expr-lang/expr builtin/lib.go, minMax and mean: lists and numbers beside each other.
        ("max([orders, day], 3)", true, "more than one list in max"),
        ("mean([orders], [day])", true, "more than one list in mean"),
        ("min([orders] ?? [day])", true, "more than one list in min"),
        ("max(3, [orders, day])", true, "a list"),
        ("max([])", true, "an empty list"),
        // parser/parser.go, predicates: a predicate is any expression.
        ("sum([orders, day], 2)", true, "more than one list in sum"),
        // parser/parser.go, parseConditional, parsePrimary and parseExpression.
        ("orders > 5 ?: 1", true, "?:"),
        ("orders ?: 1", false, "the condition of ?"),
        ("::max(orders, day)", true, "::"),
        ("orders not in [1, 2] ? 1 : 0", true, "not in"),
        ("orders not 5", false, "not"),
        // checker/checker.go, conditionalNode and "??": of any type, and KEDA tries it with -1 for every trigger.
        ("orders > 5 ? true : 1", true, "now true or false"),
        ("orders ?? true", true, "now true or false"),
        ("max()", false, "where a number is expected"),
        // parser/parser.go, parseSecondary: "invalid integer literal", "invalid float literal".
        ("99999999999999999999 + orders", false, "too large"),
        ("orders + 1e999", false, "too large"),
        (
            "orders > 3 and 5 ? 1 : 0",
            false,
            "and or or stands beside a number",
        ),
        ("max(orders", false, ")"),
        ("max([orders, day]", false, ")"),
        ("max([orders, day", false, "]"),
    ] {
        let error = Formula::parse(text, &NAMES).unwrap_err();
        assert_eq!(
            matches!(error, ParseError::Unknown(_)),
            unknown,
            "{text}: {error}"
        );
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
    let error = Formula::parse("my-orders + 1", &[Some("my-orders")]).unwrap_err();
    assert!(
        error.to_string().contains("the - of my-orders is a minus"),
        "{error}"
    );
    let deep = format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(Formula::parse(&deep, &NAMES).is_err());
    assert!(Formula::parse(&"-".repeat(5_000), &NAMES).is_err());
}

/// A formula is read by calls within calls, which a text from anywhere must not nest without end.
#[test]
fn a_formula_may_be_long_and_not_too_deep() {
    let nested = |levels: usize| "(".repeat(levels) + "orders" + &")".repeat(levels);
    assert!(Formula::parse(&nested(49), &NAMES).is_ok());
    for deep in [nested(50), "-".repeat(101) + "orders"] {
        let refused = Formula::parse(&deep, &NAMES);
        let told = |it: &ParseError| *it == ParseError::Unknown("more than 100 levels".to_owned());
        assert!(refused.as_ref().is_err_and(told), "{refused:?}");
    }
    let long = ["(orders)"; 200].join(" + ");
    assert_eq!(value(&long, Some(10.0), None), Ok(Some(2_000.0)));
    let choices = "orders > 1 ? (orders > 2 ? 1 : 2) : 3";
    let many = [&format!("({choices})") as &str; 200].join(" + ");
    assert_eq!(value(&many, Some(10.0), None), Ok(Some(200.0)));
}

#[test]
fn what_stands_where_a_number_should_is_told_apart() {
    for (text, unknown, part) in [
        ("$env + 1", true, "$env"),
        ("max(:, 1)", false, "has : where a number is expected"),
        ("orders in [1, 2] ? 1 : 0", true, "the operator in"),
        ("orders /* all of them */", true, "a comment"),
        ("orders + .", true, "."),
        ("orders + .x", true, "."),
    ] {
        let error = Formula::parse(text, &NAMES).unwrap_err();
        let (is_unknown, why) = match &error {
            ParseError::Unknown(why) => (true, why),
            ParseError::Wrong(why) => (false, why),
        };
        assert_eq!(is_unknown, unknown, "{text}: {why}");
        assert!(why.contains(part), "{text}: {why}");
    }
}
