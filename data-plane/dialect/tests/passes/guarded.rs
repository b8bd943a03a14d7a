//! Guardrails within one format: what a caller gets is what the guard says of the whole texts, however the stream is cut,
//! and a secret never leaves, wherever it stands.

use std::sync::Arc;

use breakwater_common::guard::{CompiledGuards, Side};
use breakwater_common::resource::{Action, Guardrail, GuardrailCheck, Mode, PiiEntity, Policy, Sides};
use breakwater_dialect::{Ending, Format};
use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::Value;

use crate::kit::semantics::{Answer, arguments, text};
use crate::oracle::valid;
use crate::spoken::{FORMATS, Spoken};
use crate::{chance, exchange, kit, seed};

pub const SECRET: &str = "AKIAIOSFODNN7EXAMPLE";
/// Its first half: a caller who gets that much got something.
pub const HALF: &str = "AKIAIOSFOD";
const CASES: u32 = 96;

pub fn guards(secrets: Action) -> Arc<CompiledGuards> {
    let guardrail = |name: &str, check, action| Guardrail {
        name: name.to_owned(),
        check,
        sides: Sides { input: true, output: true },
        action,
        fail_open: false,
    };
    let pii = GuardrailCheck::Pii(PiiEntity::ALL.to_vec());
    let guardrails =
        vec![guardrail("pii", pii, Action::Redact), guardrail("secrets", GuardrailCheck::Secrets, secrets)];
    let policy = Policy { mode: Mode::Enforce, guardrails };
    Arc::new(CompiledGuards::compile(&[("p", &policy)]).expect("the policy is right"))
}

/// Texts made of words, of what is masked, and (not often) of what blocks.
fn saying() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        6 => Just("Hello there, "),
        3 => Just("mail john@example.com, "),
        2 => Just("card 4111 1111 1111 1111 and "),
        2 => Just("caf\u{e9} \u{1f600} \"quoted\\path\"\n"),
        2 => Just("a@"),
        2 => Just("b.com "),
        1 => Just("call +1 415 555 2671. "),
        1 => Just(" AKIAIOSFODNN7EXAMPLE "),
        2 => Just("2024-01-31 "),
    ];
    proptest::collection::vec(word, 0..7).prop_map(|words| words.concat())
}

/// A text in pieces.
fn pieces(whole: &str, state: &mut u64) -> Vec<String> {
    let mut rest: Vec<char> = whole.chars().collect();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let after = rest.split_off(rest.len().min(1 + chance(state) % 14));
        pieces.push(rest.into_iter().collect());
        rest = after;
    }
    pieces
}

fn spoken() -> impl Strategy<Value = (Spoken, u64)> {
    (saying(), saying(), saying(), any::<u64>()).prop_map(|(thinking, text, value, seed)| {
        let mut state = seed;
        let arguments = serde_json::json!({"to": value, "n": 4}).to_string();
        let spoken = Spoken {
            thinking: pieces(&thinking, &mut state),
            text: pieces(&text, &mut state),
            arguments: pieces(&arguments, &mut state),
        };
        (spoken, state)
    })
}

/// What the guard says of a whole text: the text to give, or none if it blocks.
fn judged(guards: &CompiledGuards, whole: &str, json: bool) -> Option<String> {
    let judged =
        if json { guards.evaluate_json(Side::Output, whole) } else { guards.evaluate(Side::Output, whole) };
    (judged.action != Action::Block).then(|| judged.redacted.unwrap_or_else(|| whole.to_owned()))
}

/// What a caller must get: thinking, text and arguments; none if any of them blocks.
fn wanted(format: Format, spoken: &Spoken) -> Option<[String; 3]> {
    let guards = guards(Action::Block);
    let text = judged(&guards, &spoken.text.concat(), false)?;
    if format == Format::Completions {
        return Some([String::new(), text, String::new()]);
    }
    let thinking = judged(&guards, &spoken.thinking.concat(), false)?;
    Some([thinking, text, judged(&guards, &spoken.arguments.concat(), true)?])
}

fn read(format: Format, events: &[Value]) -> Answer {
    if format != Format::Completions {
        return kit::streamed(format, events);
    }
    let mut choice = kit::semantics::Choice::default();
    events.iter().for_each(|event| choice.text.push_str(text(&event["choices"][0]["text"])));
    Answer { choices: vec![choice], ..Answer::default() }
}

fn play<'a>(format: Format, pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, Ending) {
    let mut exchange = exchange(format, true);
    exchange.guards = Some(guards(Action::Block));
    let mut stream = exchange.stream().expect("it has streams");
    let mut out = Vec::new();
    for piece in pieces {
        out.extend_from_slice(&stream.push(piece).expect("no fault").bytes);
    }
    let end = stream.finish();
    out.extend_from_slice(&end.bytes);
    (out, end.ending)
}

fn valid_event(format: Format, event: &Value) -> Result<(), String> {
    if format == Format::Completions { Ok(()) } else { valid::event(format, event) }
}

fn streamed(format: Format, spoken: &Spoken, mut state: u64) -> Result<bool, String> {
    let stream = spoken.stream(format);
    let (out, ending) = play(format, [stream.as_slice()]);
    let mut random = Vec::new();
    let mut rest = stream.as_slice();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(1 + chance(&mut state) % 60));
        random.push(piece);
        rest = after;
    }
    for (way, other) in [("at random", play(format, random)), ("by bytes", play(format, stream.chunks(1)))] {
        if other != (out.clone(), ending) {
            let (one, other) =
                (String::from_utf8_lossy(&out), String::from_utf8_lossy(&other.0).into_owned());
            return Err(format!("cut {way} it is another stream:\n{one}\n{other}"));
        }
    }
    let frames = kit::frames::split(format, &out)?;
    let done = frames.iter().filter(|frame| frame.done).count();
    let names: Vec<String> = frames.iter().map(|frame| frame.name.clone()).collect();
    let events = kit::frames::events(frames);
    for event in &events {
        valid_event(format, event).map_err(|why| format!("invalid: {why}: {event}"))?;
    }
    let answer = read(format, &events);
    let shown = String::from_utf8_lossy(&out).into_owned();
    let Some([thinking, text, given]) = wanted(format, spoken) else {
        blocked(format, spoken, &answer, &shown, ending)?;
        let end = Ended { events: &events, names: &names, done };
        return end.check(format).map(|()| true).map_err(|why| format!("{why}\n{shown}"));
    };
    if ending != Ending::Completed {
        return Err(format!("it ends as {ending:?}"));
    }
    let choice = answer.choices.first().ok_or("no choice")?;
    if (&choice.thinking, &choice.text) != (&thinking, &text) {
        return Err(format!("{choice:?}\nwanted {thinking:?} {text:?}"));
    }
    let calls: Vec<&Value> = choice.calls.iter().map(|call| &call.1).collect();
    if format != Format::Completions && calls != [&arguments(&given)] {
        return Err(format!("{calls:?} wanted {given}"));
    }
    if format == Format::Responses {
        let last = kit::whole(format, &events.last().ok_or("no event")?["response"]);
        let (said, _, _) = kit::responses::deltas(&events);
        if last.choices != answer.choices || said != text {
            return Err("what is repeated is another text".to_owned());
        }
    }
    Ok(false)
}

/// A blocked stream gives nothing from the secret on, and of each text only its beginning.
fn blocked(
    format: Format,
    spoken: &Spoken,
    answer: &Answer,
    shown: &str,
    ending: Ending,
) -> Result<(), String> {
    if ending != Ending::Blocked {
        return Err(format!("it ends as {ending:?}"));
    }
    if shown.contains(HALF) {
        return Err(format!("a secret left: {shown}"));
    }
    let choice = answer.choices.first().cloned().unwrap_or_default();
    let masking = guards(Action::Redact);
    for (got, whole) in [(&choice.thinking, spoken.thinking.concat()), (&choice.text, spoken.text.concat())] {
        let masked = judged(&masking, &whole, false).expect("it only masks");
        let open = masked.split("[SECRET]").next().unwrap_or_default();
        if !open.starts_with(got.as_str()) {
            return Err(format!("{got:?} is no beginning of {open:?}"));
        }
    }
    let tool = judged(&masking, &spoken.arguments.concat(), true).expect("it only masks");
    let calls = choice.calls.iter().map(|call| &call.1);
    let nothing = arguments("");
    if calls
        .into_iter()
        .any(|given| *given != nothing && (*given != arguments(&tool) || tool.contains("[SECRET]")))
    {
        return Err(format!("the arguments {:?} of {format:?} left", choice.calls));
    }
    Ok(())
}

/// How a stream ended.
struct Ended<'a> {
    events: &'a [Value],
    names: &'a [String],
    done: usize,
}

impl Ended<'_> {
    /// Whether a blocked stream ends as its format asks.
    fn check(&self, format: Format) -> Result<(), String> {
        let last = self.events.last().ok_or("nothing came")?;
        let ensure = |held: bool, what: &str| if held { Ok(()) } else { Err(what.to_owned()) };
        match format {
            Format::Chat | Format::Completions => {
                ensure(self.done == 1, "no [DONE]")?;
                let reasons: Vec<&Value> =
                    self.events.iter().map(|one| &one["choices"][0]["finish_reason"]).collect();
                ensure(*reasons[reasons.len() - 1] == "content_filter", "no content_filter")?;
                ensure(reasons.iter().filter(|reason| !reason.is_null()).count() == 1, "several reasons")
            }
            Format::Messages => {
                ensure(self.names.iter().zip(self.events).all(|(name, one)| one["type"] == **name), "names")?;
                let count = |kind: &str| self.names.iter().filter(|name| *name == kind).count();
                ensure(self.names[0] == "message_start" && last["type"] == "message_stop", "ends")?;
                ensure(count("content_block_start") == count("content_block_stop"), "a block is open")?;
                let before = &self.events[self.events.len() - 2];
                ensure(before["delta"]["stop_reason"] == "refusal", "no refusal")
            }
            Format::Responses => {
                ensure(last["type"] == "response.incomplete", "not incomplete")?;
                let response = &last["response"];
                ensure(response["status"] == "incomplete", "status")?;
                ensure(response["incomplete_details"]["reason"] == "content_filter", "reason")?;
                let numbers: Vec<u64> =
                    self.events.iter().filter_map(|event| event["sequence_number"].as_u64()).collect();
                ensure(numbers.is_sorted_by(|one, next| one < next), "numbers do not rise")
            }
            Format::Gemini => ensure(last["candidates"][0]["finishReason"] == "SAFETY", "no SAFETY"),
            _ => {
                let tail: Vec<&str> = self.names.iter().rev().take(2).map(String::as_str).collect();
                ensure(tail == ["metadata", "messageStop"], "no end")?;
                let stop = &self.events[self.events.len() - 2]["messageStop"];
                ensure(stop["stopReason"] == "guardrail_intervened", "no guardrail_intervened")?;
                let count = |kind: &str| self.names.iter().filter(|name| *name == kind).count();
                let mut open = std::collections::BTreeSet::new();
                for event in self.events {
                    for kind in ["contentBlockStart", "contentBlockDelta"] {
                        open.extend(event[kind]["contentBlockIndex"].as_u64());
                    }
                }
                // An empty block of thinking or text ends without having begun.
                ensure(count("contentBlockStop") >= open.len(), "a block is open")
            }
        }
    }
}

fn whole(format: Format, spoken: &Spoken) -> Result<bool, String> {
    let mut exchange = exchange(format, true);
    exchange.guards = Some(guards(Action::Block));
    let reply =
        exchange.reply(&Bytes::from(spoken.whole(format).to_string())).map_err(|why| why.to_string())?;
    let body: Value = serde_json::from_slice(&reply.body).map_err(|why| why.to_string())?;
    if format != Format::Completions {
        valid::reply(format, &body).map_err(|why| format!("invalid: {why}: {body}"))?;
    }
    let answer = if format == Format::Completions {
        read(format, std::slice::from_ref(&body))
    } else {
        kit::whole(format, &body)
    };
    let choice = answer.choices.first().cloned().unwrap_or_default();
    let Some([thinking, text, given]) = wanted(format, spoken) else {
        let silent = choice.text.is_empty() && choice.thinking.is_empty() && choice.calls.is_empty();
        let filtered = format == Format::Completions || choice.stop == Some(kit::semantics::Stop::Filtered);
        let left = body.to_string().contains(HALF);
        return if reply.blocked.is_some() && silent && filtered && !left {
            Ok(true)
        } else {
            Err(format!("not blocked: {body}"))
        };
    };
    let calls: Vec<Value> = choice.calls.iter().map(|call| call.1.clone()).collect();
    let called = format == Format::Completions || calls == [arguments(&given)];
    if (choice.thinking, choice.text) != (thinking, text) || !called || reply.blocked.is_some() {
        return Err(format!("another answer: {body}"));
    }
    Ok(false)
}

fn hold(what: &str, judge: impl Fn(Format, &Spoken, u64) -> Result<bool, String>) {
    assert!(SECRET.starts_with(HALF));
    println!("seed: {}", seed());
    for format in FORMATS {
        let config = Config {
            cases: CASES,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(seed()),
            ..Config::default()
        };
        let counts = std::cell::Cell::new((0, 0));
        let run = TestRunner::new(config).run(&spoken(), |(spoken, state)| {
            let blocked = judge(format, &spoken, state).map_err(TestCaseError::fail)?;
            let (passed, stopped) = counts.get();
            counts.set(if blocked { (passed, stopped + 1) } else { (passed + 1, stopped) });
            Ok(())
        });
        let (passed, stopped) = counts.get();
        println!("{:>12} {what}: {passed} passed, {stopped} blocked", format.as_str());
        run.unwrap_or_else(|why| panic!("{}: {why}", format.as_str()));
        assert!(passed > 20 && stopped > 10, "both ways are tried: {passed} {stopped}");
    }
}

#[test]
fn a_guarded_stream_says_what_the_guard_says_of_the_whole_however_it_is_cut() {
    hold("streams", streamed);
}

#[test]
fn a_guarded_answer_says_what_the_guard_says() {
    hold("answers", |format, spoken, _| whole(format, spoken));
}
