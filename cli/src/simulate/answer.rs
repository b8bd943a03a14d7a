//! An answer before it goes over the wire: whole, or as events whose framing is written last, so that a fault can change an
//! event and leave its frame right, or break the frame.

use bytes::Bytes;
use serde_json::Value;

use super::wire::eventstream;

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: u16,
    /// Headers beside the media type; one of the name `content-type` stands in its place.
    pub(super) headers: Vec<(String, String)>,
    /// What it says.
    pub(super) body: Body,
}

/// The body of an answer.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// All at once.
    Whole(Bytes),
    /// One by one.
    Events(Framing, Vec<Event>),
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Its type, where the framing has a place for it.
    pub(super) name: &'static str,
    /// What it carries, mostly JSON.
    pub(super) data: Bytes,
    /// What it is for.
    pub(super) part: Part,
}

/// What an event is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Before the content: ids, roles, blocks that open.
    Start,
    /// A piece of text.
    Content,
    /// A piece of the tool call of this index.
    Call(usize),
    /// Blocks that close.
    Close,
    /// Why the model stopped.
    Finish,
    /// Tokens alone.
    Usage,
    /// Says that all is there.
    End,
    /// Keeps the connection open.
    Ping,
    /// Says that the answer failed.
    Failure,
}

/// How events are told apart on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Server-sent events without a type.
    Sse,
    /// Server-sent events with one.
    NamedSse,
    /// Server-sent events whose lines end with CR LF.
    SseCrLf,
    /// A line each.
    Lines,
    /// AWS's binary event stream.
    Binary,
    /// The data is the frame: members of a JSON array, or what was recorded.
    AsIs,
}

impl Answer {
    /// Makes a whole JSON answer.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: Body::Whole(Bytes::from(body.to_string())) }
    }

    /// Makes a streamed answer.
    pub(super) fn events(framing: Framing, events: Vec<Event>) -> Self {
        Self { status: 200, headers: Vec::new(), body: Body::Events(framing, events) }
    }

    /// Sets a header.
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Whether it comes event by event.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.body, Body::Events(..))
    }

    /// Returns its headers with a media type.
    pub(super) fn all_headers(&self) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            let media_type = match &self.body {
                Body::Whole(_) => "application/json",
                Body::Events(framing, _) => framing.media_type(),
            };
            headers.push(("content-type".to_owned(), media_type.to_owned()));
        }
        headers
    }

    /// Returns the chunks in which it is written.
    pub(super) fn chunks(&self) -> Vec<Bytes> {
        match &self.body {
            Body::Whole(bytes) => vec![bytes.clone()],
            Body::Events(framing, events) => events.iter().map(|event| framing.frame(event)).collect(),
        }
    }
}

impl Event {
    /// Makes an event of JSON.
    pub(super) fn json(name: &'static str, data: &Value, part: Part) -> Self {
        Self { name, data: Bytes::from(data.to_string()), part }
    }
}

impl Framing {
    /// Writes an event.
    pub(super) fn frame(self, event: &Event) -> Bytes {
        let Event { name, data, .. } = event;
        let framed = match self {
            // A comment has no data: its own bytes are the frame.
            Self::Sse | Self::SseCrLf | Self::AsIs if event.part == Part::Ping => return data.clone(),
            Self::AsIs => return data.clone(),
            Self::Sse => [b"data: ".as_slice(), data, b"\n\n"].concat(),
            Self::NamedSse => [b"event: ".as_slice(), name.as_bytes(), b"\ndata: ", data, b"\n\n"].concat(),
            Self::SseCrLf => [b"data: ".as_slice(), data, b"\r\n\r\n"].concat(),
            Self::Lines => [data.as_ref(), b"\n".as_slice()].concat(),
            Self::Binary => return eventstream::message(name, data, event.part == Part::Failure),
        };
        Bytes::from(framed)
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Sse | Self::NamedSse | Self::SseCrLf => "text/event-stream; charset=utf-8",
            Self::Lines => "application/x-ndjson",
            Self::Binary => "application/vnd.amazon.eventstream",
            Self::AsIs => "application/json",
        }
    }
}
