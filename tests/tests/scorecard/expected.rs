//! What the design expects of each fault (the failure table: which answers count against a provider, and after which the next
//! candidate is asked).

/// What a call comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The first provider's answer, whole.
    Answered,
    /// The fallback's answer, whole; alone the error of a chain that failed.
    NextFails,
    /// The same, but the first provider is only rate-limited: alone the caller is told so.
    NextLimited,
    /// The same, and the breaker hears nothing: our credential or our model is at fault.
    NextNeutral,
    /// An answer that began, then an error event in the caller's format.
    BrokenOff,
    /// The same, by the caller's own deadline: no provider's fault.
    OutOfTime,
    /// The caller's own fault, with this status.
    Refused(u16),
}

/// One kind of fault, and what a plain and a streamed call come to.
#[derive(Debug, Clone)]
pub struct Row {
    /// As the simulator reads it.
    pub fault: &'static str,
    /// Of a plain call.
    pub plain: End,
    /// Of a streamed one.
    pub stream: End,
    /// The model is to call tools.
    pub tools: bool,
}

const fn row(fault: &'static str, plain: End, stream: End) -> Row {
    Row { fault, plain, stream, tools: false }
}

const fn with_tools(row: Row) -> Row {
    Row { tools: true, ..row }
}

/// Rows of a caller of chat completions at a provider of OpenAI's format.
pub fn chat_rows() -> Vec<Row> {
    [connection(), time(), statuses(), streams(), content(), sizes()].concat()
}

/// Faults of the connection.
fn connection() -> Vec<Row> {
    use End::{Answered, NextFails};
    vec![
        row("refuse", NextFails, NextFails),
        row("slow_accept=200ms", Answered, Answered),
        row("tls_garbage", NextFails, NextFails),
        row("not_http", NextFails, NextFails),
        row("hang_up", NextFails, NextFails),
        row("reset", NextFails, NextFails),
        row("half_head", NextFails, NextFails),
        row("reset_after_head", NextFails, NextFails),
    ]
}

/// Answers that take their time.
fn time() -> Vec<Row> {
    use End::{Answered, NextFails};
    vec![
        row("slow_read=200ms", Answered, Answered),
        row("slow=200ms", Answered, Answered),
        row("slow_head=200ms", Answered, Answered),
        row("no_answer", NextFails, NextFails),
        row("informational", Answered, Answered),
    ]
}

/// Errors by status.
fn statuses() -> Vec<Row> {
    use End::{NextFails, NextLimited, NextNeutral, Refused};
    vec![
        row("status=200", NextFails, NextFails),
        row("status=204", NextFails, NextFails),
        row("status=302", NextFails, NextFails),
        row("status=400", Refused(400), Refused(400)),
        row("status=401", NextNeutral, NextNeutral),
        row("status=402", NextNeutral, NextNeutral),
        row("status=403", NextNeutral, NextNeutral),
        row("status=404", NextNeutral, NextNeutral),
        row("status=408", NextFails, NextFails),
        row("status=413", Refused(413), Refused(413)),
        row("status=422", Refused(422), Refused(422)),
        row("status=429", NextLimited, NextLimited),
        row("status=429,retry_after=2", NextLimited, NextLimited),
        row("status=429,retry_after=1500ms", NextLimited, NextLimited),
        row("status=429,retry_after=date", NextLimited, NextLimited),
        row("status=429,retry_after=absurd", NextLimited, NextLimited),
        row("status=429,code=insufficient_quota", NextNeutral, NextNeutral),
        row("status=500", NextFails, NextFails),
        row("status=502,body=html", NextFails, NextFails),
        row("status=503,retry_after=2", NextFails, NextFails),
        row("status=504,body=empty", NextFails, NextFails),
        row("status=529", NextFails, NextFails),
    ]
}

/// Streams that break or never end.
fn streams() -> Vec<Row> {
    use End::{Answered, BrokenOff, NextFails, OutOfTime};
    vec![
        row("error_event:after=0", NextFails, NextFails),
        row("error_event:after=1", NextFails, NextFails),
        row("error_event:after=3", NextFails, BrokenOff),
        row("cut:after=0", NextFails, NextFails),
        row("cut:after=3", NextFails, BrokenOff),
        row("cut_inside:after=3", NextFails, BrokenOff),
        row("cut_utf8", NextFails, BrokenOff),
        row("stall:after=0", NextFails, NextFails),
        row("stall:after=3", NextFails, BrokenOff),
        row("drip=0ms", Answered, Answered),
        row("pings", NextFails, NextFails),
        row("endless=50ms", NextFails, OutOfTime),
    ]
}

/// Answers that say something wrong.
fn content() -> Vec<Row> {
    use End::{Answered, BrokenOff, NextFails};
    vec![
        row("bad_json:after=0", NextFails, NextFails),
        row("bad_json:after=3", NextFails, BrokenOff),
        row("bad_utf8", NextFails, NextFails),
        row("bad_gzip", NextFails, NextFails),
        row("content_type=text/html", Answered, NextFails),
        row("wrong_dialect", NextFails, NextFails),
        row("unstreamed", Answered, Answered),
        row("streamed", NextFails, Answered),
        row("empty_body", NextFails, NextFails),
        row("empty_choices", NextFails, NextFails),
        // The marker of the end says that all is there: Snowflake and Novita (recorded) never say why their models stopped.
        row("no_finish", Answered, Answered),
        row("no_end", Answered, Answered),
        row("end_twice", Answered, Answered),
        row("after_end", Answered, Answered),
        row("repeat", Answered, Answered),
        with_tools(row("tool_order", Answered, Answered)),
        row("wrong_usage", Answered, Answered),
    ]
}

/// Sizes and lengths that are wrong.
fn sizes() -> Vec<Row> {
    use End::{Answered, BrokenOff, NextFails};
    vec![
        row("big_event", Answered, NextFails),
        row("big_body", NextFails, Answered),
        row("big_headers", NextFails, NextFails),
        row("early_eof", NextFails, BrokenOff),
        row("length_short", NextFails, BrokenOff),
        row("length_long", NextFails, Answered),
        row("bad_chunk", NextFails, BrokenOff),
    ]
}

/// Rows for other callers and providers: those whose outcome depends on the format. Anthropic's stream has three events before
/// its first content, so content has come behind five in every format.
pub fn crossed_rows() -> Vec<Row> {
    use End::{Answered, BrokenOff, NextFails, NextLimited, NextNeutral, Refused};
    vec![
        row("hang_up", NextFails, NextFails),
        row("status=400", Refused(400), Refused(400)),
        row("status=401", NextNeutral, NextNeutral),
        row("status=429,retry_after=2", NextLimited, NextLimited),
        row("status=503", NextFails, NextFails),
        row("status=529", NextFails, NextFails),
        row("status=200", NextFails, NextFails),
        row("error_event:after=0", NextFails, NextFails),
        row("error_event:after=5", NextFails, BrokenOff),
        row("cut:after=0", NextFails, NextFails),
        row("cut:after=5", NextFails, BrokenOff),
        row("cut_inside:after=5", NextFails, BrokenOff),
        row("stall:after=0", NextFails, NextFails),
        row("stall:after=5", NextFails, BrokenOff),
        row("pings", NextFails, NextFails),
        row("bad_json:after=5", NextFails, BrokenOff),
        row("drip=0ms", Answered, Answered),
        row("wrong_dialect", NextFails, NextFails),
        row("unstreamed", Answered, Answered),
        row("streamed", NextFails, Answered),
        row("empty_body", NextFails, NextFails),
        row("end_twice", Answered, Answered),
        row("after_end", Answered, Answered),
        with_tools(row("tool_order", Answered, Answered)),
        row("wrong_usage", Answered, Answered),
        row("early_eof", NextFails, BrokenOff),
        row("length_short", NextFails, BrokenOff),
        row("bad_chunk", NextFails, BrokenOff),
    ]
}

/// Rows for every other format of the simulator: that it is understood at all, and that its breaks are seen. Content has come
/// behind four events in each of them.
pub fn other_formats_rows() -> Vec<Row> {
    use End::{Answered, BrokenOff, NextFails, NextLimited};
    vec![
        row("slow=1ms", Answered, Answered),
        with_tools(row("slow=2ms", Answered, Answered)),
        row("status=503", NextFails, NextFails),
        row("status=429", NextLimited, NextLimited),
        row("error_event:after=0", NextFails, NextFails),
        row("error_event:after=4", NextFails, BrokenOff),
        row("cut:after=0", NextFails, NextFails),
        row("cut:after=4", NextFails, BrokenOff),
        row("cut_inside:after=4", NextFails, BrokenOff),
        row("bad_json:after=4", NextFails, BrokenOff),
    ]
}
