//! Conditions, ready to be tested against a call. Admission and proxy compile them with the same code, so that what was
//! admitted cannot fail later.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use regex::{Regex, RegexBuilder};

use super::{Condition, ConditionValue, Operator};
use crate::limits::{CONDITION_REGEX_BYTES_MAX, CONDITION_REGEX_COMPILED_BYTES_MAX};
use crate::violation::Violation;

/// What conditions see of a call.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Attributes of the caller's key: `user.NAME`.
    pub attributes: &'a BTreeMap<String, String>,
    /// Name of the tenant: `tenant.name`.
    pub tenant: &'a str,
    /// What the caller put in `model`: `request.model`.
    pub model: &'a str,
    /// The caller wants a stream: `request.stream`, as `true` or `false`.
    pub stream: bool,
}

/// One condition, ready.
#[derive(Debug, Clone)]
pub struct CompiledCondition {
    field: Field,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    User(String),
    Model,
    Stream,
    Tenant,
}

#[derive(Debug, Clone)]
enum Test {
    Equals { text: String, wanted: bool },
    OneOf { texts: BTreeSet<String>, wanted: bool },
    Prefix(String),
    Suffix(String),
    Regex(Regex),
    Exists { wanted: bool },
    Greater(f64),
    Less(f64),
}

impl CompiledCondition {
    /// Compiles a condition that stands at `path`.
    ///
    /// # Errors
    /// An unknown field, a value of a sort that the operator cannot use, a regular expression that is wrong or too big.
    pub fn compile(condition: &Condition, path: &str) -> Result<Self, Violation> {
        let field = Field::parse(&condition.field)
            .ok_or_else(|| Violation::at(format!("{path}.field"), unknown_field(&condition.field)))?;
        let test =
            Test::compile(condition).map_err(|message| Violation::at(format!("{path}.value"), message))?;
        Ok(Self { field, test })
    }

    /// Tests a call. A field that is not there fails every test but `ne`, `not_in` and `exists: false`.
    #[must_use]
    pub fn holds(&self, facts: &Facts<'_>) -> bool {
        self.test.holds(self.field.of(facts))
    }
}

impl Field {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "request.model" => Some(Self::Model),
            "request.stream" => Some(Self::Stream),
            "tenant.name" => Some(Self::Tenant),
            _ => {
                let name = text.strip_prefix("user.").filter(|name| !name.is_empty())?;
                Some(Self::User(name.to_owned()))
            }
        }
    }

    fn of<'a>(&self, facts: &Facts<'a>) -> Option<&'a str> {
        match self {
            Self::User(name) => facts.attributes.get(name).map(String::as_str),
            Self::Model => Some(facts.model),
            Self::Stream => Some(if facts.stream { "true" } else { "false" }),
            Self::Tenant => Some(facts.tenant),
        }
    }
}

impl Test {
    fn compile(condition: &Condition) -> Result<Self, String> {
        let value = &condition.value;
        match condition.operator {
            Operator::Eq => Ok(Self::Equals { text: scalar(value)?.into_owned(), wanted: true }),
            Operator::Ne => Ok(Self::Equals { text: scalar(value)?.into_owned(), wanted: false }),
            Operator::In => Ok(Self::OneOf { texts: list(value)?, wanted: true }),
            Operator::NotIn => Ok(Self::OneOf { texts: list(value)?, wanted: false }),
            Operator::Prefix => Ok(Self::Prefix(scalar(value)?.into_owned())),
            Operator::Suffix => Ok(Self::Suffix(scalar(value)?.into_owned())),
            Operator::Regex => regex(&scalar(value)?).map(Self::Regex),
            Operator::Exists => match value {
                ConditionValue::None | ConditionValue::Bool(true) => Ok(Self::Exists { wanted: true }),
                ConditionValue::Bool(false) => Ok(Self::Exists { wanted: false }),
                ConditionValue::Text(_) | ConditionValue::Number(_) | ConditionValue::List(_) => {
                    Err("exists takes true, false or no value".to_owned())
                }
            },
            Operator::Gt => number(value).map(Self::Greater),
            Operator::Lt => number(value).map(Self::Less),
        }
    }

    fn holds(&self, field: Option<&str>) -> bool {
        match self {
            Self::Equals { text, wanted } => field.is_some_and(|field| field == text) == *wanted,
            Self::OneOf { texts, wanted } => field.is_some_and(|field| texts.contains(field)) == *wanted,
            Self::Prefix(text) => field.is_some_and(|field| field.starts_with(text)),
            Self::Suffix(text) => field.is_some_and(|field| field.ends_with(text)),
            Self::Regex(regex) => field.is_some_and(|field| regex.is_match(field)),
            Self::Exists { wanted } => field.is_some() == *wanted,
            Self::Greater(bound) => numeric(field).is_some_and(|number| number > *bound),
            Self::Less(bound) => numeric(field).is_some_and(|number| number < *bound),
        }
    }
}

fn unknown_field(field: &str) -> String {
    format!(
        "\"{field}\" is not a field of a call; use user.NAME (an attribute of the key), request.model, \
         request.stream or tenant.name"
    )
}

/// Numbers and booleans compare as their text.
fn scalar(value: &ConditionValue) -> Result<Cow<'_, str>, String> {
    match value {
        ConditionValue::Text(text) => Ok(Cow::Borrowed(text)),
        ConditionValue::Number(number) => Ok(Cow::Owned(number.to_string())),
        ConditionValue::Bool(flag) => Ok(Cow::Owned(flag.to_string())),
        ConditionValue::List(_) => {
            Err("this operator takes one value; use in or not_in for a list".to_owned())
        }
        ConditionValue::None => Err("this operator needs a value".to_owned()),
    }
}

fn list(value: &ConditionValue) -> Result<BTreeSet<String>, String> {
    match value {
        ConditionValue::List(texts) if !texts.is_empty() => Ok(texts.iter().cloned().collect()),
        ConditionValue::List(_)
        | ConditionValue::Text(_)
        | ConditionValue::Number(_)
        | ConditionValue::Bool(_)
        | ConditionValue::None => {
            Err("in and not_in take a list of one or more texts, like [legal, hr]".to_owned())
        }
    }
}

fn number(value: &ConditionValue) -> Result<f64, String> {
    match value {
        ConditionValue::Number(number) if number.is_finite() => Ok(*number),
        ConditionValue::Number(_)
        | ConditionValue::Text(_)
        | ConditionValue::Bool(_)
        | ConditionValue::List(_)
        | ConditionValue::None => Err("gt and lt take a number, without quotes".to_owned()),
    }
}

fn numeric(field: Option<&str>) -> Option<f64> {
    field.and_then(|text| text.parse().ok()).filter(|number: &f64| number.is_finite())
}

fn regex(text: &str) -> Result<Regex, String> {
    if text.len() > CONDITION_REGEX_BYTES_MAX {
        let length = text.len();
        return Err(format!(
            "the regular expression has {length} bytes; at most {CONDITION_REGEX_BYTES_MAX} are allowed"
        ));
    }
    RegexBuilder::new(text)
        .size_limit(CONDITION_REGEX_COMPILED_BYTES_MAX)
        .dfa_size_limit(CONDITION_REGEX_COMPILED_BYTES_MAX)
        .build()
        .map_err(|error| {
            if matches!(error, regex::Error::CompiledTooBig(_)) {
                return "the regular expression takes too much memory; use smaller repetitions and classes"
                    .to_owned();
            }
            // The parser's message draws the place over several lines; its last one says what is wrong.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            format!("the regular expression does not compile: {reason}")
        })
}

#[cfg(test)]
#[path = "condition_tests.rs"]
mod tests;
