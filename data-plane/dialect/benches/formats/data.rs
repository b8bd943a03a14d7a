//! Real traffic: Claude Code's call, and the largest recorded streams.

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../../tests/kit/recordings.rs"]
mod recordings;

use breakwater_dialect::Format;
use bytes::Bytes;

use self::recordings::Body;

/// The first real call of Claude Code (2.1.197, 24 tools), as it sends it: without space between its members.
pub fn claude_code() -> Bytes {
    let recorded = recordings::json("corpus/client-requests/cc_002.json");
    Bytes::from(recorded.get("body").expect("a call has a body").to_string())
}

/// The largest stream of server-sent events that was recorded in a format.
pub fn largest_stream(format: Format) -> Bytes {
    let streams = recordings::all().iter().filter_map(|recording| match &recording.reply {
        // One vendor's events are not terminated as the others' are, and it repeats all of the answer in each.
        Body::Stream(bytes)
            if recording.format == Some(format) && bytes.windows(2).any(|pair| pair == b"\n\n") =>
        {
            Some(bytes)
        }
        Body::Stream(_) | Body::Whole(_) | Body::Other => None,
    });
    let largest = streams.max_by_key(|bytes| bytes.len());
    Bytes::from(largest.expect("the corpus has streams").clone())
}
