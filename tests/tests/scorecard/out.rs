//! When the whole chain is out, or the caller's time: the statuses of the contract, in the caller's format, naming nobody.

use breakwater::simulate::Dialect;
use breakwater_tests::cluster::Cluster;
use breakwater_tests::manifests::tenant;
use serde_json::{Value, json};

use super::play::{Client, leaks, provider, question, simulator};
use super::seen::Seen;

/// Route, chain of faults, deadline, and what callers get: the status, the code of chat, the type of messages.
type RouteRow = (&'static str, [&'static str; 2], &'static str, u16, &'static str, &'static str);
const ROUTES: [RouteRow; 5] = [
    ("failing", ["status=500", "hang_up"], "10s", 503, "no_provider_available", "overloaded_error"),
    ("refusing", ["refuse", "status=401"], "10s", 503, "no_provider_available", "overloaded_error"),
    (
        "mixed",
        ["status=429,retry_after=7", "cut:after=0"],
        "10s",
        503,
        "no_provider_available",
        "overloaded_error",
    ),
    (
        "limited",
        ["status=429,retry_after=7", "status=429,retry_after=3"],
        "10s",
        429,
        "rate_limited",
        "rate_limit_error",
    ),
    ("late", ["no_answer", "no_answer"], "1s", 504, "deadline_exceeded", "timeout_error"),
];

/// Asks each route in each format, plain and streamed.
pub async fn hold() {
    let mut simulators = Vec::new();
    let mut manifests = Vec::new();
    for (route, faults, deadline, ..) in ROUTES {
        for client in [Client::Chat, Client::Messages] {
            for stream in [false, true] {
                let name = name(route, client, stream);
                let mut chain: Vec<Value> = Vec::new();
                for (place, fault) in faults.iter().enumerate() {
                    let llm = simulator(Dialect::OpenAi, fault).await;
                    manifests.push(provider(&format!("{name}-{place}"), Dialect::OpenAi, llm.addr(), false));
                    chain
                        .push(json!({"provider": format!("vendor-{name}-{place}"), "model": "vendor-model"}));
                    simulators.push(llm);
                }
                let fallbacks = chain.split_off(1);
                manifests
                    .push(json!({"route": {"name": name, "spec": {"aliases": [name], "deadline": deadline,
                    "endpoint": chain[0], "fallback_endpoints": fallbacks}}}));
            }
        }
    }
    let names: Vec<String> =
        manifests.iter().filter_map(|one| Some(one["route"]["name"].as_str()?.to_owned())).collect();
    manifests.push(tenant("acme", &names.iter().map(String::as_str).collect::<Vec<_>>()));
    let cluster = Cluster::start(manifests).await;
    let caller = cluster.caller();
    for (route, _, _, status, code, kind) in ROUTES {
        for (client, expected) in [(Client::Chat, code), (Client::Messages, kind)] {
            for stream in [false, true] {
                let name = name(route, client, stream);
                let (path, body) = question(client, &name, stream, false);
                let answer = caller.post(path, &body).await;
                let seen = Seen::of(client, stream, &answer);
                println!("{name}: {} {} {:?}", seen.status, seen.code, seen.retry_after);
                assert_eq!(
                    (seen.status, seen.code.as_str()),
                    (status, expected),
                    "{name}: {}",
                    answer.text()
                );
                let waits = seen.retry_after.is_some_and(|wait| (1..=60).contains(&wait));
                assert_eq!(waits, status != 504, "{name}: {:?}", seen.retry_after);
                assert!(!leaks(&answer), "{name} learned a name: {}", answer.text());
            }
        }
    }
    cluster.shutdown().await;
}

fn name(route: &str, client: Client, stream: bool) -> String {
    let client = if client == Client::Chat { "chat" } else { "messages" };
    format!("{route}-{client}-{}", if stream { "stream" } else { "plain" })
}
