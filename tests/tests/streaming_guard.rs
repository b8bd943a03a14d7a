//! Guardrails hold on both sides of a call, streamed or not.

use breakwater_tests::caller::{events, streamed_text};
use breakwater_tests::cluster::Cluster;
use breakwater_tests::manifests::{policy, provider, route, tenant};
use breakwater_tests::phases::phase;
use breakwater_tests::upstream::{Asked, Ending, Script, ScriptedLlm};

const SECRET: &str = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD";

/// Answers what the last user message asks for.
fn play(asked: &Asked) -> Script {
    let text = String::from_utf8_lossy(&asked.body).into_owned();
    let streamed = text.contains("\"stream\":true");
    let deltas: Vec<String> = if text.contains("give me an address") {
        "Write to jane.doe@example.com or call soon.".chars().map(String::from).collect()
    } else if text.contains("give me a secret") {
        format!("The key is {SECRET} and more text follows.").chars().map(String::from).collect()
    } else {
        vec!["Hello ".into(), "there.".into()]
    };
    let deltas: Vec<&str> = deltas.iter().map(String::as_str).collect();
    if streamed { Script::chat_stream(&deltas, Ending::Complete) } else { Script::chat(&deltas.concat()) }
}

async fn cluster(llm: &ScriptedLlm) -> Cluster {
    Cluster::start(vec![
        provider("only", llm.addr(), 5, "60s"),
        policy("production"),
        route("chat", &["only"], &["production"]),
        tenant("acme", &["chat"]),
    ])
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn personal_data_is_redacted_on_input_and_on_output_streamed_or_not() {
    let llm = ScriptedLlm::start(play).await;
    let cluster = cluster(&llm).await;
    let caller = cluster.caller();

    phase("input: the upstream never sees the address");
    let answer = caller.chat("chat", "I am bob@example.org, hi", false).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = String::from_utf8_lossy(&llm.asked().last().expect("it was asked").body).into_owned();
    assert!(seen.contains("[EMAIL]") && !seen.contains("bob@example.org"), "{seen}");

    phase("output, whole");
    let answer = caller.chat("chat", "give me an address", false).await;
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "Write to [EMAIL] or call soon.");

    phase("output, streamed a character at a time");
    let answer = caller.chat("chat", "give me an address", true).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(streamed_text(&answer.text()), "Write to [EMAIL] or call soon.");
    assert!(!answer.text().contains("jane"), "no byte of it left: {}", answer.text());
    assert!(answer.text().trim_end().ends_with("data: [DONE]"));
    cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_blocks_the_call_or_ends_the_answer_and_never_leaves() {
    let llm = ScriptedLlm::start(play).await;
    let cluster = cluster(&llm).await;
    let caller = cluster.caller();

    phase("input: refused before the upstream is asked");
    let before = llm.asked().len();
    let answer = caller.chat("chat", &format!("my key is {SECRET}"), false).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(answer.code(), "content_blocked");
    assert!(answer.text().contains("secrets"), "it names the guardrail: {}", answer.text());
    assert!(!answer.text().contains(SECRET), "never the matched text");
    assert_eq!(llm.asked().len(), before, "the upstream was not asked");

    phase("output, whole: 200 with an empty choice");
    let answer = caller.chat("chat", "give me a secret", false).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["choices"][0]["finish_reason"], "content_filter");
    assert!(!answer.text().contains("sk-proj"), "{}", answer.text());

    phase("output, streamed: the stream ends with that reason and the normal last event");
    let answer = caller.chat("chat", "give me a secret", true).await;
    let text = answer.text();
    let last = events(&text).pop().expect("a stream has events");
    assert_eq!(last["choices"][0]["finish_reason"], "content_filter", "{text}");
    assert!(text.trim_end().ends_with("data: [DONE]"), "{text}");
    assert!(streamed_text(&text).starts_with("The key is "), "{text}");
    assert!(!streamed_text(&text).contains("sk-"), "{text}");

    phase("the ledger, the metrics and the call's trace hold none of it");
    let id = answer.headers["x-breakwater-request-id"].to_str().expect("ASCII").to_owned();
    let why = cluster.admin().get(&format!("/v1/calls/{id}")).await;
    assert_eq!(why.json()["ending"], "blocked", "{}", why.text());
    let metrics = caller.get("/metrics").await.text();
    let ledger = cluster.admin().get("/v1/ledger/records?page_size=1000").await.text();
    for (place, text) in [("why", why.text()), ("metrics", metrics), ("ledger", ledger)] {
        assert!(!text.contains("sk-proj") && !text.contains("sk-canary"), "{place}: {text}");
    }
    cluster.shutdown().await;
}
