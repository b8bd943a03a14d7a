//! Each operator on fields that pass, fail and are not there; each condition that cannot be tested.

use ConditionValue as Value;
use Operator::{Eq, Exists, Gt, In, Lt, Ne, NotIn, Prefix, Regex as Matches, Suffix};

use super::*;

fn condition(field: &str, operator: Operator, value: Value) -> Condition {
    Condition { field: field.into(), operator, value }
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

fn texts(values: &[&str]) -> Value {
    Value::List(values.iter().map(|&value| value.to_owned()).collect())
}

/// Tests `user.a` against the value with that attribute; none: the key has no such attribute.
fn holds(operator: Operator, value: Value, attribute: Option<&str>) -> bool {
    let attributes = attribute.map(|text| ("a".to_owned(), text.to_owned())).into_iter().collect();
    let facts = Facts { attributes: &attributes, tenant: "acme", model: "chat", stream: true };
    CompiledCondition::compile(&condition("user.a", operator, value), "c").unwrap().holds(&facts)
}

#[test]
fn each_operator_on_fields_that_pass_and_fail() {
    let check = |operator, value: Value, passes: &str, fails: &str| {
        assert!(holds(operator, value.clone(), Some(passes)), "{operator:?} {value:?} {passes:?}");
        assert!(!holds(operator, value.clone(), Some(fails)), "{operator:?} {value:?} {fails:?}");
    };
    check(Eq, text("legal"), "legal", "Legal");
    check(Eq, Value::Number(3.0), "3", "3.0");
    check(Eq, Value::Number(0.5), "0.5", "0.50");
    check(Eq, Value::Bool(true), "true", "1");
    check(Eq, text(""), "", " ");
    check(Ne, text("legal"), "hr", "legal");
    check(In, texts(&["hr", "legal"]), "hr", "h");
    check(NotIn, texts(&["hr", "legal"]), "h", "legal");
    check(Prefix, text("eu-"), "eu-west", "xeu-west");
    check(Suffix, text("-west"), "eu-west", "eu-west1");
    check(Matches, text("^a+$"), "aaa", "aab");
    check(Matches, text("b"), "abc", "ac");
    check(Gt, Value::Number(10.0), "10.5", "10");
    check(Lt, Value::Number(10.0), "-3", "10");
    check(Gt, Value::Number(1.0), "2", "many");
    check(Lt, Value::Number(1.0), "0", "NaN");
    check(Gt, Value::Number(1.0), "2", "inf");
}

#[test]
fn a_field_that_is_not_there_fails_every_test_but_ne_not_in_and_exists_false() {
    let check = |operator, value, expect| assert_eq!(holds(operator, value, None), expect, "{operator:?}");
    check(Eq, text(""), false);
    check(Ne, text(""), true);
    check(In, texts(&[""]), false);
    check(NotIn, texts(&[""]), true);
    check(Prefix, text(""), false);
    check(Suffix, text(""), false);
    check(Matches, text(""), false);
    check(Exists, Value::None, false);
    check(Exists, Value::Bool(true), false);
    check(Exists, Value::Bool(false), true);
    check(Gt, Value::Number(-1.0), false);
    check(Lt, Value::Number(1.0), false);
}

#[test]
fn each_field_is_read_from_its_place() {
    let attributes = [("a".to_owned(), "x".to_owned()), ("b.c".to_owned(), "y".to_owned())].into();
    let facts = Facts { attributes: &attributes, tenant: "acme", model: "chat", stream: true };
    for (field, value) in [
        ("user.a", "x"),
        ("user.b.c", "y"),
        ("tenant.name", "acme"),
        ("request.model", "chat"),
        ("request.stream", "true"),
    ] {
        let compiled = CompiledCondition::compile(&condition(field, Eq, text(value)), "c").unwrap();
        assert!(compiled.holds(&facts), "{field}");
    }
}

#[test]
fn what_cannot_be_tested_is_refused_by_its_field() {
    let check = |field: &str, operator, value: Value, path: &str, start: &str| {
        let violation = CompiledCondition::compile(&condition(field, operator, value), "c").unwrap_err();
        assert_eq!(violation.field_path, path);
        assert!(violation.message.starts_with(start), "{}", violation.message);
        assert!(!violation.message.contains('\n'), "{}", violation.message);
    };
    for field in ["department", "user.", "user", "request.modle", "tenant", ""] {
        check(
            field,
            Eq,
            text("x"),
            "c.field",
            &format!("\"{field}\" is not a field of a call; use user.NAME"),
        );
    }
    check("user.a", Eq, texts(&["x"]), "c.value", "this operator takes one value");
    check("user.a", Prefix, Value::None, "c.value", "this operator needs a value");
    check("user.a", In, text("x"), "c.value", "in and not_in take a list");
    check("user.a", NotIn, texts(&[]), "c.value", "in and not_in take a list");
    check("user.a", Exists, text("yes"), "c.value", "exists takes true, false or no value");
    check("user.a", Gt, text("3"), "c.value", "gt and lt take a number");
    check("user.a", Lt, Value::Number(f64::INFINITY), "c.value", "gt and lt take a number");
    check(
        "user.a",
        Matches,
        text("a("),
        "c.value",
        "the regular expression does not compile: unclosed group",
    );
    let long = "a".repeat(CONDITION_REGEX_BYTES_MAX + 1);
    check("user.a", Matches, text(&long), "c.value", "the regular expression has 513 bytes");
    check(
        "user.a",
        Matches,
        text(r"(\w{100}){100}"),
        "c.value",
        "the regular expression takes too much memory",
    );
}
