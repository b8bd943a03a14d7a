//! The scorecard of faults: each kind of the simulator's library, met by a plain and by a streamed call, with a healthy fallback
//! behind it and alone. Prints kind × call → what the caller saw, who answered after how many hops, and what the breaker heard;
//! holds it against the failure table of the design, and holds that no cut answer looks whole and no answer is paid for twice.

mod scorecard {
    pub mod expected;
    pub mod out;
    pub mod play;
    pub mod seen;
}

use breakwater::simulate::Dialect;
use scorecard::expected::{Row, chat_rows, crossed_rows, other_formats_rows};
use scorecard::play::{Case, Client, Play};

#[test]
fn every_fault_of_the_library_has_a_row() {
    let rows = chat_rows();
    let name = |row: &Row| row.fault.split(['=', ':', ',']).next().unwrap_or_default().to_owned();
    for entry in &breakwater::simulate::LIBRARY {
        assert!(rows.iter().any(|row| name(row) == entry.name), "the fault {} has no row", entry.name);
    }
}

/// Each fault, plain and streamed.
fn chat_cases(fallback: bool) -> Vec<Case> {
    let case = |row: &Row, stream| Case {
        row: row.clone(),
        client: Client::Chat,
        upstream: Dialect::OpenAi,
        stream,
        fallback,
    };
    chat_rows().iter().flat_map(|row| [case(row, false), case(row, true)]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_every_fault_a_fallback_answers_or_nobody_is_misled() {
    Play::new("chat on openai, with a fallback", chat_cases(true)).run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_fallback_every_fault_is_the_contract_s_error() {
    Play::new("chat on openai, alone", chat_cases(false)).run().await;
}

/// Each row at each pair of a caller and a provider, plain and streamed, with a fallback.
fn crossed(rows: &[Row], pairs: &[(Client, Dialect)]) -> Vec<Case> {
    let case = |row: &Row, (client, upstream), stream| Case {
        row: row.clone(),
        client,
        upstream,
        stream,
        fallback: true,
    };
    let each = pairs.iter().flat_map(|pair| rows.iter().map(move |row| (row, *pair)));
    each.flat_map(|(row, pair)| [case(row, pair, false), case(row, pair, true)]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_are_out_the_caller_gets_the_contract_s_status_and_learns_nobody_s_name() {
    scorecard::out::hold().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_cost_callers_across_formats_the_same() {
    let pairs = [
        (Client::Messages, Dialect::Anthropic),
        (Client::Messages, Dialect::OpenAi),
        (Client::Chat, Dialect::Anthropic),
    ];
    Play::new("across formats", crossed(&crossed_rows(), &pairs)).run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_format_of_the_simulator_is_understood_and_its_breaks_are_seen() {
    let upstreams = [Dialect::Mistral, Dialect::Gemini, Dialect::Bedrock, Dialect::Ollama];
    let pairs = upstreams.map(|upstream| [(Client::Chat, upstream), (Client::Messages, upstream)]).concat();
    Play::new("other formats", crossed(&other_formats_rows(), &pairs)).run().await;
}
