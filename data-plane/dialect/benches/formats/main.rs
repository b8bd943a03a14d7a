//! What the formats cost: a request and streams of real traffic, each beside the same bytes through `serde_json::Value`.
//!
//! `cargo bench -p breakwater-dialect` prints a table at its end; docs/figures.md keeps what it said.

#![forbid(unsafe_code)]
#![allow(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a bench reads the corpus, prints what it measured and fails where it cannot go on"
)]

mod cpu;
mod data;
mod table;
mod value;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use breakwater_common::guard::CompiledGuards;
use breakwater_common::resource::{Action, Guardrail, GuardrailCheck, Mode, PiiEntity, Policy, Sides};
use breakwater_dialect::codec::{Caller, Target};
use breakwater_dialect::exchange::{self, Exchange};
use breakwater_dialect::pass::Asked;
use breakwater_dialect::translate::Crossing;
use breakwater_dialect::{Ending, Format, quirks};
use bytes::{Bytes, BytesMut};
use criterion::{Criterion, Throughput};

use self::cpu::CpuTime;
use self::table::Row;

/// Bytes of a piece in which an upstream's body comes: what hyper reads at once.
const PIECE_BYTES: usize = 16 * 1024;

fn main() {
    let folder = table::folder();
    let mut criterion = Criterion::default()
        .with_measurement(CpuTime)
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2))
        .without_plots()
        .output_directory(&folder)
        .configure_from_args();
    let call = data::claude_code();
    let chat = data::largest_stream(Format::Chat);
    let messages = data::largest_stream(Format::Messages);
    let rows = [
        request(&mut criterion, "request-pass", Format::Messages, &call),
        request(&mut criterion, "request-messages-chat", Format::Chat, &call),
        pass(&mut criterion, "stream-pass", None, &chat),
        pass(&mut criterion, "stream-guarded", Some(guards()), &chat),
        cross(&mut criterion, "stream-chat-messages", (Format::Chat, Format::Messages), &chat),
        cross(&mut criterion, "stream-messages-chat", (Format::Messages, Format::Chat), &messages),
        cross(&mut criterion, "stream-chat-responses", (Format::Chat, Format::Responses), &chat),
        cross(&mut criterion, "stream-chat-gemini", (Format::Chat, Format::Gemini), &chat),
    ];
    criterion.final_summary();
    table::print(&folder, &rows);
}

/// Reads Claude Code's call and writes it for a provider.
fn request(criterion: &mut Criterion<CpuTime>, name: &'static str, provider: Format, body: &Bytes) -> Row {
    let asked = Asked { format: Format::Messages, model: None, stream: None };
    let target = Target {
        format: provider,
        model: "the-provider-s-name-of-the-model".to_owned(),
        max_output_tokens: Some(32_000),
        embeddings: None,
        quirks: &quirks::PLAIN,
        reasons: None,
    };
    let ours = || {
        let call = exchange::parse(asked.clone(), body).expect("a call of a real client");
        exchange::prepare(&call, &[], &target).expect("it can be said").body
    };
    assert!(ours().len() > body.len() / 2, "{name}: the call is there");
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("ours", |bencher| bencher.iter(|| black_box(ours())));
    group.bench_function("value", |bencher| bencher.iter(|| black_box(value::request(body))));
    group.finish();
    Row { name, what: format!("request, messages to {}", provider.as_str()), bytes: body.len() }
}

/// Lets a stream of chat completions through.
fn pass(
    criterion: &mut Criterion<CpuTime>,
    name: &'static str,
    guards: Option<Arc<CompiledGuards>>,
    stream: &Bytes,
) -> Row {
    let guarded = if guards.is_some() { ", guarded (PII, secrets)" } else { "" };
    let (client, provider) = (Format::Chat, Format::Chat);
    let exchange = Exchange { client, provider, caller: caller(), guards, embeddings: None };
    let ours = || {
        let mut answer = exchange.stream().expect("chat has streams");
        for piece in stream.chunks(PIECE_BYTES) {
            drop(black_box(answer.push(piece).expect("a recorded answer")));
        }
        answer.finish()
    };
    assert_eq!(ours().ending, Ending::Completed, "{name}");
    measure(criterion, name, stream, || drop(black_box(ours())));
    Row { name, what: format!("stream, chat to chat{guarded}"), bytes: stream.len() }
}

/// Translates a stream.
fn cross(
    criterion: &mut Criterion<CpuTime>,
    name: &'static str,
    (provider, client): (Format, Format),
    stream: &Bytes,
) -> Row {
    let caller = caller();
    let ours = || {
        let mut crossing = Crossing::new(provider, client, &caller).expect("both have streams");
        let mut out = BytesMut::new();
        for piece in stream.chunks(PIECE_BYTES) {
            out.clear();
            crossing.push(piece, &mut out).expect("a recorded answer");
            black_box(&out);
        }
        crossing.finish(&mut out);
        crossing.over()
    };
    assert_eq!(ours(), Some(Ending::Completed), "{name}");
    measure(criterion, name, stream, || {
        black_box(ours());
    });
    Row { name, what: format!("stream, {} to {}", provider.as_str(), client.as_str()), bytes: stream.len() }
}

fn measure(criterion: &mut Criterion<CpuTime>, name: &str, stream: &Bytes, mut ours: impl FnMut()) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(stream.len() as u64));
    group.bench_function("ours", |bencher| bencher.iter(&mut ours));
    group.bench_function("value", |bencher| bencher.iter(|| black_box(value::stream(stream))));
    group.finish();
}

fn caller() -> Caller {
    Caller { alias: "prod-chat".to_owned(), id: "0123456789".to_owned(), created: 7, ..Caller::default() }
}

/// What a careful operator asks of answers.
fn guards() -> Arc<CompiledGuards> {
    let guardrail = |name: &str, check, action| Guardrail {
        name: name.to_owned(),
        check,
        sides: Sides { input: false, output: true },
        action,
        fail_open: false,
    };
    let guardrails = vec![
        guardrail("pii", GuardrailCheck::Pii(PiiEntity::ALL.to_vec()), Action::Redact),
        guardrail("secrets", GuardrailCheck::Secrets, Action::Redact),
    ];
    let policy = Policy { mode: Mode::Enforce, guardrails };
    Arc::new(CompiledGuards::compile(&[("p", &policy)]).expect("a sound policy"))
}
