//! The library: each thing that can go wrong, with what its name takes.

use super::value::Takes;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the table below says of each what it is")]
pub enum Kind {
    Refuse,
    SlowAccept,
    TlsGarbage,
    NotHttp,
    HangUp,
    Reset,
    HalfHead,
    ResetAfterHead,
    SlowRead,
    Slow,
    SlowHead,
    NoAnswer,
    Informational,
    Status,
    ErrorEvent,
    Cut,
    CutInside,
    CutUtf8,
    Stall,
    Drip,
    Pings,
    Endless,
    BadJson,
    BadUtf8,
    BadGzip,
    ContentType,
    WrongDialect,
    Unstreamed,
    Streamed,
    EmptyBody,
    EmptyChoices,
    NoFinish,
    NoEnd,
    EndTwice,
    AfterEnd,
    Repeat,
    ToolOrder,
    WrongUsage,
    BigEvent,
    BigBody,
    BigHeaders,
    EarlyEof,
    LengthShort,
    LengthLong,
    BadChunk,
}

/// A row of the library.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What goes wrong.
    pub kind: Kind,
    /// Its name in a fault.
    pub name: &'static str,
    /// What stands behind `name=`.
    pub takes: Takes,
    /// Events that come before, if the fault has a place in a stream and nothing else is said.
    pub after: Option<u32>,
    /// What it does.
    pub what: &'static str,
}

impl Kind {
    /// Returns its row.
    #[must_use]
    pub fn entry(self) -> &'static Entry {
        let found = LIBRARY.iter().find(|entry| entry.kind == self);
        found.unwrap_or(&NONE)
    }
}

const fn row(kind: Kind, name: &'static str, takes: Takes, what: &'static str) -> Entry {
    Entry { kind, name, takes, after: None, what }
}

const fn placed(kind: Kind, name: &'static str, after: u32, what: &'static str) -> Entry {
    Entry { kind, name, takes: Takes::Nothing, after: Some(after), what }
}

/// Stands for a row that a defect left out; a test holds that each kind has one.
static NONE: Entry = row(Kind::Slow, "", Takes::Nothing, "");

/// All of it, in the order in which a call meets them.
pub static LIBRARY: [Entry; 45] = [
    row(Kind::Refuse, "refuse", Takes::Nothing, "connections are refused: nobody listens"),
    row(Kind::SlowAccept, "slow_accept", Takes::Millis(2_000), "a connection is served that much later"),
    row(
        Kind::TlsGarbage,
        "tls_garbage",
        Takes::Nothing,
        "bytes that are no TLS, at once after the connect; then the end",
    ),
    row(Kind::NotHttp, "not_http", Takes::Nothing, "the answer is a line of another protocol"),
    row(Kind::HangUp, "hang_up", Takes::Nothing, "the connection ends without an answer"),
    row(Kind::Reset, "reset", Takes::Nothing, "the connection is reset without an answer"),
    row(Kind::HalfHead, "half_head", Takes::Nothing, "the connection ends inside the answer's head"),
    row(
        Kind::ResetAfterHead,
        "reset_after_head",
        Takes::Nothing,
        "the connection is reset behind the answer's head",
    ),
    row(Kind::SlowRead, "slow_read", Takes::Millis(1_000), "the request's body is read that much later"),
    row(Kind::Slow, "slow", Takes::Millis(2_000), "the answer comes that much later; adds to other faults"),
    row(
        Kind::SlowHead,
        "slow_head",
        Takes::Millis(2_000),
        "the second half of the head comes that much later",
    ),
    row(Kind::NoAnswer, "no_answer", Takes::Nothing, "silence, while the connection stays"),
    row(
        Kind::Informational,
        "informational",
        Takes::Nothing,
        "103 Early Hints before the answer, which is right",
    ),
    row(
        Kind::Status,
        "status",
        Takes::Status,
        "an error of that status, 200 to 599, in the format's own words",
    ),
    placed(
        Kind::ErrorEvent,
        "error_event",
        1,
        "an error event behind so many events; a plain answer becomes a 500",
    ),
    placed(Kind::Cut, "cut", 2, "the connection ends behind so many events; in the middle of a plain answer"),
    placed(Kind::CutInside, "cut_inside", 2, "the connection ends inside the event behind so many"),
    row(Kind::CutUtf8, "cut_utf8", Takes::Nothing, "the connection ends inside a character"),
    placed(Kind::Stall, "stall", 2, "silence behind so many events; in the middle of a plain answer"),
    row(Kind::Drip, "drip", Takes::Millis(1), "the body comes byte by byte, with that pause between"),
    row(Kind::Pings, "pings", Takes::Millis(50), "nothing but pings, with that pause between"),
    row(
        Kind::Endless,
        "endless",
        Takes::Millis(10),
        "the content never ends, with that pause between its events",
    ),
    placed(Kind::BadJson, "bad_json", 1, "the event behind so many is broken JSON, or the plain answer"),
    row(Kind::BadUtf8, "bad_utf8", Takes::Nothing, "a byte that no text has, in the first content"),
    row(Kind::BadGzip, "bad_gzip", Takes::Nothing, "content-encoding says gzip, and it is none"),
    row(Kind::ContentType, "content_type", Takes::Text("text/html"), "that media type on a right answer"),
    row(Kind::WrongDialect, "wrong_dialect", Takes::Nothing, "the answer of another vendor"),
    row(Kind::Unstreamed, "unstreamed", Takes::Nothing, "a call for a stream gets a plain answer"),
    row(Kind::Streamed, "streamed", Takes::Nothing, "a plain call gets a stream"),
    row(Kind::EmptyBody, "empty_body", Takes::Nothing, "200 and nothing more"),
    row(
        Kind::EmptyChoices,
        "empty_choices",
        Takes::Nothing,
        "an answer without content: no choices, blocks, candidates",
    ),
    row(Kind::NoFinish, "no_finish", Takes::Nothing, "the stream never says why the model stopped"),
    row(Kind::NoEnd, "no_end", Takes::Nothing, "the last event is missing, [DONE] for example"),
    row(Kind::EndTwice, "end_twice", Takes::Nothing, "the last event comes twice"),
    row(Kind::AfterEnd, "after_end", Takes::Nothing, "content behind the last event"),
    row(Kind::Repeat, "repeat", Takes::Nothing, "each event but the last comes twice"),
    row(
        Kind::ToolOrder,
        "tool_order",
        Takes::Nothing,
        "tool calls come in the wrong order; #calls=2 asks for two",
    ),
    row(Kind::WrongUsage, "wrong_usage", Takes::Nothing, "usage that cannot be: negative and absurd counts"),
    row(
        Kind::BigEvent,
        "big_event",
        Takes::Bytes(17 * 1024 * 1024),
        "an event of that size, or a plain answer",
    ),
    row(Kind::BigBody, "big_body", Takes::Bytes(33 * 1024 * 1024), "a body of that size"),
    row(Kind::BigHeaders, "big_headers", Takes::Bytes(1024 * 1024), "headers of that size"),
    row(Kind::EarlyEof, "early_eof", Takes::Nothing, "content-length, and the connection ends at half of it"),
    row(Kind::LengthShort, "length_short", Takes::Nothing, "content-length is half of what is sent"),
    row(
        Kind::LengthLong,
        "length_long",
        Takes::Nothing,
        "content-length is more than is sent, and the connection stays",
    ),
    row(Kind::BadChunk, "bad_chunk", Takes::Nothing, "the size of the second chunk is no number"),
];
