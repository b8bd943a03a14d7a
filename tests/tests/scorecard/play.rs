//! Runs the cases of a scorecard: for each fault a simulator, for each case a provider with a breaker of its own, behind one proxy.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;
use std::net::SocketAddr;

use breakwater::simulate::{Dialect, Options, Simulator};
use breakwater_tests::caller::{Answer, Caller};
use breakwater_tests::cluster::Cluster;
use breakwater_tests::manifests::tenant;
use breakwater_tests::phases::{phase, until};
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::expected::{End, Row};
use super::seen::Seen;

/// What the simulated models say: five tokens, the first of them ASCII.
const TEXT: &str = "zwei Größen über dem Maß";
/// Tokens of it.
const TOKENS: u64 = 5;
/// Calls at once: enough that waits overlap, few enough that nothing waits for a processor longer than a timeout.
const AT_ONCE: usize = 12;
/// In the names of providers and models: no caller may ever see it.
const CANARY: &str = "vendor";

/// Whose format a caller speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// OpenAI's chat completions.
    Chat,
    /// Anthropic's messages.
    Messages,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Case {
    /// The fault, and what is expected.
    pub row: Row,
    /// Who calls.
    pub client: Client,
    /// The first provider.
    pub upstream: Dialect,
    /// The call asks for a stream.
    pub stream: bool,
    /// There is a healthy fallback.
    pub fallback: bool,
}

/// What a case came to.
#[derive(Debug, Clone)]
struct Outcome {
    seen: Seen,
    attempts: Vec<(String, String)>,
    output_tokens: Option<u64>,
    leak: bool,
    open: bool,
}

/// A scorecard.
pub struct Play {
    name: &'static str,
    cases: Vec<Case>,
}

impl Play {
    /// Makes one.
    pub fn new(name: &'static str, cases: Vec<Case>) -> Self {
        Self { name, cases }
    }

    /// Runs all cases, prints the card and holds it against what is expected.
    pub async fn run(self) {
        let simulators = self.simulators().await;
        let healthy = [simulator(Dialect::OpenAi, "").await, simulator(Dialect::Anthropic, "").await];
        let sentinel = simulator(Dialect::OpenAi, "status=500").await;
        let mut manifests = vec![provider("sentinel", Dialect::OpenAi, sentinel.addr(), false)];
        manifests.push(json!({"route": {"name": "sentinel", "spec": {"aliases": ["sentinel"],
            "endpoint": {"provider": "vendor-sentinel", "model": "vendor-model"}}}}));
        for (dialect, simulator) in [Dialect::OpenAi, Dialect::Anthropic].into_iter().zip(&healthy) {
            manifests.push(provider(&format!("healthy-{dialect}"), dialect, simulator.addr(), false));
        }
        for (number, case) in self.cases.iter().enumerate() {
            let addr = simulators[&case.simulator()].addr();
            let tls = case.row.fault == "tls_garbage";
            manifests.push(provider(&format!("{number}"), case.upstream, addr, tls));
            manifests.push(case.route(number));
        }
        let routes: Vec<String> = (0..self.cases.len()).map(|number| format!("case-{number}")).collect();
        let mut names: Vec<&str> = routes.iter().map(String::as_str).collect();
        names.push("sentinel");
        manifests.push(tenant("acme", &names));
        let cluster = Cluster::start(manifests).await;

        phase("all cases");
        let (caller, admin) = (cluster.caller(), cluster.admin());
        let calls = self.cases.iter().enumerate().map(|(number, case)| ask(&caller, &admin, number, case));
        let mut outcomes: Vec<Outcome> = futures::stream::iter(calls).buffered(AT_ONCE).collect().await;

        phase("a last failure, reported after all others");
        drop(caller.chat("sentinel", "last", false).await);
        until("the status says that it opened", || async {
            states(&admin).await.get("vendor-sentinel").is_some_and(|state| state == "open")
        })
        .await;
        let states = states(&admin).await;
        for (number, outcome) in outcomes.iter_mut().enumerate() {
            outcome.open = states[&format!("vendor-{number}")] == "open";
        }
        self.print(&outcomes);
        self.hold(&outcomes);
        self.hold_bills(&outcomes, &simulators, &healthy);
        cluster.shutdown().await;
    }

    async fn simulators(&self) -> BTreeMap<String, Simulator> {
        let mut simulators = BTreeMap::new();
        for case in &self.cases {
            if let Entry::Vacant(place) = simulators.entry(case.simulator()) {
                place.insert(simulator(case.upstream, case.row.fault).await);
            }
        }
        simulators
    }

    fn print(&self, outcomes: &[Outcome]) {
        println!("scorecard: {}", self.name);
        println!("{:<44} {:<30} what the caller saw, hops, breaker", "fault", "call");
        for (case, outcome) in self.cases.iter().zip(outcomes) {
            println!("{:<44} {:<30} {}", case.row.fault, case.call(), outcome.describe(case.stream));
        }
    }

    fn hold(&self, outcomes: &[Outcome]) {
        let mut wrong = String::new();
        for (case, outcome) in self.cases.iter().zip(outcomes) {
            for why in outcome.faults(case) {
                let said = outcome.describe(case.stream);
                let _ = writeln!(
                    wrong,
                    "{} {}: {why}; seen: {said}; {:?}",
                    case.row.fault,
                    case.call(),
                    outcome.attempts
                );
            }
        }
        assert!(wrong.is_empty(), "the scorecard is not as expected:\n{wrong}");
    }

    /// What was asked of the simulators is what the calls' own notes say: nobody was asked twice, or behind our back.
    fn hold_bills(
        &self,
        outcomes: &[Outcome],
        simulators: &BTreeMap<String, Simulator>,
        healthy: &[Simulator; 2],
    ) {
        let fallbacks = outcomes.iter().filter(|outcome| outcome.attempts.len() > 1).count();
        let counts = healthy.each_ref().map(Simulator::counts);
        let asked: u64 = counts.iter().map(|count| count.calls).sum();
        let completed: u64 = counts.iter().map(|count| count.completed).sum();
        assert_eq!(
            (asked, completed),
            (fallbacks as u64, fallbacks as u64),
            "each fallback is asked once, and answers"
        );
        for (name, simulator) in simulators {
            let cases = self.cases.iter().filter(|case| case.simulator() == *name).count();
            let calls = simulator.counts().calls;
            assert!(calls <= cases as u64, "{name}: {cases} calls came to {calls}");
        }
    }
}

impl Case {
    /// Cases of one fault at one kind of provider share a simulator.
    fn simulator(&self) -> String {
        format!("{} {}", self.upstream, self.row.fault)
    }

    fn call(&self) -> String {
        let client = match self.client {
            Client::Chat => "chat",
            Client::Messages => "messages",
        };
        let kind = if self.stream { "stream" } else { "plain" };
        let alone = if self.fallback { "" } else { ", alone" };
        format!("{client} on {}, {kind}{alone}", self.upstream)
    }

    fn expected(&self) -> End {
        if self.stream { self.row.stream } else { self.row.plain }
    }

    fn route(&self, number: usize) -> Value {
        let fallback = match self.client {
            Client::Chat => "vendor-healthy-openai",
            Client::Messages => "vendor-healthy-anthropic",
        };
        let fallbacks =
            if self.fallback { json!([{"provider": fallback, "model": "vendor-model"}]) } else { json!([]) };
        json!({"route": {"name": format!("case-{number}"), "spec": {
            "aliases": [format!("case-{number}")], "deadline": "12s",
            "endpoint": {"provider": format!("vendor-{number}"), "model": "vendor-model"},
            "fallback_endpoints": fallbacks,
        }}})
    }
}

impl Outcome {
    /// Returns what is not as expected.
    fn faults(&self, case: &Case) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut hold = |holds: bool, what: &str| {
            if !holds {
                wrong.push(what.to_owned());
            }
        };
        let (seen, expected) = (&self.seen, case.expected());
        let whole = seen.looks_whole(case.stream);
        let hops = self.attempts.len();
        let broken = seen.status == 200 && !seen.code.is_empty() && !seen.marked && !seen.text.is_empty();
        hold(!self.leak, "a name of the provider's reached the caller");
        hold(!whole || self.all_there(case), "a cut answer looks whole");
        hold(seen.status == 200 || seen.text.is_empty(), "an error has content");
        match expected {
            End::Answered => hold(whole && hops == 1, "expected the first provider's answer"),
            End::NextFails | End::NextNeutral | End::NextLimited if case.fallback => {
                hold(whole && hops == 2, "expected the fallback's answer");
            }
            End::NextLimited => {
                hold(
                    seen.status == 429 && seen.retry_after.is_some_and(|wait| (1..=60).contains(&wait)),
                    "expected 429 with Retry-After",
                );
            }
            End::NextFails | End::NextNeutral => {
                hold(
                    (seen.status, seen.code.as_str()) == (502, "upstream_unavailable"),
                    "expected 502 upstream_unavailable",
                );
            }
            End::BrokenOff | End::OutOfTime => {
                hold(broken && hops == 1, "expected content, then an error event")
            }
            End::Refused(status) => {
                hold(seen.status == status && hops == 1, "expected the caller's own error")
            }
        }
        let fails = matches!(expected, End::NextFails | End::BrokenOff);
        hold(
            self.open == fails,
            if fails { "the breaker should hear a failure" } else { "the breaker should hear no failure" },
        );
        if whole && !case.row.tools && case.row.fault != "wrong_usage" {
            hold(self.output_tokens == Some(TOKENS), "expected the tokens of one answer");
        }
        let sane = self.output_tokens.is_none_or(|tokens| tokens < 10_000_000);
        hold(sane, "tokens that no model writes were counted");
        wrong
    }

    /// Whether nothing of what the model said is missing.
    fn all_there(&self, case: &Case) -> bool {
        if case.row.tools {
            let whole =
                |call: &String| serde_json::from_str::<Value>(call).is_ok_and(|call| call["city"] == "Paris");
            let calls: Vec<&String> = self.seen.calls.iter().filter(|call| !call.is_empty()).collect();
            return calls.len() == 2 && calls.into_iter().all(whole);
        }
        let mut rest = self.seen.text.chars();
        TEXT.chars().all(|wanted| rest.any(|found| found == wanted))
    }

    fn describe(&self, stream: bool) -> String {
        let seen = &self.seen;
        let ended = match (seen.status, stream, seen.looks_whole(stream), seen.code.is_empty()) {
            (200, _, true, _) => {
                format!("whole, {}", if seen.finish.is_empty() { "no reason" } else { &seen.finish })
            }
            (200, _, _, false) => format!("broken off: {}", seen.code),
            (200, ..) => "ended silently".to_owned(),
            _ => seen.code.clone(),
        };
        let hops: Vec<String> = self
            .attempts
            .iter()
            .map(|(result, reason)| if reason.is_empty() { result.clone() } else { reason.clone() })
            .collect();
        let breaker = if self.open { "failure" } else { "-" };
        let wait = seen.retry_after.map_or_else(String::new, |wait| format!(" (retry after {wait})"));
        format!("{} {ended}{wait} | {} | {breaker}", seen.status, hops.join(", "))
    }
}

/// Returns the path and the body of a question to an alias.
pub fn question(client: Client, alias: &str, stream: bool, tools: bool) -> (&'static str, Value) {
    let prompt = if tools { "the weather in Paris, #calls=2".to_owned() } else { format!("#say {TEXT}") };
    let mut body =
        json!({"model": alias, "stream": stream, "messages": [{"role": "user", "content": prompt}]});
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let (path, tool) = match client {
        Client::Chat => {
            let function = json!({"name": "get_weather", "parameters": schema});
            ("/v1/chat/completions", json!({"type": "function", "function": function}))
        }
        Client::Messages => {
            body["max_tokens"] = json!(1000);
            ("/v1/messages", json!({"name": "get_weather", "input_schema": schema}))
        }
    };
    if tools {
        body["tools"] = json!([tool]);
    }
    (path, body)
}

/// Starts a simulator with a fault, or a healthy one.
pub async fn simulator(dialect: Dialect, fault: &str) -> Simulator {
    let faults =
        if fault.is_empty() { Vec::new() } else { vec![fault.parse().expect("a fault of the library")] };
    let options = Options { dialect, faults, ..Options::default() };
    Simulator::start(([127, 0, 0, 1], 0).into(), options).await.expect("a free port")
}

/// A provider whose breaker opens at its first failure and stays so.
pub fn provider(name: &str, dialect: Dialect, addr: SocketAddr, tls: bool) -> Value {
    let scheme = if tls { "https" } else { "http" };
    let kind = if dialect == Dialect::OpenAi { "openai_compatible".to_owned() } else { dialect.to_string() };
    json!({"provider": {"name": format!("{CANARY}-{name}"), "spec": {
        "type": kind, "base_url": format!("{scheme}://{addr}{}", dialect.root()),
        "credentials": [{"name": "main", "api_key": "sk-test"}],
        "circuit_breaker": {"threshold": 1, "open_ttl": "10m"},
        "timeouts": {"connect": "2s", "first_token": "3s", "idle": "2s", "response": "4s"},
    }}})
}

/// Makes the call of a case, and asks why it came to what it did.
async fn ask(caller: &Caller, admin: &Caller, number: usize, case: &Case) -> Outcome {
    let (path, body) = question(case.client, &format!("case-{number}"), case.stream, case.row.tools);
    let answer = caller.post(path, &body).await;
    let seen = Seen::of(case.client, case.stream, &answer);
    let id = answer.headers["x-breakwater-request-id"].to_str().expect("an id is ASCII").to_owned();
    let why = why(admin, &id).await;
    let attempts = why["attempts"].as_array().into_iter().flatten();
    let word = |attempt: &Value, key: &str| attempt[key].as_str().unwrap_or_default().to_owned();
    Outcome {
        attempts: attempts.map(|attempt| (word(attempt, "result"), word(attempt, "reason"))).collect(),
        output_tokens: why["output_tokens"].as_u64(),
        leak: leaks(&answer),
        open: false,
        seen,
    }
}

/// Whether an answer holds the name of a provider or of its model, or its address.
pub fn leaks(answer: &Answer) -> bool {
    let names = |text: &str| text.contains(CANARY) || text.contains("127.0.0.1");
    names(&answer.text()) || answer.headers.values().any(|value| names(value.to_str().unwrap_or_default()))
}

/// The proxy's notes of a call, as soon as they are there.
async fn why(admin: &Caller, id: &str) -> Value {
    let path = format!("/v1/calls/{id}");
    let notes = RefCell::new(Value::Null);
    until("the call's notes", || async {
        let answer = admin.get(&path).await;
        let found = answer.status == 200;
        if found {
            notes.replace(answer.json());
        }
        found
    })
    .await;
    notes.into_inner()
}

/// The state of each provider's breaker.
async fn states(admin: &Caller) -> BTreeMap<String, String> {
    let status = admin.get("/v1/admin/providers/status").await.json();
    let all = status["data"].as_array().expect("data is a list").iter();
    let word = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    all.map(|provider| (word(provider, "provider"), word(provider, "state"))).collect()
}
