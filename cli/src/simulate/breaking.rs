//! What a fault makes of an answer that was right: of its content here, of its bytes on the wire in `breaking/bytes.rs`.

mod bytes;
mod content;

use super::{
    Dialect,
    answer::{Answer, Body},
    delivery::Delivery,
    fault::{ErrorBody, Fault, Kind},
    wire::{self, Speech},
};

/// What is known of the call beside its answer.
#[derive(Debug)]
pub(super) struct Context<'a> {
    /// The simulator's format.
    pub(super) dialect: Dialect,
    /// What is spoken.
    pub(super) speech: &'a Speech,
    /// Seconds since 1970.
    pub(super) now: u64,
    /// Time between two events.
    pub(super) pause: std::time::Duration,
}

/// Applies a fault.
pub(super) fn apply(fault: &Fault, mut answer: Answer, context: &Context<'_>) -> Delivery {
    match fault.kind {
        Kind::Status => Delivery::Proper(refusal(fault, context), false),
        Kind::ErrorEvent => match &mut answer.body {
            Body::Whole(_) => Delivery::Proper(
                wire::error(context.dialect, 500, None, "simulated fault: error event"),
                false,
            ),
            Body::Events(_, events) => {
                events.truncate(fault.place());
                events.push(wire::failure(context.dialect, context.speech));
                Delivery::Proper(answer, false)
            }
        },
        Kind::ContentType => Delivery::Proper(answer.with("content-type", fault.text.clone()), true),
        Kind::BadGzip => {
            Delivery::Proper(content::change(fault, answer).with("content-encoding", "gzip"), false)
        }
        Kind::EmptyBody => {
            answer.body = Body::Whole(::bytes::Bytes::new());
            Delivery::Proper(answer, false)
        }
        Kind::BadJson
        | Kind::BadUtf8
        | Kind::EmptyChoices
        | Kind::NoFinish
        | Kind::NoEnd
        | Kind::EndTwice
        | Kind::AfterEnd
        | Kind::Repeat
        | Kind::ToolOrder
        | Kind::WrongUsage
        | Kind::BigEvent
        | Kind::BigBody => {
            let whole = !matches!(fault.kind, Kind::BadJson | Kind::EmptyChoices);
            Delivery::Proper(content::change(fault, answer), whole)
        }
        // What these do is done before an answer is there, or to the connection.
        Kind::Slow
        | Kind::SlowRead
        | Kind::SlowAccept
        | Kind::Refuse
        | Kind::TlsGarbage
        | Kind::WrongDialect
        | Kind::Unstreamed
        | Kind::Streamed => Delivery::Proper(answer, true),
        Kind::NotHttp
        | Kind::HangUp
        | Kind::Reset
        | Kind::HalfHead
        | Kind::ResetAfterHead
        | Kind::SlowHead
        | Kind::NoAnswer
        | Kind::Informational
        | Kind::Cut
        | Kind::CutInside
        | Kind::CutUtf8
        | Kind::Stall
        | Kind::Drip
        | Kind::Pings
        | Kind::Endless
        | Kind::BigHeaders
        | Kind::EarlyEof
        | Kind::LengthShort
        | Kind::LengthLong
        | Kind::BadChunk => Delivery::Raw(bytes::write(fault, &answer, context.pause)),
    }
}

/// Writes the error of a status.
fn refusal(fault: &Fault, context: &Context<'_>) -> Answer {
    let status = u16::try_from(fault.amount).unwrap_or(500);
    let message = format!("simulated fault: status {status}");
    let mut answer = wire::error(context.dialect, status, fault.code.as_deref(), &message);
    match fault.body {
        ErrorBody::Own => {}
        ErrorBody::Html => {
            let page =
                format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
            answer.body = Body::Whole(::bytes::Bytes::from(page));
            answer = answer.with("content-type", "text/html");
        }
        ErrorBody::Empty => answer.body = Body::Whole(::bytes::Bytes::new()),
    }
    if matches!(status, 204 | 205 | 304) {
        answer.body = Body::Whole(::bytes::Bytes::new());
    }
    if (300..400).contains(&status) {
        answer = answer.with("location", "/simulator/elsewhere");
    }
    match fault.retry_after {
        Some(wait) => {
            let (name, value) = wait.header(context.now);
            answer.with(name, value)
        }
        None => answer,
    }
}
