//! From an upstream's answer to the caller's reply. The commit point of a stream is its first content: until then nothing
//! was sent, and an upstream that fails has merely failed an attempt.

use breakwater_common::breaker::Outcome;
use breakwater_common::breaker::failure::Class;
use breakwater_common::guard::Side;
use breakwater_common::limits::STREAM_COMMIT_BYTES_MAX;
use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::time::timeout_at;

use super::live::{Begun, Live};
use crate::call::{Answer, AnswerBody, AttemptFault, Call, Reply, ReplyBody};
use crate::tokens::{self, Unsaid};
use crate::told::Told;
use crate::trace::Ending;
use breakwater_dialect::StreamFault;
use breakwater_dialect::exchange::Exchange;
use breakwater_dialect::ir::Usage;
use breakwater_dialect::pass::StreamEnd;
use breakwater_dialect::{self as dialect, Format};

/// Says which provider answered, for routes that reveal it.
const PROVIDER_HEADER: HeaderName = HeaderName::from_static("x-breakwater-provider");

/// Turns an answer into a reply, and reports on its permit unless a stream is still running. Errors: the answer is none
/// after all; the next candidate may be asked.
pub(super) async fn begin(call: &Call, mut answer: Answer) -> Result<Reply, AttemptFault> {
    let result = match answer.body {
        AnswerBody::Whole(bytes) => {
            whole(call, &answer.exchange, &bytes, &answer.told).map(|(content_type, body)| {
                answer.permit.first_byte(answer.first_byte);
                answer.permit.report(Outcome::Success);
                reply(content_type, body)
            })
        }
        AnswerBody::Stream(source) => match commit(&answer.exchange, source, answer.first_content_by).await {
            Ok(begun) => {
                answer.permit.first_token(answer.sent.elapsed());
                answer.permit.first_byte(answer.first_byte);
                let idle = answer.upstream.provider.timeouts.idle;
                let live = Live::new(begun, answer.permit, call, idle);
                let mut reply = reply(answer.exchange.content_type(), live.boxed_unsync());
                let no_cache = HeaderValue::from_static("no-cache");
                drop(reply.headers_mut().insert(header::CACHE_CONTROL, no_cache));
                reply.headers_mut().extend(answer.told.rates);
                return Ok(reveal(call, &answer.upstream.name, reply));
            }
            Err(fault) => Err(fault),
        },
    };
    match result {
        Ok(mut reply) => {
            reply.headers_mut().extend(answer.told.rates);
            Ok(reveal(call, &answer.upstream.name, reply))
        }
        Err(fault) => {
            answer.permit.report(fault.class.effect().outcome);
            Err(fault)
        }
    }
}

fn whole(
    call: &Call,
    exchange: &Exchange,
    bytes: &Bytes,
    told: &Told,
) -> Result<(&'static str, ReplyBody), AttemptFault> {
    if call.request.stream()
        && let Some(Ok(end)) = exchange.reply_as_stream(bytes)
    {
        return Ok((exchange.content_type(), ended(call, end)));
    }
    let reply = exchange.reply_counted(bytes, told.input_tokens).map_err(|_garbage| garbage())?;
    if reply.blocked.is_some() {
        call.trace.note().ending = Ending::Blocked;
    }
    settle(call, reply.usage, reply.body.len());
    call.trace.findings(Side::Output, reply.findings);
    Ok(("application/json", Full::new(reply.body).boxed_unsync()))
}

/// Notes the tokens of an answer that is there at once, by its bytes where the provider did not say them.
fn settle(call: &Call, said: Option<Usage>, bytes: usize) {
    let said = tokens::believed(said).filter(|_| call.is_settled());
    let mut facts = call.trace.note();
    facts.usage_estimated = said.is_none();
    facts.usage =
        said.or_else(|| generates(call).then(|| Unsaid::of(&call.request).usage(tokens::of_bytes(bytes))));
}

/// Whether the answer is text of a model: others have no tokens of output.
fn generates(call: &Call) -> bool {
    let beside = [Format::Embeddings, Format::Moderations, Format::CountTokens];
    call.state.is_none() && !beside.contains(&call.request.format())
}

/// Makes the reply of a count that was made here.
pub(super) fn counted(tokens: u64) -> Reply {
    let body = Full::new(Bytes::from(format!(r#"{{"input_tokens":{tokens}}}"#)));
    reply("application/json", body.boxed_unsync())
}

/// Notes what became of a stream that was there at once.
fn ended(call: &Call, end: StreamEnd) -> ReplyBody {
    settle(call, end.usage, end.bytes.len());
    if end.ending == dialect::Ending::Blocked {
        call.trace.note().ending = Ending::Blocked;
    }
    call.trace.findings(Side::Output, end.findings);
    Full::new(end.bytes).boxed_unsync()
}

/// Reads a stream up to its first content. Errors: what a failed attempt is.
async fn commit(
    exchange: &Exchange,
    mut source: Incoming,
    first_content_by: tokio::time::Instant,
) -> Result<Begun, AttemptFault> {
    let mut rewriter = exchange.stream().ok_or_else(garbage)?;
    let mut held = BytesMut::new();
    let mut taken = 0;
    loop {
        let frame = timeout_at(first_content_by, source.frame())
            .await
            .map_err(|_elapsed| with_status(Class::FirstByteTimeout))?;
        let Some(Ok(frame)) = frame else { return Err(with_status(Class::Cut)) };
        let Ok(data) = frame.into_data() else { continue };
        let step = rewriter.push(&data).map_err(|fault| stream_fault(&fault))?;
        held.extend_from_slice(&step.bytes);
        if step.over || step.first_content {
            return Ok(Begun { source, rewriter, held: held.freeze(), over: step.over });
        }
        taken += data.len();
        if taken > STREAM_COMMIT_BYTES_MAX {
            return Err(garbage());
        }
    }
}

fn stream_fault(fault: &StreamFault) -> AttemptFault {
    with_status(match fault {
        StreamFault::Upstream { .. } => Class::StreamError,
        StreamFault::Garbage => Class::Garbage,
        StreamFault::EventTooLarge { .. } => Class::TooLarge,
        StreamFault::Empty => Class::Cut,
    })
}

fn garbage() -> AttemptFault {
    with_status(Class::Garbage)
}

fn with_status(class: Class) -> AttemptFault {
    AttemptFault { status: Some(200), ..AttemptFault::new(class) }
}

/// Makes the reply's head from nothing: of what an upstream's head says only [`Told`] reaches the caller.
fn reply(content_type: &'static str, body: ReplyBody) -> Reply {
    let mut reply = Response::new(body);
    drop(reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type)));
    reply
}

fn reveal(call: &Call, provider: &str, mut reply: Reply) -> Reply {
    if call.route.reveal_provider
        && let Ok(value) = HeaderValue::from_str(provider)
    {
        drop(reply.headers_mut().insert(PROVIDER_HEADER, value));
    }
    reply
}
