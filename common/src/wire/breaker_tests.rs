//! `CircuitBreaker` and `ErrorRule` by what they promise.

use std::time::Duration;

use breakwater_proto::v1;
use prost::Message;

use super::decode_spec;
use crate::breaker::failure::Class;
use crate::breaker::{Force, Rule, Settings, Slow};
use crate::resource::{Kind, Provider, Spec};

fn decode(spec: &v1::ProviderSpec) -> Result<Provider, Vec<String>> {
    match decode_spec(Kind::Provider, &spec.encode_to_vec()) {
        Ok(Spec::Provider(provider)) => Ok(provider),
        Ok(other) => panic!("{other:?}"),
        Err(violations) => {
            Err(violations.iter().map(|v| format!("{}: {}", v.field_path, v.message)).collect())
        }
    }
}

fn breaker(message: v1::CircuitBreaker) -> Result<Settings, Vec<String>> {
    let circuit_breaker = Some(message);
    let spec = v1::ProviderSpec { r#type: "openai".into(), circuit_breaker, ..Default::default() };
    decode(&spec).map(|provider| provider.breaker)
}

fn rule(rule: v1::ErrorRule) -> Result<Class, Vec<String>> {
    let spec = v1::ProviderSpec { r#type: "openai".into(), error_map: vec![rule], ..Default::default() };
    decode(&spec).map(|provider| provider.error_map[0].class)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn what_is_written_as_in_the_guide_is_exact_and_what_is_not_written_grows() {
    let unset = breaker(v1::CircuitBreaker::default()).unwrap();
    assert_eq!((unset.threshold, unset.open_ttl, unset.open_ttl_max), (5, seconds(60), seconds(300)));
    assert_eq!((unset, unset.slow, unset.force), (Settings::default(), None, None));
    let open_ttl = || "60s".to_owned();
    let guide = v1::CircuitBreaker { threshold: Some(5), open_ttl: open_ttl(), ..Default::default() };
    let guide = breaker(guide).unwrap();
    assert_eq!((guide.threshold, guide.open_ttl, guide.open_ttl_max), (5, seconds(60), seconds(60)));
    let longer = v1::CircuitBreaker { open_ttl: open_ttl(), max_open_ttl: "5m".into(), ..Default::default() };
    assert_eq!(breaker(longer).unwrap().open_ttl_max, seconds(300));
}

#[test]
fn every_setting_of_a_breaker_arrives() {
    let message = v1::CircuitBreaker {
        threshold: Some(7),
        open_ttl: "2s".into(),
        max_open_ttl: "3s".into(),
        failure_ratio: "12.5%".into(),
        min_requests: Some(9),
        window: "10s".into(),
        slow_first_token: "1500ms".into(),
        slow_ratio: "80%".into(),
        force: "closed".into(),
    };
    let rule = Rule { share: 1_250, min_requests: 9, window: seconds(10) };
    let expect = Settings {
        threshold: 7,
        open_ttl: seconds(2),
        open_ttl_max: seconds(3),
        failures: Some(rule),
        slow: Some(Slow {
            first_token: Duration::from_millis(1_500),
            rule: Rule { share: 8_000, window: seconds(20), ..rule },
        }),
        force: Some(Force::Closed),
    };
    assert_eq!(breaker(message), Ok(expect));
    let off = v1::CircuitBreaker { failure_ratio: "0%".into(), ..Default::default() };
    assert_eq!(breaker(off).unwrap().failures, None);
    let least = v1::CircuitBreaker { failure_ratio: "0.001%".into(), ..Default::default() };
    assert_eq!(breaker(least).unwrap().failures.map(|rule| rule.share), Some(1));
}

#[test]
fn settings_that_mean_nothing_are_refused_by_name() {
    let refused = breaker(v1::CircuitBreaker {
        open_ttl: "60s".into(),
        max_open_ttl: "59s".into(),
        failure_ratio: "101%".into(),
        window: "soon".into(),
        slow_ratio: "half".into(),
        force: "ajar".into(),
        ..Default::default()
    });
    let paths = ["window", "failure_ratio", "slow_ratio", "max_open_ttl", "force"];
    let refused = refused.unwrap_err();
    assert_eq!(refused.len(), paths.len(), "{refused:?}");
    for (violation, path) in refused.iter().zip(paths) {
        assert!(violation.starts_with(&format!("spec.circuit_breaker.{path}: ")), "{violation}");
    }
    assert!(refused[3].contains("use open_ttl or longer"), "{refused:?}");
}

#[test]
fn a_map_never_makes_a_failing_provider_the_callers_fault() {
    let line = |status: Option<u32>, code: &str, class: &str| {
        rule(v1::ErrorRule { status, code: code.into(), class: class.into(), ..Default::default() })
    };
    for class in ["rejected", "context_length", "content_filter"] {
        for status in [None, Some(399), Some(500), Some(503), Some(529)] {
            let refused = line(status, "x", class).unwrap_err();
            assert!(refused[0].starts_with("spec.error_map[0].class: "), "{status:?} {class}: {refused:?}");
        }
        assert!(line(Some(400), "", class).is_ok(), "{class}");
        assert!(line(Some(499), "x", class).is_ok(), "{class}");
    }
    assert_eq!(line(Some(503), "", "rate_limited"), Ok(Class::RateLimited));
    assert_eq!(line(None, "overloaded", "failure"), Ok(Class::Status));
}

#[test]
fn a_line_of_the_map_that_means_nothing_is_refused_by_name() {
    let check = |rule_: v1::ErrorRule, expect: &str| {
        let refused = rule(rule_).unwrap_err();
        assert!(refused.iter().any(|violation| violation.starts_with(expect)), "{expect}: {refused:?}");
    };
    let class = || "failure".to_owned();
    check(
        v1::ErrorRule { class: class(), ..Default::default() },
        "spec.error_map[0].status: the rule fits every",
    );
    check(
        v1::ErrorRule { status: Some(200), class: class(), ..Default::default() },
        "spec.error_map[0].status: 200 is not",
    );
    check(
        v1::ErrorRule { status: Some(418), class: "tea".into(), ..Default::default() },
        "spec.error_map[0].class: \"tea\" is not a class; use one of failure, ",
    );
}
