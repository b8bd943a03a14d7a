//! Streams: whole, cut, stalled, failing before and after the first content.

use crate::kit::{Act, Answer, Rig, STOP, Upstream, chat, chunk, two_providers};

async fn rig() -> (Rig, Upstream, Upstream) {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let rig = Rig::start(&two_providers(&first, &second)).await;
    (rig, first, second)
}

async fn stream(rig: &Rig) -> Answer {
    rig.caller.post(chat("chat", true)).await
}

#[tokio::test]
async fn a_stream_reaches_the_caller_under_the_alias() {
    let (rig, first, _second) = rig().await;
    first.script([Act::stream(&[&chunk("one"), &chunk("two"), STOP, "[DONE]"])]);
    let answer = stream(&rig).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let text = answer.text();
    assert!(text.contains("one") && text.contains("two") && text.ends_with("data: [DONE]\n\n"), "{text}");
    assert!(text.contains(r#""model":"chat""#) && !text.contains("gpt-4o"), "{text}");
    rig.counted("breakwater_calls_total{route=\"chat\",status=\"200\",ending=\"completed\"} 1").await;
}

#[tokio::test]
async fn an_error_event_before_the_first_content_falls_back() {
    let (rig, first, second) = rig().await;
    let role = chunk("").replace(r#""content":"""#, r#""role":"assistant","content":"""#);
    first.script([Act::stream(&[&role, r#"{"error":{"message":"overloaded","type":"server_error"}}"#])]);
    second.script([Act::stream(&[&chunk("from the second"), STOP, "[DONE]"])]);
    let text = stream(&rig).await.text();
    assert!(text.contains("from the second") && !text.contains("overloaded"), "{text}");
}

#[tokio::test]
async fn a_stream_that_ends_before_the_first_content_falls_back() {
    let (rig, first, second) = rig().await;
    first.script([Act::stream(&[])]);
    second.script([Act::stream(&[&chunk("from the second"), STOP, "[DONE]"])]);
    assert!(stream(&rig).await.text().contains("from the second"));
}

#[tokio::test]
async fn a_stream_that_is_cut_ends_with_an_error_event_and_counts_as_failure() {
    let (rig, first, second) = rig().await;
    let cut = || Act::stream(&[&chunk("one")]);
    first.script([cut(), cut()]);
    for _ in 0..2 {
        let text = stream(&rig).await.text();
        assert!(text.contains("one") && text.contains(r#""error""#), "{text}");
        assert!(!text.contains("gpt-4o"), "{text}");
    }
    rig.counted("breakwater_circuit_breaker_state{provider=\"first\"} 2").await;
    rig.counted("breakwater_calls_total{route=\"chat\",status=\"200\",ending=\"cut\"} 2").await;
    assert!(second.requests().is_empty(), "nothing is spliced");
}

#[tokio::test]
async fn a_stream_that_stalls_ends_with_an_error_event() {
    let (rig, first, _second) = rig().await;
    first.script([Act::stalled(&[&chunk("one")])]);
    let answer = stream(&rig).await;
    let text = answer.text();
    assert!(text.contains("one") && text.contains(r#""error""#), "{text}");
    let why = rig.control.why(answer.header("x-breakwater-request-id")).await;
    assert_eq!((why.ending.as_str(), why.code.as_str()), ("cut", "idle_timeout"));
    assert!(why.stream);
}

#[tokio::test]
async fn a_whole_answer_to_a_call_for_a_stream_becomes_one() {
    let (rig, first, _second) = rig().await;
    first.script([Act::chat()]);
    let text = stream(&rig).await.text();
    assert!(text.contains(r#""content":"hi""#) && text.ends_with("data: [DONE]\n\n"), "{text}");
}
