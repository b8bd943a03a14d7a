//! A stream: one JSON object a line, each a piece of the message, the last with `"done":true` and the counts.

use breakwater_common::limits::SSE_EVENT_BYTES_MAX;

use super::read_reply::{Call, calls, logprobs, stop, text, usage};
use crate::StreamFault;
use crate::codec::StreamReader;
use crate::ir::{At, Delta, Event, Opening};
use crate::json::{self, Place};

/// The block that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
}

/// Reads one stream.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The beginning of a line whose end has not come.
    held: Vec<u8>,
    started: bool,
    over: bool,
    /// The open block, and the number of the next one.
    open: Option<(Kind, At)>,
    next: u32,
    called: u32,
}

impl StreamReader for Reader {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            if self.held.is_empty() {
                self.line(line, events)?;
            } else {
                let mut whole = std::mem::take(&mut self.held);
                whole.extend_from_slice(line);
                self.line(&whole, events)?;
            }
        }
        self.held.extend_from_slice(rest);
        bound(&self.held)
    }

    fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        // The last line may lack its end; one that is cut is no line.
        let line = std::mem::take(&mut self.held);
        if json::check(&line).is_ok() { self.line(&line, events) } else { Ok(()) }
    }
}

impl Reader {
    fn line(&mut self, line: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        bound(line)?;
        if self.over || line.trim_ascii().is_empty() {
            return Ok(());
        }
        let root = Place::root(json::check(line).map_err(|_| StreamFault::Garbage)?);
        if let Some(error) = root.get("error").filter(|error| !error.is_null()) {
            return Err(StreamFault::Upstream { code: code(error) });
        }
        if !root.is_object() {
            return Err(StreamFault::Garbage);
        }
        if !self.started {
            self.started = true;
            events.push(Event::Start);
        }
        if let Some(message) = root.get("message") {
            self.message(root, message, events);
        }
        if root.get("done").and_then(|done| done.as_bool()) == Some(true) {
            self.close(events);
            events.push(Event::Stop(0, stop(root, self.called > 0)));
            events.extend(usage(root).map(Event::Usage));
            events.push(Event::End);
            self.over = true;
        }
        Ok(())
    }

    fn message(&mut self, root: Place<'_>, message: Place<'_>, events: &mut Vec<Event>) {
        if let Some(text) = text(message, "thinking") {
            let at = self.block(Kind::Thinking, events);
            events.push(Event::Delta(at, Delta::Text(text)));
        }
        if let Some(text) = text(message, "content") {
            let at = self.block(Kind::Text, events);
            events.push(Event::Delta(at, Delta::Text(text)));
        }
        if let Some(entries) = root.get("logprobs").and_then(logprobs) {
            // They are of the text; where none is open they belong to thinking or to a tool call, which have none.
            if let Some((Kind::Text, at)) = self.open {
                events.push(Event::Delta(at, Delta::Logprobs(entries)));
            }
        }
        for call in calls(message) {
            self.close(events);
            let Call { id, name, input } = Call::read(root, call, self.called);
            self.called = self.called.saturating_add(1);
            let at = self.number();
            events.push(Event::Open(at, Opening::ToolUse { id, name, signature: None, custom: false }));
            events.push(Event::Delta(at, Delta::Input(input)));
            events.push(Event::Close(at));
        }
    }

    /// Returns the open block of a kind; opens one if another is open or none.
    fn block(&mut self, kind: Kind, events: &mut Vec<Event>) -> At {
        if let Some((_, at)) = self.open.filter(|(open, _)| *open == kind) {
            return at;
        }
        self.close(events);
        let at = self.number();
        self.open = Some((kind, at));
        let opening = match kind {
            Kind::Text => Opening::Text,
            Kind::Thinking => Opening::Thinking { signed_by: None, id: String::new() },
        };
        events.push(Event::Open(at, opening));
        at
    }

    fn close(&mut self, events: &mut Vec<Event>) {
        events.extend(self.open.take().map(|(_, at)| Event::Close(at)));
    }

    fn number(&mut self) -> At {
        let at = At { choice: 0, block: self.next };
        self.next = self.next.saturating_add(1);
        at
    }
}

fn bound(line: &[u8]) -> Result<(), StreamFault> {
    if line.len() > SSE_EVENT_BYTES_MAX {
        return Err(StreamFault::EventTooLarge { limit: SSE_EVENT_BYTES_MAX });
    }
    Ok(())
}

/// Returns the code of an error that has one. Ollama's own is a sentence, and a sentence is no code.
fn code(error: Place<'_>) -> String {
    const CODE_BYTES_MAX: usize = 64;
    let word = |key: &str| error.get(key).filter(|value| !value.is_null());
    let code = word("code").or_else(|| word("type"));
    let code = code.map(|code| code.as_str().unwrap_or_else(|| code.source().into())).unwrap_or_default();
    code.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        .take(CODE_BYTES_MAX)
        .collect()
}
