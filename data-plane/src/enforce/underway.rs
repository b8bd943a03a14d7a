//! A provider at work on a call. If the call is dropped meanwhile, because the caller left or the deadline came, the request is
//! cancelled with it; what the provider has read by then it bills, so it is counted: the call's input, as an estimate. What it
//! had thought up to then nobody says.

use breakwater_common::time::MonoMillis;
use breakwater_dialect::Format;
use breakwater_runtime::SharedClock;

use crate::call::Call;
use crate::tokens::Unsaid;
use crate::trace::AttemptNote;

/// Notes an attempt as abandoned when dropped before its end.
pub(super) struct Underway<'a> {
    call: &'a Call,
    clock: &'a SharedClock,
    started: MonoMillis,
    note: Option<AttemptNote>,
}

impl<'a> Underway<'a> {
    /// Starts an attempt; `note` names the candidate.
    pub(super) fn new(call: &'a Call, clock: &'a SharedClock, note: AttemptNote) -> Self {
        Self { call, clock, started: clock.mono(), note: Some(note) }
    }

    /// Ends the attempt with what became of it.
    pub(super) fn end(mut self, result: &'static str, reason: String, status: Option<u16>) {
        if let Some(note) = self.note.take() {
            self.write(AttemptNote { result, reason, status, ..note });
        }
    }

    fn write(&self, mut note: AttemptNote) {
        let taken = self.clock.mono().since(self.started);
        note.duration_ms = u64::try_from(taken.as_millis()).unwrap_or(u64::MAX);
        self.call.trace.attempt(note);
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        let Some(note) = self.note.take() else { return };
        self.write(AttemptNote { result: "abandoned", ..note });
        if is_billed(self.call) {
            let usage = Unsaid::of(&self.call.request).usage(0);
            let mut facts = self.call.trace.note();
            facts.usage = Some(usage);
            facts.usage_estimated = true;
        }
    }
}

/// Whether a provider bills what it reads of the call.
fn is_billed(call: &Call) -> bool {
    let free = [Format::Moderations, Format::CountTokens];
    call.state.is_none() && !free.contains(&call.request.format())
}
