//! What each message means, and what is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use breakwater_proto::v1;
use breakwater_proto::v1::guardrail::Check;
use prost::Message;

use super::*;
use crate::breaker;
use crate::resource::{Action, GuardrailCheck, Mode, PiiEntity, Policy, Provider, ProviderType, Timeouts};
use crate::time::UnixMillis;

/// Decodes and returns `field path: message` of each violation.
fn refusals(kind: Kind, message: &impl Message) -> Vec<String> {
    let violations = decode_spec(kind, &message.encode_to_vec()).err().unwrap_or_default();
    violations.iter().map(ToString::to_string).collect()
}

pub(super) fn check_refused(kind: Kind, message: &impl Message, starts: &[&str]) {
    let found = refusals(kind, message);
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found:?} does not start with {start:?}");
    }
}

fn provider(message: &v1::ProviderSpec) -> Provider {
    match decode_spec(Kind::Provider, &message.encode_to_vec()) {
        Ok(Spec::Provider(provider)) => provider,
        other => panic!("{other:?}"),
    }
}

fn policy(guardrails: Vec<v1::Guardrail>) -> Policy {
    let message = v1::PolicySpec { guardrails, ..Default::default() };
    match decode_spec(Kind::Policy, &message.encode_to_vec()) {
        Ok(Spec::Policy(policy)) => policy,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_provider_gets_the_defaults_that_its_proto_promises() {
    let decoded = provider(&v1::ProviderSpec {
        r#type: "openai".into(),
        base_url: "http://127.0.0.1:1/v1/".into(),
        ..Default::default()
    });
    assert_eq!(
        (decoded.provider_type, decoded.base_url.as_str()),
        (ProviderType::OpenAi, "http://127.0.0.1:1/v1")
    );
    assert_eq!((decoded.breaker, decoded.timeouts), (breaker::Settings::default(), Timeouts::default()));
}

#[test]
fn a_provider_s_quantities_become_numbers() {
    let decoded = provider(&v1::ProviderSpec {
        r#type: "azure_openai".into(),
        circuit_breaker: Some(v1::CircuitBreaker {
            threshold: Some(3),
            open_ttl: "1.5m".into(),
            ..Default::default()
        }),
        timeouts: Some(v1::Timeouts { connect: "250ms".into(), idle: "2m".into(), ..Default::default() }),
        ..Default::default()
    });
    let millis = Duration::from_millis;
    let failures = Some(breaker::Rule::default());
    assert_eq!(
        decoded.breaker,
        breaker::Settings { failures, ..breaker::Settings::exact(3, millis(90_000)) }
    );
    let timeouts = Timeouts {
        connect: millis(250),
        first_token: millis(30_000),
        idle: millis(120_000),
        response: millis(300_000),
    };
    assert_eq!(decoded.timeouts, timeouts);
}

#[test]
fn all_that_is_wrong_in_a_provider_is_said_at_once() {
    let model = |name: &str| v1::Model { name: name.into(), ..Default::default() };
    let message = v1::ProviderSpec {
        r#type: "open_ai".into(),
        circuit_breaker: Some(v1::CircuitBreaker {
            threshold: Some(0),
            open_ttl: "60".into(),
            ..Default::default()
        }),
        timeouts: Some(v1::Timeouts { idle: "15%".into(), ..Default::default() }),
        models: vec![model("a"), model("b"), model("a")],
        ..Default::default()
    };
    check_refused(
        Kind::Provider,
        &message,
        &[
            "spec.models[2].name: \"a\" stands in this list twice",
            "spec.type: \"open_ai\" is not a provider type; use one of openai, ",
            "spec.circuit_breaker.threshold: ",
            "spec.circuit_breaker.open_ttl: \"60\" is not a length of time",
            "spec.timeouts.idle: \"15%\" is not a length of time",
        ],
    );
}

#[test]
fn a_guardrail_blocks_on_both_sides_and_looks_for_all_unless_told() {
    let decoded = policy(vec![v1::Guardrail {
        name: "pii".into(),
        check: Some(Check::PiiDetection(v1::PiiDetection::default())),
        ..Default::default()
    }]);
    assert_eq!(decoded.mode, Mode::Enforce);
    let [guardrail] = decoded.guardrails.as_slice() else { panic!("{decoded:?}") };
    assert_eq!(guardrail.check, GuardrailCheck::Pii(PiiEntity::ALL.to_vec()));
    assert_eq!((guardrail.sides.input, guardrail.sides.output), (true, true));
    assert_eq!((guardrail.action, guardrail.fail_open), (Action::Block, false));
}

#[test]
fn guardrails_that_nothing_evaluates_yet_stay_in_the_stored_body() {
    let decoded = policy(vec![
        v1::Guardrail {
            name: "limits".into(),
            check: Some(Check::TokenLimits(v1::TokenLimits::default())),
            ..Default::default()
        },
        v1::Guardrail {
            name: "secrets".into(),
            check: Some(Check::SecretsDetection(v1::SecretsDetection {})),
            applies_to: vec!["output".into()],
            action: "warn".into(),
            fail_open: true,
        },
    ]);
    let [guardrail] = decoded.guardrails.as_slice() else { panic!("{decoded:?}") };
    assert_eq!((guardrail.name.as_str(), &guardrail.check), ("secrets", &GuardrailCheck::Secrets));
    assert_eq!((guardrail.sides.input, guardrail.sides.output), (false, true));
    assert_eq!((guardrail.action, guardrail.fail_open), (Action::Warn, true));
}

#[test]
fn words_that_mean_nothing_in_a_policy_are_refused() {
    let pii = v1::PiiDetection { entities: vec!["email".into(), "e-mail".into()] };
    let message = v1::PolicySpec {
        mode: "dry".into(),
        guardrails: vec![
            v1::Guardrail {
                name: "a".into(),
                check: Some(Check::PiiDetection(pii)),
                applies_to: vec!["both".into()],
                action: "deny".into(),
                fail_open: false,
            },
            v1::Guardrail { name: "a".into(), ..Default::default() },
        ],
        ..Default::default()
    };
    check_refused(
        Kind::Policy,
        &message,
        &[
            "spec.guardrails[1].name: ",
            "spec.guardrails[0].applies_to[0]: \"both\" is not a side",
            "spec.guardrails[0].action: \"deny\" is not an action",
            "spec.guardrails[0].pii_detection.entities[1]: \"e-mail\"",
            "spec.guardrails[1]: it says no check",
            "spec.mode: \"dry\"",
        ],
    );
}

#[test]
fn a_delivery_workflow_names_its_own_targets() {
    let target = |name: &str| v1::DeliveryTarget { name: name.into(), ..Default::default() };
    let message = v1::DeliveryWorkflowSpec {
        routes: vec![v1::DeliveryRoute {
            targets: vec!["chat".into(), "pagre".into()],
            ..Default::default()
        }],
        targets: vec![target("chat"), target("pager"), target("chat")],
    };
    check_refused(
        Kind::DeliveryWorkflow,
        &message,
        &[
            "spec.targets[2].name: ",
            "spec.routes[0].targets[1]: this workflow has no target \"pagre\"; its targets are: chat, pager",
        ],
    );
}

#[test]
fn bytes_that_are_no_message_are_refused_for_every_kind() {
    for kind in Kind::ALL {
        let violations = decode_spec(kind, &[0xff, 0xff, 0xff]).unwrap_err();
        assert_eq!(violations[0].field_path, "spec", "{kind:?}");
        assert!(decode_spec(kind, &[]).is_ok() || kind == Kind::Provider, "{kind:?}");
    }
}

#[test]
fn violations_are_bounded() {
    let model = v1::Model { name: "same".into(), ..Default::default() };
    let message =
        v1::ProviderSpec { r#type: "ollama".into(), models: vec![model; 500], ..Default::default() };
    assert_eq!(refusals(Kind::Provider, &message).len(), crate::limits::VIOLATIONS_MAX);
}

#[test]
fn a_key_s_grant_comes_back_as_it_was() {
    let attributes: BTreeMap<_, _> = [("department".to_owned(), "legal".to_owned())].into();
    for expire in [None, Some(UnixMillis(7))] {
        let grant =
            KeyGrant { sha256: [7; 32], tenant: "acme".into(), attributes: attributes.clone(), expire };
        assert_eq!(decode_key_grant(&encode_key_grant(&grant)), Ok(grant));
    }
    let short = v1::KeyGrant { sha256: vec![1; 31], ..Default::default() }.encode_to_vec();
    assert_eq!(decode_key_grant(&short).unwrap_err()[0].field_path, "sha256");
}
