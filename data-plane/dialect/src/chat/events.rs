//! Events that this proxy writes itself.

use bytes::BytesMut;

use super::reply::CONTENT_FILTER;
use crate::{Ending, json};

/// The marker that says that all is there.
pub(super) const END: &[u8] = b"data: [DONE]\n\n";

/// Writes the end of a stream that a guardrail blocked: an end for each open choice, and the marker. The identity is `id`
/// and `created` as the upstream's chunks had them, in source.
pub(super) fn blocked(
    identity: &(String, String),
    alias: &str,
    open: impl Iterator<Item = u32>,
    out: &mut BytesMut,
) {
    let id = if identity.0.is_empty() { "\"chatcmpl-blocked\"" } else { &identity.0 };
    let created = if identity.1.is_empty() { "0" } else { &identity.1 };
    let model = json::quote(alias);
    for index in open {
        let choice =
            format!(r#"{{"index":{index},"delta":{{}},"logprobs":null,"finish_reason":"{CONTENT_FILTER}"}}"#);
        let event = format!(
            r#"data: {{"id":{id},"object":"chat.completion.chunk","created":{created},"model":{model},"choices":[{choice}]}}"#
        );
        out.extend_from_slice(event.as_bytes());
        out.extend_from_slice(b"\n\n");
    }
    out.extend_from_slice(END);
}

/// Writes the error event of a stream that ends without its end.
pub(super) fn failed(ending: Ending, out: &mut BytesMut) {
    let (message, code) = match ending {
        Ending::Cut | Ending::Completed | Ending::Blocked => {
            ("the answer was cut off before its end; ask again", "upstream_cut")
        }
        Ending::UpstreamError => ("the answer failed before its end; ask again", "upstream_error"),
    };
    let event = format!(
        r#"data: {{"error":{{"message":"{message}","type":"server_error","param":null,"code":"{code}"}}}}"#
    );
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(b"\n\n");
}
