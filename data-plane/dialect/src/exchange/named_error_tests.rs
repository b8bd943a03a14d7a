//! Errors in streams whose event is named one while their data says another type, as llama.cpp's server sends them.

use super::test_kit::exchange;
use super::*;

const ERROR: &str =
    "event: error\ndata: {\"code\":500,\"message\":\"peg-native\",\"type\":\"server_error\"}\n\n";

/// What the provider says before: a piece of a text.
fn begun(provider: Format) -> &'static str {
    if provider == Format::Messages {
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"x\",\"content\":[],\"usage\":{\"input_tokens\":1}}}\n\n\
         event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n\
         event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"so\"}}\n\n"
    } else {
        "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"object\":\"response\",\"status\":\"in_progress\"}}\n\n\
         event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"item\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[]}}\n\n\
         event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"item_id\":\"m\",\"delta\":\"so\"}\n\n"
    }
}

#[test]
fn an_event_that_is_named_an_error_is_one() {
    for provider in [Format::Messages, Format::Responses] {
        for client in [Format::Messages, Format::Responses, Format::Chat] {
            let stream = || Exchange { client, provider, ..exchange("fast", None, false) }.stream().unwrap();
            let at_once = stream().push(ERROR.as_bytes());
            assert!(matches!(at_once, Err(StreamFault::Upstream { .. })), "{provider:?} {at_once:?}");

            let mut late = stream();
            let mut seen = late.push(begun(provider).as_bytes()).unwrap().bytes.to_vec();
            seen.extend_from_slice(&late.push(ERROR.as_bytes()).unwrap().bytes);
            let end = late.finish();
            seen.extend_from_slice(&end.bytes);
            let seen = String::from_utf8(seen).unwrap();
            assert_eq!(end.ending, Ending::UpstreamError, "{provider:?} to {client:?}: {seen}");
            assert!(
                seen.contains("\"so\"") && !seen.contains("peg-native"),
                "{provider:?} to {client:?}: {seen}"
            );
        }
    }
}
