//! The table of failures, and which credentials are left alone.

use std::time::Duration;

use breakwater_common::breaker::cooldown::{Cooldowns, Until};
use breakwater_common::breaker::failure::{Class, Cooldown, ErrorRule, Next, Said, Topic, classify};
use breakwater_common::breaker::{Draw, Outcome};
use breakwater_common::limits::{COOLED_MODELS_MAX, CREDENTIAL_DOWN_MS};
use breakwater_common::time::MonoMillis;

const CHANCE: Draw = Draw(0);

fn said(status: u16, topic: Topic) -> Said<'static> {
    Said { status, code: "", kind: "", topic, stored: false }
}

/// The rows of fleet.md §2.2 that an answer can show.
#[test]
fn every_status_has_its_row() {
    use Topic::{ContentFilter, ContextLength, Other, Quota};
    let check = |status, topic, class: Class, outcome, cooldown, next| {
        let found = classify(&said(status, topic), &[]);
        assert_eq!(found, class, "{status} {topic:?}");
        let effect = found.effect();
        assert_eq!((effect.outcome, effect.cooldown, effect.next), (outcome, cooldown, next), "{found:?}");
    };
    for topic in [Other, Quota, ContextLength, ContentFilter] {
        for status in [408, 500, 502, 503, 504, 529, 599] {
            check(status, topic, Class::Status, Outcome::Failure, Cooldown::OpenAtLeast, Next::Candidate);
        }
    }
    let neutral = Outcome::Neutral;
    check(429, Other, Class::RateLimited, neutral, Cooldown::Model, Next::Credential);
    check(429, ContextLength, Class::RateLimited, neutral, Cooldown::Model, Next::Credential);
    for (status, topic) in [(402, Other), (402, Quota), (403, Quota), (429, Quota)] {
        check(status, topic, Class::QuotaExhausted, neutral, Cooldown::Credential, Next::Credential);
    }
    for status in [401, 403] {
        check(status, Other, Class::CredentialRefused, neutral, Cooldown::Credential, Next::Credential);
    }
    check(400, Quota, Class::QuotaDoubtful, neutral, Cooldown::None, Next::Credential);
    check(404, Other, Class::ModelRefused, neutral, Cooldown::None, Next::Candidate);
    for (status, topic) in [(400, Other), (413, Other), (422, Other), (422, ContextLength)] {
        check(status, topic, Class::Rejected, neutral, Cooldown::None, Next::Stop);
    }
    for status in [400, 413] {
        check(status, ContextLength, Class::ContextLength, neutral, Cooldown::None, Next::Stop);
    }
    for status in [400, 403, 422] {
        check(status, ContentFilter, Class::ContentFilter, neutral, Cooldown::None, Next::Stop);
    }
    for status in [201, 302, 307, 600] {
        check(status, Other, Class::UnexpectedStatus, Outcome::Failure, Cooldown::None, Next::Candidate);
    }
}

#[test]
fn what_a_provider_keeps_refuses_for_itself_and_not_for_the_credential() {
    for status in [403, 404] {
        let stored = Said { stored: true, ..said(status, Topic::Other) };
        assert_eq!(classify(&stored, &[]), Class::Rejected);
    }
    assert_eq!(classify(&Said { stored: true, ..said(401, Topic::Other) }, &[]), Class::CredentialRefused);
}

#[test]
fn the_first_line_of_the_map_that_fits_counts() {
    let rule = |status, code: &str, kind: &str, class| ErrorRule {
        status,
        code: code.to_owned(),
        kind: kind.to_owned(),
        class,
    };
    let map = [
        rule(Some(503), "throttled", "", Class::RateLimited),
        rule(None, "", "overloaded_error", Class::Status),
        rule(Some(400), "", "", Class::ModelRefused),
    ];
    let check = |status, code, kind, class| {
        let said = Said { code, kind, ..said(status, Topic::Other) };
        assert_eq!(classify(&said, &map), class, "{status} {code} {kind}");
    };
    check(503, "throttled", "x", Class::RateLimited);
    check(503, "", "", Class::Status);
    check(500, "throttled", "", Class::Status);
    check(400, "throttled", "overloaded_error", Class::Status);
    check(400, "x", "y", Class::ModelRefused);
    check(401, "x", "y", Class::CredentialRefused);
}

fn of(cooldowns: &Cooldowns, now: u64, credential: &str, model: &str) -> Option<(u64, Class)> {
    cooldowns.of(MonoMillis(now), credential, model).map(|Until { end, class }| (end.0, class))
}

#[test]
fn a_rate_limit_is_of_one_credential_with_one_model() {
    let mut cooldowns = Cooldowns::default();
    let mut limited = |now, asked: Option<u64>| {
        let asked = asked.map(Duration::from_secs);
        cooldowns.note(MonoMillis(now), CHANCE, ("a", "m"), Class::RateLimited, asked);
        of(&cooldowns, now, "a", "m")
    };
    let class = Class::RateLimited;
    assert_eq!(limited(0, None), Some((1_000, class)));
    assert_eq!(limited(0, Some(7)), Some((7_000, class)));
    assert_eq!(limited(0, Some(2)), Some((7_000, class)), "what was asked for before holds on");
    assert_eq!(limited(7_000, Some(0)), Some((8_000, class)));
    assert_eq!(limited(8_000, Some(86_400)), Some((308_000, class)));
    assert_eq!(of(&cooldowns, 308_000, "a", "m"), None);
    for (credential, model) in [("a", "n"), ("b", "m")] {
        assert_eq!(of(&cooldowns, 8_000, credential, model), None);
    }
}

#[test]
fn chance_spreads_the_end_of_a_rate_limit() {
    let mut cooldowns = Cooldowns::default();
    let asked = Some(Duration::from_secs(10));
    let length = cooldowns.note(MonoMillis(0), Draw(u16::MAX), ("a", "m"), Class::RateLimited, asked);
    assert_eq!(length, Some(Duration::from_secs(12)));
}

#[test]
fn a_refused_credential_is_down_for_every_model_until_it_is_another() {
    for class in [Class::CredentialRefused, Class::QuotaExhausted] {
        let mut cooldowns = Cooldowns::default();
        let asked = Some(Duration::from_secs(1));
        cooldowns.note(MonoMillis(5), CHANCE, ("a", "m"), class, asked);
        assert_eq!(of(&cooldowns, 6, "a", "n"), Some((5 + CREDENTIAL_DOWN_MS, class)));
        assert_eq!(of(&cooldowns, 6, "b", "m"), None);
        assert_eq!(of(&cooldowns, 5 + CREDENTIAL_DOWN_MS, "a", "m"), None);
        let standings = cooldowns.standings(MonoMillis(6));
        assert_eq!((standings.len(), standings[0].model.as_str()), (1, ""));
        cooldowns.forget("a");
        assert_eq!(of(&cooldowns, 6, "a", "m"), None);
    }
}

#[test]
fn what_says_nothing_about_a_credential_cools_none() {
    use Class::{BreakerOpen, Connect, ModelRefused, QuotaDoubtful, Rejected, Status};
    let mut cooldowns = Cooldowns::default();
    for class in [BreakerOpen, Connect, ModelRefused, QuotaDoubtful, Rejected, Status] {
        assert_eq!(cooldowns.note(MonoMillis(0), CHANCE, ("a", "m"), class, None), None, "{class:?}");
    }
    assert!(cooldowns.standings(MonoMillis(0)).is_empty());
}

#[test]
fn memory_is_bounded_and_keeps_what_lasts_longest() {
    let mut cooldowns = Cooldowns::default();
    for index in 0..=COOLED_MODELS_MAX {
        let asked = Some(Duration::from_secs(10 + u64::try_from(index).unwrap() % 100));
        cooldowns.note(MonoMillis(0), CHANCE, ("a", &format!("m{index}")), Class::RateLimited, asked);
    }
    assert_eq!(cooldowns.standings(MonoMillis(0)).len(), COOLED_MODELS_MAX);
    assert_eq!(of(&cooldowns, 0, "a", "m0"), None, "it would have ended first");
    assert!(of(&cooldowns, 0, "a", "m99").is_some());
}
