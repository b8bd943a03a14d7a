//! A stream: pieces of text, an end for each choice, and the marker.

use bytes::BytesMut;

use super::write_reply::{counts, head, word};
use crate::Ending;
use crate::codec::{Caller, StreamWriter};
use crate::ir::{At, Delta, Event, Opening, Stop, Usage};
use crate::json::quote;

/// Writes one stream.
#[derive(Debug)]
pub(super) struct Writer {
    head: String,
    include_usage: bool,
    /// Blocks that are open and are text.
    texts: Vec<At>,
    stops: Vec<(u32, Stop)>,
    usage: Option<Usage>,
}

impl Writer {
    pub(super) fn new(caller: &Caller) -> Self {
        Self {
            head: head(caller),
            include_usage: caller.include_usage,
            texts: Vec::new(),
            stops: Vec::new(),
            usage: None,
        }
    }

    fn chunk(&self, choice: u32, text: &str, reason: &str, out: &mut BytesMut) {
        let choice = format!(
            r#"{{"text":{},"index":{choice},"logprobs":null,"finish_reason":{reason}}}"#,
            quote(text)
        );
        // Who asked for usage finds it null in each chunk but the last.
        self.event(&choice, if self.include_usage { r#","usage":null"# } else { "" }, out);
    }

    fn event(&self, choices: &str, rest: &str, out: &mut BytesMut) {
        let event = format!("data: {{{},\"choices\":[{choices}]{rest}}}\n\n", self.head);
        out.extend_from_slice(event.as_bytes());
    }
}

impl StreamWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            Event::Open(at, Opening::Text | Opening::Refusal) => self.texts.push(*at),
            Event::Delta(at, Delta::Text(text)) if self.texts.contains(at) && !text.is_empty() => {
                self.chunk(at.choice, text, "null", out);
            }
            Event::Close(at) => self.texts.retain(|open| open != at),
            Event::Stop(choice, stop) => self.stops.push((*choice, stop.clone())),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Start | Event::Open(..) | Event::Delta(..) | Event::End => {}
        }
    }

    fn complete(&mut self, out: &mut BytesMut) {
        for (choice, stop) in &self.stops {
            self.chunk(*choice, "", &format!("\"{}\"", word(stop)), out);
        }
        if self.include_usage {
            let usage = self.usage.unwrap_or_default();
            self.event("", &format!(",\"usage\":{}", counts(&usage)), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn fail(&mut self, ending: Ending, out: &mut BytesMut) {
        let (message, code) = match ending {
            Ending::Cut | Ending::Completed | Ending::Blocked => {
                ("the answer was cut off before its end; ask again", "upstream_cut")
            }
            Ending::UpstreamError => ("the answer failed before its end; ask again", "upstream_error"),
        };
        let event = format!(
            "data: {{\"error\":{{\"message\":\"{message}\",\"type\":\"server_error\",\"param\":null,\"code\":\"{code}\"}}}}\n\n"
        );
        out.extend_from_slice(event.as_bytes());
    }
}
