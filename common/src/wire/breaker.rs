//! `CircuitBreaker` and `ErrorRule`.

use std::time::Duration;

use breakwater_proto::v1;

use super::Problems;
use crate::breaker::failure::{Class, ErrorRule, MAPPED};
use crate::breaker::{Force, Rule, Settings, Slow};

const PATH: &str = "spec.circuit_breaker";

pub(super) fn settings(message: &v1::CircuitBreaker, problems: &mut Problems) -> Settings {
    let default = Settings::default();
    let threshold = message.threshold.unwrap_or(default.threshold);
    if threshold == 0 {
        problems.add(format!("{PATH}.threshold"), "0 failures cannot open a breaker; use 1 or more");
    }
    let open_ttl = problems.duration(&format!("{PATH}.open_ttl"), &message.open_ttl, default.open_ttl);
    let default = Rule::default();
    let window = problems.duration(&format!("{PATH}.window"), &message.window, default.window);
    let min_requests = message.min_requests.unwrap_or(default.min_requests);
    let failures = failures(message, Rule { window, min_requests, ..default }, problems);
    // Calls that are streamed are fewer, and a slow provider does less harm than one that fails.
    let slow = slow(message, Rule { window: window.saturating_mul(2), min_requests, ..default }, problems);
    Settings {
        threshold,
        open_ttl,
        open_ttl_max: open_ttl_max(message, open_ttl, problems),
        failures,
        slow,
        force: force(&message.force, problems),
    }
}

/// Who writes how long it stays open is taken at the word, unless the same hand writes that it may be longer.
fn open_ttl_max(message: &v1::CircuitBreaker, open_ttl: Duration, problems: &mut Problems) -> Duration {
    let unset = if message.open_ttl.is_empty() { Settings::default().open_ttl_max } else { open_ttl };
    let path = format!("{PATH}.max_open_ttl");
    let longest = problems.duration(&path, &message.max_open_ttl, unset);
    if longest < open_ttl {
        let text = format!("\"{}\" is shorter than open_ttl; use open_ttl or longer", message.max_open_ttl);
        problems.add(path, text);
    }
    longest
}

fn failures(message: &v1::CircuitBreaker, unset: Rule, problems: &mut Problems) -> Option<Rule> {
    let share = problems.share(&format!("{PATH}.failure_ratio"), &message.failure_ratio, unset.share);
    (share > 0).then_some(Rule { share, ..unset })
}

fn slow(message: &v1::CircuitBreaker, unset: Rule, problems: &mut Problems) -> Option<Slow> {
    let share = problems.share(&format!("{PATH}.slow_ratio"), &message.slow_ratio, unset.share);
    let path = format!("{PATH}.slow_first_token");
    let first_token = problems.duration(&path, &message.slow_first_token, Duration::ZERO);
    (!first_token.is_zero()).then_some(Slow { first_token, rule: Rule { share, ..unset } })
}

fn force(word: &str, problems: &mut Problems) -> Option<Force> {
    let force = Force::parse(word);
    if force.is_none() && !word.is_empty() {
        problems.add(format!("{PATH}.force"), format!("\"{word}\" is no force; use open or closed, or none"));
    }
    force
}

pub(super) fn error_map(rules: Vec<v1::ErrorRule>, problems: &mut Problems) -> Vec<ErrorRule> {
    let rules = rules.into_iter().enumerate();
    rules.map(|(index, rule)| error_rule(&format!("spec.error_map[{index}]"), rule, problems)).collect()
}

fn error_rule(path: &str, rule: v1::ErrorRule, problems: &mut Problems) -> ErrorRule {
    let status = rule.status.map(|status| {
        u16::try_from(status).ok().filter(|status| (300..600).contains(status)).unwrap_or_else(|| {
            problems.add(
                format!("{path}.status"),
                format!("{status} is not the status of an error; use 300 to 599"),
            );
            599
        })
    });
    let class = Class::of_map(&rule.class).unwrap_or_else(|| {
        let known: Vec<_> = MAPPED.into_iter().map(|(word, _)| word).collect();
        let message = format!("\"{}\" is not a class; use one of {}", rule.class, known.join(", "));
        problems.add(format!("{path}.class"), message);
        Class::Status
    });
    let rule = ErrorRule { status, code: rule.code, kind: rule.r#type, class };
    if let Some((field, message)) = rule.violation() {
        problems.add(format!("{path}.{field}"), message);
    }
    rule
}
