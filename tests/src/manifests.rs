//! Manifests for plays, as the JSON that the REST API takes.

use std::net::SocketAddr;

use serde_json::{Value, json};

/// A provider of OpenAI's format at `addr`, whose breaker opens after `threshold` failures for `open_ttl`.
#[must_use]
pub fn provider(name: &str, addr: SocketAddr, threshold: u32, open_ttl: &str) -> Value {
    json!({"provider": {"name": name, "spec": {
        "type": "openai_compatible",
        "base_url": format!("http://{addr}/v1"),
        "credentials": [{"name": "main", "api_key": format!("sk-canary-{name}-0123456789abcdef")}],
        "circuit_breaker": {"threshold": threshold, "open_ttl": open_ttl},
        "timeouts": {"connect": "1s", "first_token": "5s", "idle": "5s"},
        "models": [{"name": "vendor-model-1"}],
    }}})
}

/// A route with one alias, its own name, over inline endpoints of these providers, first first.
#[must_use]
pub fn route(name: &str, providers: &[&str], policies: &[&str]) -> Value {
    let mut chain = providers.iter().map(|provider| json!({"provider": provider, "model": "vendor-model-1"}));
    let first = chain.next().expect("a route goes somewhere");
    json!({"route": {"name": name, "spec": {
        "aliases": [name], "endpoint": first, "fallback_endpoints": chain.collect::<Vec<_>>(), "policies": policies,
    }}})
}

/// A policy that redacts personal data and blocks secrets, on both sides.
#[must_use]
pub fn policy(name: &str) -> Value {
    json!({"policy": {"name": name, "spec": {"mode": "enforce", "guardrails": [
        {"name": "pii", "pii_detection": {}, "applies_to": ["input", "output"], "action": "redact"},
        {"name": "secrets", "secrets_detection": {}, "applies_to": ["input", "output"], "action": "block"},
    ]}}})
}

/// A tenant that may call these routes.
#[must_use]
pub fn tenant(name: &str, routes: &[&str]) -> Value {
    json!({"tenant": {"name": name, "spec": {"routes": routes}}})
}
