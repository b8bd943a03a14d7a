//! Tables of bad input with the exact message, path and line.

use breakwater_common::manifest::{check_message, check_spec, message_from_json, parse_yaml};
use breakwater_common::resource::Kind;
use breakwater_proto::DESCRIPTORS;
use serde_json::json;

/// Parses a text that must have exactly these violations, as they are displayed.
fn check(text: &str, expect: &[&str]) {
    let violations = parse_yaml(text).map(|_| ()).unwrap_err();
    let shown: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert_eq!(shown, expect, "{text}");
}

/// The same for the spec of a provider whose lines begin at line 6 of the file.
fn check_provider(lines: &str, expect: &[&str]) {
    let text = format!("kind: Provider\nname: p\nspec:\n  type: openai\n  base_url: http://a/v1\n{lines}\n");
    let expect: Vec<String> = expect.iter().map(|line| format!("document 1, {line}")).collect();
    check(&text, &expect.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn what_is_no_manifest() {
    check("hello", &["document 1, line 1: a manifest is a mapping with kind, name and spec, not a text"]);
    check("- a", &["document 1, line 1: a manifest is a mapping with kind, name and spec, not a list"]);
    check(
        "# talk\nname: x\n",
        &[
            "document 1, line 2: kind: is required: one of Provider, Endpoint, Policy, Route, Tenant, Playbook, DeliveryWorkflow, Slo",
        ],
    );
    check("kind: Providr\n", &["document 1, line 1: kind: no kind \"Providr\"; did you mean \"Provider\"?"]);
    check("a: 1\nkind: 5\n", &["document 1, line 2: kind: must be a text, not a number"]);
    check("a: [1\nb: 2\n", &["line 2: not valid YAML: illegal placement of ':' indicator"]);
    check(
        "kind: Endpoint\nname: e\nspec: {provider: a, model: b}\nname: f\n",
        &["line 4: key \"name\" is given twice, first in line 2"],
    );
    check("? [a]\n: b\n", &["line 1: a key must be a text"]);
    check("kind: !x Provider\n", &["line 1: tag \"!x\" is not supported; leave it out"]);
}

#[test]
fn blank_documents_do_not_count() {
    let text = "---\n---\n# nothing\n---\nkind: Endpoint\nname: e\nspec: {provider: p, modle: m}\n---\n";
    check(
        text,
        &[
            "document 1, line 7: Endpoint/e: spec.modle: unknown field; did you mean \"model\"?",
            "document 1, line 7: Endpoint/e: spec.model: is required",
        ],
    );
    assert_eq!(parse_yaml("---\n---\n\n# nothing\n"), Ok(Vec::new()));
    assert_eq!(parse_yaml(""), Ok(Vec::new()));
}

#[test]
fn a_resource_given_twice_names_both_lines() {
    let text = "kind: Endpoint\nname: e\nspec: {provider: p, model: m}\n---\nkind: Endpoint\nspec: {provider: p, model: m}\nname: e\n";
    check(text, &["document 2, line 7: Endpoint/e: name: is given twice, first in document 1, line 2"]);
}

#[test]
fn names_and_missing_parts() {
    let spec = "spec: {provider: p, model: m}";
    let is_no_name =
        "is not a name; write 1 to 63 of a-z, 0-9, \"-\", \"_\" and \".\", starting with a letter or a digit";
    check(&format!("kind: Endpoint\n{spec}\n"), &["document 1, line 1: Endpoint: name: is required"]);
    check(
        &format!("kind: Endpoint\nname: My Endpoint\n{spec}\n"),
        &[&format!("document 1, line 2: Endpoint/My Endpoint: name: \"My Endpoint\" {is_no_name}")],
    );
    check("kind: Endpoint\nname: e\n", &["document 1, line 1: Endpoint/e: spec: is required"]);
    check(
        "kind: Endpoint\n---\nkind: Endpoint\n",
        &[
            "document 1, line 1: Endpoint: spec: is required",
            "document 1, line 1: Endpoint: name: is required",
            "document 2, line 3: Endpoint: spec: is required",
            "document 2, line 3: Endpoint: name: is required",
        ],
    );
    check("kind: Endpoint\nname: e\nspec:\n", &["document 1, line 1: Endpoint/e: spec: is required"]);
    check(
        "kind: Endpoint\nname: e\nspec: {}\n",
        &[
            "document 1, line 3: Endpoint/e: spec.provider: is required",
            "document 1, line 3: Endpoint/e: spec.model: is required",
        ],
    );
    check(
        &format!("kind: Endpoint\nname: 5\n{spec}\n"),
        &["document 1, line 2: Endpoint: name: must be a text, not a number; write it in quotes: \"5\""],
    );
    check(
        "kind: Endpoint\nname: e\nspec: x\n",
        &["document 1, line 3: Endpoint/e: spec: must be a mapping, not a text"],
    );
}

#[test]
fn unknown_fields_are_named_with_the_nearest_known_one() {
    check_provider(
        "  circut_breaker: {threshold: 5}\n  timeouts:\n    idel: 5s",
        &[
            "line 6: Provider/p: spec.circut_breaker: unknown field; did you mean \"circuit_breaker\"?",
            "line 8: Provider/p: spec.timeouts.idel: unknown field; did you mean \"idle\"?",
        ],
    );
    check_provider(
        "  timeouts: {zone: 1}",
        &[
            "line 6: Provider/p: spec.timeouts.zone: unknown field; known are connect, first_token, idle, response",
        ],
    );
}

#[test]
fn wrong_types() {
    let check = |lines, expect: &str| check_provider(lines, &[&format!("line 6: Provider/p: {expect}")]);
    check("  tags: jp", "spec.tags: must be a list, like [x, y], not a text");
    check("  region: [a]", "spec.region: must be a text, not a list");
    check("  region: 5", "spec.region: must be a text, not a number; write it in quotes: \"5\"");
    check("  region: true", "spec.region: must be a text, not a boolean; write it in quotes: \"true\"");
    check("  disabled: yes", "spec.disabled: must be true or false, not \"yes\"");
    check("  circuit_breaker: 5", "spec.circuit_breaker: must be a mapping, not a number");
    check(
        "  circuit_breaker: {threshold: five}",
        "spec.circuit_breaker.threshold: must be a whole number from 0 to 4294967295, not \"five\"",
    );
    check(
        "  circuit_breaker: {threshold: 1.5}",
        "spec.circuit_breaker.threshold: must be a whole number from 0 to 4294967295, not \"1.5\"",
    );
    check(
        "  circuit_breaker: {threshold: -1}",
        "spec.circuit_breaker.threshold: must be a whole number from 0 to 4294967295, not \"-1\"",
    );
    check(
        "  models: [{name: m, price: {input: cheap}}]",
        "spec.models[0].price.input: must be a number, not \"cheap\"",
    );
    check(
        "  models: [{name: m, price: {input: 1e999}}]",
        "spec.models[0].price.input: must be a number, not \"1e999\"",
    );
    check("  tags: [a, null]", "spec.tags[1]: must be a text, not nothing");
    check("  tags: [a, \"\"]", "spec.tags[1]: must not be empty");
    check("  models: [gpt]", "spec.models[0]: must be a mapping, not a text");
}

#[test]
fn what_cannot_be_read_does_not_hide_or_move_the_rest() {
    check_provider(
        "  tags: [5, \"\"]\n  models:\n    - gpt\n    - {name: []}\n    - {nam: x, disabled: 1}",
        &[
            "line 6: Provider/p: spec.tags[0]: must be a text, not a number; write it in quotes: \"5\"",
            "line 8: Provider/p: spec.models[0]: must be a mapping, not a text",
            "line 9: Provider/p: spec.models[1].name: must be a text, not a list",
            "line 10: Provider/p: spec.models[2].nam: unknown field; did you mean \"name\"?",
            "line 10: Provider/p: spec.models[2].disabled: must be true or false, not \"1\"",
            "line 6: Provider/p: spec.tags[1]: must not be empty",
            "line 10: Provider/p: spec.models[2].name: is required",
        ],
    );
}

#[test]
fn units_and_bounds() {
    let check = |lines, expect: &str| check_provider(lines, &[&format!("line 6: Provider/p: {expect}")]);
    let no_time = "is not a length of time; write a number and ms, s, m, h or d, like \"2000ms\" or \"1.5h\"";
    check("  circuit_breaker: {open_ttl: 60}", &format!("spec.circuit_breaker.open_ttl: \"60\" {no_time}"));
    check("  circuit_breaker: {open_ttl: 15%}", &format!("spec.circuit_breaker.open_ttl: \"15%\" {no_time}"));
    check(
        "  circuit_breaker: {open_ttl: 5ms}",
        "spec.circuit_breaker.open_ttl: must be from 100ms to 1h, not \"5ms\"",
    );
    check(
        "  circuit_breaker: {open_ttl: 2d}",
        "spec.circuit_breaker.open_ttl: must be from 100ms to 1h, not \"2d\"",
    );
    check(
        "  circuit_breaker: {threshold: 0}",
        "spec.circuit_breaker.threshold: must be from 1 to 1000, not 0",
    );
    check(
        "  circuit_breaker: {threshold: 1001}",
        "spec.circuit_breaker.threshold: must be from 1 to 1000, not 1001",
    );
    check(
        "  models: [{name: m, price: {input: -1}}]",
        "spec.models[0].price.input: must be from 0 to 1000000, not -1",
    );
    super::bad_input::check(
        "kind: Tenant\nname: t\nspec:\n  budget: {amount: 500, period: $5}\n  limits: {max_tokens_per_minute: 0}\n",
        &[
            "document 1, line 4: Tenant/t: spec.budget.amount: \"500\" is not an amount of money; write $ and a number with at most six decimals, like \"$0.50\"",
            &format!("document 1, line 4: Tenant/t: spec.budget.period: \"$5\" {no_time}"),
            "document 1, line 5: Tenant/t: spec.limits.max_tokens_per_minute: must be at least 1, not 0",
        ],
    );
}

#[test]
fn words_urls_lengths_and_duplicates() {
    let check =
        |lines: &str, expect: &str| check_provider(lines, &[&format!("line 6: Provider/p: {expect}")]);
    check(
        "  models: [{name: m, capabilities: [tool]}]",
        "spec.models[0].capabilities[0]: \"tool\" is not allowed here; did you mean \"tools\"?",
    );
    check(&format!("  region: {}", "x".repeat(64)), "spec.region: has 64 bytes; at most 63 are allowed");
    check("  region: \"a\\nb\"", "spec.region: must not hold line breaks or other control characters");
    check(
        &format!("  tags: [{}]", ["x"; 33].join(",")),
        "spec.tags: has 33 elements; at most 32 are allowed",
    );
    check(
        "  credentials: [{name: a, api_key: x}, {name: a, api_key: y}]",
        "spec.credentials[1].name: \"a\" is given twice in this list",
    );
    super::bad_input::check(
        "kind: Provider\nname: p\nspec:\n  type: open_ai\n  base_url: https://u:p@host/v1\n",
        &[
            "document 1, line 4: Provider/p: spec.type: \"open_ai\" is not allowed here; did you mean \"openai\"?",
            "document 1, line 5: Provider/p: spec.base_url: must not hold a user or a password; write a URL like \"https://api.example.com/v1\"",
        ],
    );
}

#[test]
fn exactly_one_of() {
    let policy =
        |guardrail: &str| format!("kind: Policy\nname: p\nspec:\n  guardrails:\n    - name: g\n{guardrail}");
    check(
        &policy("      pii_detection: {}\n      secrets_detection: {}\n"),
        &[
            "document 1, line 7: Policy/p: spec.guardrails[0].secrets_detection: cannot stand beside \"pii_detection\"; write one of them",
        ],
    );
    check(
        &policy("      action: block\n"),
        &[
            "document 1, line 5: Policy/p: spec.guardrails[0]: needs exactly one of unsafe_output_detection, pii_detection, secrets_detection, prompt_injection_detection, latency_spike_threshold, error_rate_threshold, cost_variance_alert, token_variance_check, token_limits",
        ],
    );
}

#[test]
fn secrets_are_not_repeated_in_messages() {
    let secret = "sk-very-secret";
    let text = format!(
        "kind: Provider\nname: p\nspec:\n  type: openai\n  base_url: http://a\n  credentials:\n    - {{name: a, api_key: [{secret}]}}\n    - {{name: b, api_key: \"{secret}\\n\"}}\n    - {{name: c, api_key: 31337}}\n"
    );
    let violations = parse_yaml(&text).unwrap_err();
    assert_eq!(violations.len(), 3, "{violations:?}");
    for violation in violations {
        assert!(
            !violation.to_string().contains(secret) && !violation.to_string().contains("31337"),
            "{violation}"
        );
    }
}

#[test]
fn sealed_secrets_may_be_longer_than_open_ones() {
    let text = |key: &str| {
        format!(
            "kind: Provider\nname: p\nspec: {{type: openai, base_url: http://a, credentials: [{{name: a, api_key: \"{key}\"}}]}}\n"
        )
    };
    assert_eq!(super::parse(&text(&"x".repeat(8192))).len(), 1);
    assert_eq!(super::parse(&text(&format!("sealed:v1:{}", "x".repeat(10_970)))).len(), 1);
    let at = "document 1, line 3: Provider/p: spec.credentials[0].api_key";
    check(&text(&"x".repeat(8193)), &[&format!("{at}: has 8193 bytes; at most 8192 are allowed")]);
    check(
        &text(&format!("sealed:v1:{}", "x".repeat(11_000))),
        &[&format!("{at}: has 11010 bytes; at most 10988 are allowed")],
    );
}

#[test]
fn conditions_take_texts_numbers_booleans_and_lists() {
    let route = |value: &str| {
        format!(
            "kind: Route\nname: r\nspec:\n  rules:\n    - provider: p\n      conditions:\n        - {{field: user.x, operator: eq, value: {value}}}\n"
        )
    };
    for value in ["legal", "5", "true", "[a, b]", "null"] {
        assert_eq!(super::parse(&route(value)).len(), 1);
    }
    let at = "document 1, line 7: Route/r: spec.rules[0].conditions[0].value";
    check(
        &route("{a: 1}"),
        &[&format!("{at}: must be a text, a number, a boolean or a list, not a mapping")],
    );
    check(&route("[[a]]"), &[&format!("{at}[0]: must be a text, a number or a boolean")]);
}

#[test]
fn specs_from_elsewhere_are_checked_without_lines() {
    let violations = check_spec(Kind::Endpoint, "", &[]);
    let shown: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "Endpoint: name: is required",
            "Endpoint: spec.provider: is required",
            "Endpoint: spec.model: is required"
        ]
    );
    let violations = check_spec(Kind::Endpoint, "e", b"\xff");
    assert_eq!(violations.len(), 1);
    assert!(violations[0].message.starts_with("is not an encoded EndpointSpec"), "{violations:?}");
}

#[test]
fn requests_are_read_and_checked() {
    let request = DESCRIPTORS.get_message_by_name("breakwater.v1.ApplyRequest").unwrap();
    let check_json = |json: &serde_json::Value, expect: &[&str]| {
        let violations = message_from_json(&request, json)
            .map_or_else(|violations| violations, |message| check_message(&message));
        let shown: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert_eq!(shown, expect, "{json}");
    };
    let endpoint = json!({"kind": "Endpoint", "name": "e", "spec": {"provider": "p", "model": "m"}, "revision": 3, "create_time": "x"});
    check_json(&json!({"manifests": [{"endpoint": endpoint}], "prune": null}), &[]);
    check_json(&json!({"manifest": []}), &["manifest: unknown field; did you mean \"manifests\"?"]);
    check_json(
        &json!({"manifests": [{}, {"endpoint": {"kind": "Route", "spec": {"provider": 1}}}]}),
        &["manifests[1].endpoint.spec.provider: must be a text, not a number; write it in quotes: \"1\""],
    );
    check_json(
        &json!({"manifests": [{}, {"endpoint": {"kind": "Route", "name": "e", "spec": {"provider": "p"}}}]}),
        &[
            "manifests[0]: needs exactly one of provider, endpoint, policy, route, tenant, playbook, delivery_workflow, slo",
            "manifests[1].endpoint.kind: must be \"Endpoint\" here, not \"Route\"",
            "manifests[1].endpoint.spec.model: is required",
        ],
    );
    check_json(&json!([]), &["must be a mapping, not a list"]);
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    check_json(&deep, &["nested deeper than 32 levels"]);
}
