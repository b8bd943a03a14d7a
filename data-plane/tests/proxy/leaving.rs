//! Callers that leave (bug 30): the upstream is cancelled at once, also before its first token, and what it has read and written
//! by then is settled.

use http_body_util::BodyExt;

use crate::kit::{Act, Rig, Upstream, chat, chunk, eventually, soon, two_providers};

/// A rig whose first model costs 3 dollars a million tokens read and 5 a million written: so many millionths a token.
async fn rig(first: &Upstream) -> Rig {
    let second = Upstream::start().await;
    let priced = "{name: gpt-4o, price: {input: 3, output: 5}}";
    Rig::start(&two_providers(first, &second).replacen("{name: gpt-4o}", priced, 1)).await
}

/// Asks and leaves as soon as the upstream has the request.
async fn ask_and_leave(rig: &Rig, first: &Upstream, stream: bool) {
    let before = first.requests().len();
    let leaving = rig.caller.post(chat("alone", stream));
    let asked = eventually("the upstream is asked", || async { first.requests().len() > before });
    tokio::select! {
        answer = leaving => panic!("answered: {answer:?}"),
        () = asked => {}
    }
}

#[tokio::test]
async fn bug_30_before_the_first_token_what_was_read_is_settled() {
    let first = Upstream::start().await;
    let rig = rig(&first).await;
    let role = chunk("").replace(r#""content":"""#, r#""role":"assistant","content":"""#);
    // Nothing at all; a call for a stream, nothing at all; a stream that has begun and says nothing yet.
    first.script([Act::Silence, Act::Silence, Act::stalled(&[&role])]);
    for (stream, left) in [(false, 1), (true, 2), (true, 3)] {
        ask_and_leave(&rig, &first, stream).await;
        eventually("the upstream is left", || async { first.left() == left }).await;
    }
    rig.counted("breakwater_calls_total{route=\"alone\",status=\"0\",ending=\"client_left\"} 3").await;
    let attempts = "breakwater_attempts_total{provider=\"first\",result=\"abandoned\",reason=\"\"} 3";
    rig.counted(attempts).await;
    // "hello" is one token.
    rig.counted("breakwater_tokens_total{route=\"alone\",kind=\"input\"} 3").await;
    rig.counted("breakwater_cost_microdollars_total{route=\"alone\"} 9").await;
    assert!(!rig.metrics().await.contains("kind=\"output\""), "nobody wrote anything");
    rig.counted("breakwater_circuit_breaker_state{provider=\"first\"} 0").await;
}

#[tokio::test]
async fn bug_30_within_a_stream_what_was_read_and_written_is_settled() {
    let first = Upstream::start().await;
    let rig = rig(&first).await;
    first.script([Act::stalled(&[&chunk("one"), &chunk("two"), &chunk("three")])]);
    let mut stream = rig.caller.stream("alone").await;
    let id = stream.headers()["x-breakwater-request-id"].to_str().unwrap().to_owned();
    let mut taken = String::new();
    while !taken.contains("three") {
        let frame = soon("content comes", stream.frame()).await.unwrap().unwrap();
        taken.push_str(&String::from_utf8_lossy(frame.data_ref().unwrap()));
    }
    drop(stream);
    eventually("the upstream is left", || async { first.left() == 1 }).await;
    rig.counted("breakwater_calls_total{route=\"alone\",status=\"200\",ending=\"client_left\"} 1").await;
    let why = rig.control.why(&id).await;
    assert_eq!((why.prompt_tokens, why.output_tokens, why.usage_estimated), (Some(1), Some(3), true));
    rig.counted("breakwater_tokens_total{route=\"alone\",kind=\"output\"} 3").await;
    rig.counted("breakwater_cost_microdollars_total{route=\"alone\"} 18").await;
    rig.counted("breakwater_circuit_breaker_state{provider=\"first\"} 0").await;
}
