//! The published example parses whole, and says what it says.

use std::path::PathBuf;

use breakwater_common::manifest::{
    Document, expand_variables, json_to_yaml, map_secrets, not_yet_enforced, references, resource_to_json,
    spec_descriptor,
};
use breakwater_common::resource::Kind;
use breakwater_common::time::UnixMillis;
use breakwater_proto::v1;
use prost::Message;

use super::parse;

/// Text of the example, with the defaults of its variables. It stands beside the repository, or where
/// `BREAKWATER_SHARED` says.
fn quickstart() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test may read files and the environment; the library may not"
    )]
    let text = {
        let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
        let shared = std::env::var("BREAKWATER_SHARED").map_or_else(|_| beside(), PathBuf::from);
        let path = shared.join("contract/quickstart.yaml");
        std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; set BREAKWATER_SHARED to the directory that holds contract/", path.display())
        })
    };
    expand_variables(&text, &|_| None).unwrap()
}

fn find<'a>(documents: &'a [Document], kind: Kind, name: &str) -> &'a Document {
    documents.iter().find(|document| document.kind == kind && document.name == name).unwrap()
}

#[test]
fn every_document_parses() {
    let documents = parse(&quickstart());
    let titles: Vec<String> =
        documents.iter().map(|document| format!("{}/{}", document.kind.as_str(), document.name)).collect();
    let expect = [
        "Provider/openai",
        "Provider/anthropic",
        "Provider/azure",
        "Endpoint/primary-chat",
        "Endpoint/backup-chat",
        "Policy/production",
        "Route/prod-chat",
        "Route/embed",
        "Provider/kumo",
        "Route/jp-chat",
        "Tenant/acme",
        "Playbook/correlated-incidents",
        "DeliveryWorkflow/on-call",
        "Slo/prod-chat-availability",
    ];
    assert_eq!(titles, expect);
    assert!(documents.iter().zip(1..).all(|(document, number)| document.number == number));
}

#[test]
fn values_and_lines_are_those_of_the_file() {
    let text = quickstart();
    let documents = parse(&text);
    let openai = find(&documents, Kind::Provider, "openai");
    let spec = v1::ProviderSpec::decode(openai.spec.as_slice()).unwrap();
    assert_eq!(spec.base_url, "http://127.0.0.1:19001/v1");
    assert_eq!(spec.credentials[0].api_key, "sk-dev");
    assert_eq!(spec.circuit_breaker.unwrap().open_ttl, "60s");
    assert_eq!(spec.models[0].price.unwrap().cached_input, Some(1.25));
    assert_eq!(spec.models[2].name, "text-embedding-3-small");
    let azure = v1::ProviderSpec::decode(find(&documents, Kind::Provider, "azure").spec.as_slice()).unwrap();
    assert_eq!(azure.api_version, "2024-10-21");

    let line_of =
        |part: &str| u32::try_from(text.lines().position(|line| line.contains(part)).unwrap() + 1).unwrap();
    assert_eq!(openai.lines.line("spec.circuit_breaker.threshold"), Some(line_of("circuit_breaker:")));
    assert_eq!(openai.lines.line("spec.models[1].price.input"), Some(line_of("gpt-4o-mini")));
    assert_eq!(openai.lines.line("spec.models[1].nothing"), Some(line_of("gpt-4o-mini")));
    assert_eq!(openai.lines.line("name"), Some(line_of("name: openai")));

    let route = v1::RouteSpec::decode(find(&documents, Kind::Route, "prod-chat").spec.as_slice()).unwrap();
    assert_eq!(route.endpoint.unwrap().name, "primary-chat");
    assert_eq!(route.fallback_endpoints[0].name, "backup-chat");
    let value = route.rules[0].conditions[0].value.clone().unwrap().kind.unwrap();
    assert_eq!(value, prost_types::value::Kind::StringValue("legal".to_owned()));
}

#[test]
fn the_encoding_is_that_of_the_typed_messages() {
    for document in parse(&quickstart()) {
        let spec = document.spec.as_slice();
        let typed = match document.kind {
            Kind::Provider => v1::ProviderSpec::decode(spec).unwrap().encode_to_vec(),
            Kind::Endpoint => v1::EndpointSpec::decode(spec).unwrap().encode_to_vec(),
            Kind::Policy => v1::PolicySpec::decode(spec).unwrap().encode_to_vec(),
            Kind::Route => v1::RouteSpec::decode(spec).unwrap().encode_to_vec(),
            Kind::Tenant => v1::TenantSpec::decode(spec).unwrap().encode_to_vec(),
            Kind::Playbook => v1::PlaybookSpec::decode(spec).unwrap().encode_to_vec(),
            Kind::DeliveryWorkflow => v1::DeliveryWorkflowSpec::decode(spec).unwrap().encode_to_vec(),
            Kind::Slo => v1::SloSpec::decode(spec).unwrap().encode_to_vec(),
        };
        assert_eq!(typed, spec, "{}", document.name);
    }
}

#[test]
fn what_get_prints_can_be_applied_again() {
    let documents = parse(&quickstart());
    let mut printed = String::new();
    for document in &documents {
        let (kind, name, spec) = (document.kind, document.name.as_str(), document.spec.as_slice());
        let json = resource_to_json(kind, name, spec, 7, UnixMillis(1_710_513_300_123), UnixMillis(0));
        printed.push_str("---\n");
        printed.push_str(&json_to_yaml(&json, &not_yet_enforced(kind, spec)));
    }
    let again = parse(&printed);
    assert_eq!(again.len(), documents.len());
    for (document, again) in documents.iter().zip(&again) {
        let sealed =
            map_secrets(document.kind, &document.spec, &mut |_, _| Ok::<_, ()>("(sealed)".to_owned()));
        assert_eq!((again.kind, &again.name), (document.kind, &document.name));
        assert_eq!(again.spec, sealed.unwrap(), "{printed}");
    }
    assert!(!printed.contains("sk-dev"), "a secret is never printed");
}

#[test]
fn a_route_is_printed_as_people_write_it() {
    let documents = parse(&quickstart());
    let route = find(&documents, Kind::Route, "prod-chat");
    let json = resource_to_json(route.kind, &route.name, &route.spec, 7, UnixMillis(0), UnixMillis(0));
    let expect = r#"kind: Route
name: prod-chat
spec:
  aliases:
    - prod-chat
    - assistant
  endpoint: primary-chat
  fallback_endpoints:
    - backup-chat
  policies:
    - production
  sla:
    failover_latency: 2000ms
    min_availability: 99.9%
    availability_window: 5m
  throttling_policy:
    max_rps: 1000
    burst_limit: 50
  rules:
    - provider: azure
      fallback_providers:
        - anthropic
        - openai
      conditions:
        - field: user.department
          operator: eq
          value: legal
revision: 7
create_time: 1970-01-01T00:00:00.000Z
update_time: 1970-01-01T00:00:00.000Z
not_yet_enforced: []
"#;
    assert_eq!(json_to_yaml(&json, &not_yet_enforced(route.kind, &route.spec)), expect);
}

#[test]
fn what_nothing_enforces_yet_is_named() {
    let documents = parse(&quickstart());
    let check = |kind, name, expect: &[&str]| {
        assert_eq!(not_yet_enforced(kind, &find(&documents, kind, name).spec), expect, "{name}");
    };
    check(Kind::Endpoint, "primary-chat", &[]);
    check(Kind::Provider, "kumo", &[]);
    check(Kind::Tenant, "acme", &["spec.budget"]);
    check(Kind::Playbook, "correlated-incidents", &["spec.trigger", "spec.steps", "spec.expires_after"]);
    check(Kind::DeliveryWorkflow, "on-call", &["spec.routes", "spec.targets"]);
    let policy = not_yet_enforced(Kind::Policy, &find(&documents, Kind::Policy, "production").spec);
    assert!(policy.contains(&"spec.guardrails[0].unsafe_output_detection".to_owned()), "{policy:?}");
    assert!(!policy.iter().any(|path| path.contains("pii_detection")), "{policy:?}");
    assert!(policy.contains(&"spec.change_guardrails".to_owned()), "{policy:?}");
}

#[test]
fn references_are_found_in_every_form() {
    let documents = parse(&quickstart());
    let check = |kind, name, expect: &[&str]| {
        let found: Vec<String> = references(kind, &find(&documents, kind, name).spec)
            .iter()
            .map(|reference| {
                format!("{} {}/{}", reference.field_path, reference.kind.as_str(), reference.name)
            })
            .collect();
        assert_eq!(found, expect, "{name}");
    };
    check(Kind::Provider, "openai", &[]);
    check(Kind::Endpoint, "primary-chat", &["spec.provider Provider/openai"]);
    check(
        Kind::Route,
        "prod-chat",
        &[
            "spec.endpoint Endpoint/primary-chat",
            "spec.fallback_endpoints[0] Endpoint/backup-chat",
            "spec.policies[0] Policy/production",
            "spec.rules[0].provider Provider/azure",
            "spec.rules[0].fallback_providers[0] Provider/anthropic",
            "spec.rules[0].fallback_providers[1] Provider/openai",
        ],
    );
    check(Kind::Route, "embed", &["spec.endpoint.provider Provider/openai"]);
    check(Kind::Tenant, "acme", &["spec.routes[0] Route/prod-chat", "spec.routes[1] Route/embed"]);
    check(
        Kind::Playbook,
        "correlated-incidents",
        &["spec.steps[2].deliver.workflow DeliveryWorkflow/on-call"],
    );
    check(Kind::Slo, "prod-chat-availability", &["spec.route Route/prod-chat"]);
}

#[test]
fn secrets_are_found_by_name_and_nothing_else_changes() {
    let documents = parse(&quickstart());
    let workflow = find(&documents, Kind::DeliveryWorkflow, "on-call");
    let mut found = Vec::new();
    let mapped = map_secrets(workflow.kind, &workflow.spec, &mut |path, value| {
        found.push(format!("{path}={value}"));
        Ok::<_, ()>(format!("<{value}>"))
    });
    assert_eq!(found, ["spec.targets[pager].routing_key=dev", "spec.targets[hook].hmac_secret=dev"]);
    let unmapped = map_secrets(workflow.kind, &mapped.unwrap(), &mut |_, _| Ok::<_, ()>("dev".to_owned()));
    assert_eq!(unmapped.unwrap(), workflow.spec);
    assert_eq!(map_secrets(workflow.kind, &workflow.spec, &mut |_, _| Err("no key")), Err("no key"));
}

#[test]
fn spec_descriptors_are_those_of_the_kinds() {
    assert_eq!(spec_descriptor(Kind::DeliveryWorkflow).full_name(), "breakwater.v1.DeliveryWorkflowSpec");
}
