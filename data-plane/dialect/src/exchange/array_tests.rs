use serde_json::Value;

use super::*;

const EVENTS: &str = concat!(
    ": a comment\r\n\r\n",
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]},\"index\":0}],\"modelVersion\":\"g\"}\r\n\r\n",
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"!\"}]},\"finishReason\":\"STOP\",\"index\":0}],\"modelVersion\":\"g\"}\r\n\r\n",
);
const CHAT: &str = concat!(
    "data: {\"id\":\"1\",\"model\":\"g\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hi\"}}]}\n\n",
    "data: {\"id\":\"1\",\"model\":\"g\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"!\"},\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n",
);

fn play(provider: Format, array: bool, stream: &str, size: usize) -> (String, Ending) {
    let caller =
        Caller { alias: "m".to_owned(), id: "7".to_owned(), gemini_array: array, ..Caller::default() };
    let exchange = Exchange { client: Format::Gemini, provider, caller, guards: None, embeddings: None };
    assert_eq!(exchange.content_type(), if array { "application/json" } else { "text/event-stream" });
    let mut rewriter = exchange.stream().unwrap();
    let mut out = Vec::new();
    for piece in stream.as_bytes().chunks(size) {
        match rewriter.push(piece) {
            Ok(step) => out.extend_from_slice(&step.bytes),
            Err(fault) => return (format!("{fault:?}"), Ending::UpstreamError),
        }
    }
    let end = rewriter.finish();
    out.extend_from_slice(&end.bytes);
    (String::from_utf8(out).unwrap(), end.ending)
}

fn events(stream: &str) -> Vec<Value> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

#[test]
fn an_array_holds_what_would_be_events() {
    for (provider, stream) in [(Format::Gemini, EVENTS), (Format::Chat, CHAT)] {
        for cut in [stream.len(), stream.len() / 2] {
            let stream = &stream[..cut];
            for size in [1, 7, 10_000] {
                let (sse, ending) = play(provider, false, stream, size);
                let (array, same) = play(provider, true, stream, size);
                assert_eq!(serde_json::from_str::<Vec<Value>>(&array).unwrap(), events(&sse), "{array}");
                assert_eq!(ending, same);
            }
        }
    }
    let (array, _) = play(Format::Gemini, true, EVENTS, 10_000);
    assert!(array.starts_with("[{") && array.contains("},\n{") && array.ends_with("}]"), "{array}");
}

#[test]
fn an_array_of_nothing_is_still_one() {
    let (array, ending) = play(Format::Gemini, true, "", 1);
    let cut: Vec<Value> = serde_json::from_str(&array).unwrap();
    assert_eq!((cut.len(), ending), (1, Ending::Cut));
    assert!(cut[0]["error"].is_object());
}

#[test]
fn an_answer_at_once_is_an_array_too() {
    let body = Bytes::from_static(
        br#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP","index":0}],"modelVersion":"g"}"#,
    );
    let stream = |gemini_array| {
        let caller = Caller { alias: "m".to_owned(), gemini_array, ..Caller::default() };
        let provider = Format::Gemini;
        let exchange = Exchange { client: provider, provider, caller, guards: None, embeddings: None };
        let bytes = exchange.reply_as_stream(&body).unwrap().unwrap().bytes;
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    assert_eq!(serde_json::from_str::<Vec<Value>>(&stream(true)).unwrap(), events(&stream(false)));
}
