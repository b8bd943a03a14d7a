//! Events that this proxy writes itself.

use bytes::BytesMut;

use super::pass::{CONTENT_FILTER, Shape};
use crate::codec::Caller;
use crate::{Ending, json};

/// The marker that says that all is there.
pub(super) const END: &[u8] = b"data: [DONE]\n\n";

/// Writes the end of a stream that a guardrail blocked: an end for each open choice, and the marker.
pub(super) fn blocked(caller: &Caller, shape: Shape, open: impl Iterator<Item = u32>, out: &mut BytesMut) {
    let id = json::quote(&shape.id(caller));
    let (model, created) = (json::quote(&caller.alias), caller.created);
    for index in open {
        let (object, rest) = match shape {
            Shape::Chat => ("chat.completion.chunk", r#""delta":{}"#),
            Shape::Legacy => ("text_completion", r#""text":"""#),
        };
        let choice =
            format!(r#"{{"index":{index},{rest},"logprobs":null,"finish_reason":"{CONTENT_FILTER}"}}"#);
        let event = format!(
            r#"data: {{"id":{id},"object":"{object}","created":{created},"model":{model},"choices":[{choice}]}}"#
        );
        out.extend_from_slice(event.as_bytes());
        out.extend_from_slice(b"\n\n");
    }
    out.extend_from_slice(END);
}

/// Writes the error event of a stream that ends without its end.
pub(super) fn failed(ending: Ending, out: &mut BytesMut) {
    let (message, code) = (ending.message(), ending.code());
    let event = format!(
        r#"data: {{"error":{{"message":"{message}","type":"server_error","param":null,"code":"{code}"}}}}"#
    );
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(b"\n\n");
}
