//! The machine under both ways to judge: it takes a text, or as much of it as has come, and says which bytes are kept and
//! which are masked, in order, up to the first place that is not decided.

use super::compile::{Rule, SideGuards};
use super::detect::{Category, LOOK_BEHIND_BYTES, Look, Tail, Text};
use super::verdict::Finding;
use crate::resource::Action;

/// What becomes of the next bytes of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// How many bytes of the text.
    pub(super) len: usize,
    /// What stands in their place; none if they are kept. Empty for the later bytes of one mask.
    pub(super) masked: Option<&'static str>,
}

/// A match, by its place in the text at hand.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    /// Where it ends; none while its end is open.
    end: Option<usize>,
    /// Index of its cursor.
    cursor: usize,
    category: &'static Category,
    doubt: bool,
}

/// How far a detector has come.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    at: usize,
    tail: Option<Tail>,
}

/// The state of one text.
#[derive(Debug)]
pub(super) struct Scan {
    cursors: Vec<Cursor>,
    /// Matches whose start was not reached yet, in order.
    waiting: Vec<Span>,
    /// Matches that mask the bytes at hand.
    masking: Vec<Span>,
    /// What stands for the mask that has begun, until it is given out.
    placeholder: Option<&'static str>,
    /// Bytes that were given out.
    out: usize,
}

impl Scan {
    pub(super) fn new(side: &SideGuards) -> Self {
        let cursors = side.detectors.iter().map(|_| Cursor { at: 0, tail: None }).collect();
        Self { cursors, waiting: Vec::new(), masking: Vec::new(), placeholder: None, out: 0 }
    }

    /// Goes on over a text that begins as it did at the last call. Returns the finding that blocks, if one does: then
    /// the pieces end before it, and the scan is over.
    pub(super) fn run(
        &mut self,
        side: &SideGuards,
        text: &Text<'_>,
        found: &mut Vec<Finding>,
        pieces: &mut Vec<Piece>,
    ) -> Option<Finding> {
        self.detect(side, text);
        let decided = self.cursors.iter().map(|cursor| cursor.at).min().unwrap_or(text.bytes.len());
        let mut waiting = std::mem::take(&mut self.waiting).into_iter().peekable();
        while let Some(span) = waiting.next_if(|span| span.start < decided) {
            self.give_out(span.start, pieces);
            match judge(side, &span, found) {
                Verdict::Pass => {}
                Verdict::Block(finding) => return Some(finding),
                Verdict::Mask => {
                    if self.masking.is_empty() {
                        self.placeholder = Some(span.category.placeholder);
                    }
                    self.masking.push(span);
                }
            }
        }
        self.waiting = waiting.collect();
        self.give_out(decided, pieces);
        None
    }

    /// Lets every detector go as far as it can.
    fn detect(&mut self, side: &SideGuards, text: &Text<'_>) {
        let before = self.waiting.len();
        for (index, (cursor, detector)) in self.cursors.iter_mut().zip(&side.detectors).enumerate() {
            loop {
                if let Some(tail) = &mut cursor.tail {
                    let (to, over) = tail.swallow(text, cursor.at);
                    cursor.at = to;
                    if !over {
                        break;
                    }
                    cursor.tail = None;
                    let mine = |span: &&mut Span| span.cursor == index && span.end.is_none();
                    // From the back: an open span is the last that its detector found.
                    let spans = self.waiting.iter_mut().rev().chain(self.masking.iter_mut().rev());
                    if let Some(span) = { spans }.find(mine) {
                        span.end = Some(to);
                    }
                }
                match detector.look(text, cursor.at) {
                    Look::Clear(at) => {
                        cursor.at = at.max(cursor.at);
                        break;
                    }
                    Look::Match { start, end, tail, category, doubt } => {
                        let known = if tail.is_none() { Some(end) } else { None };
                        self.waiting.push(Span { start, end: known, cursor: index, category, doubt });
                        *cursor = Cursor { at: end, tail };
                    }
                }
            }
        }
        if self.waiting.len() > before {
            self.waiting.sort_by_key(|span| (span.start, span.cursor));
        }
    }

    /// Gives out the bytes up to a place that is decided.
    fn give_out(&mut self, to: usize, pieces: &mut Vec<Piece>) {
        let cursors = &self.cursors;
        let end = |span: &Span| {
            span.end.or_else(|| cursors.get(span.cursor).map(|cursor| cursor.at)).unwrap_or(span.start)
        };
        let mask_end = self.masking.iter().map(end).max().unwrap_or_default().min(to);
        if mask_end > self.out {
            let masked = Some(self.placeholder.take().unwrap_or_default());
            pieces.push(Piece { len: mask_end - self.out, masked });
            self.out = mask_end;
        }
        let out = self.out;
        self.masking.retain(|span| span.end.is_none_or(|end| end > out));
        if to > self.out {
            pieces.push(Piece { len: to - self.out, masked: None });
            self.out = to;
        }
    }

    /// Returns how many bytes at the text's start are needed no more.
    pub(super) fn spent(&self) -> usize {
        self.out.saturating_sub(LOOK_BEHIND_BYTES)
    }

    /// Counts places from a later start.
    pub(super) fn shift(&mut self, by: usize) {
        self.out -= by;
        for cursor in &mut self.cursors {
            cursor.at -= by;
        }
        for span in self.waiting.iter_mut().chain(&mut self.masking) {
            span.start = span.start.saturating_sub(by);
            span.end = span.end.map(|end| end - by);
        }
    }
}

/// What one match leads to.
enum Verdict {
    Pass,
    Mask,
    Block(Finding),
}

/// Asks every guardrail that listens, counts, and returns the strongest that is enforced.
fn judge(side: &SideGuards, span: &Span, found: &mut Vec<Finding>) -> Verdict {
    let detector = side.detectors.get(span.cursor);
    let mut verdict = Verdict::Pass;
    for rule in side.rules.iter().filter(|rule| detector.is_some_and(|detector| rule.listens(*detector))) {
        let finding = note(rule, span.category.word, span.doubt, found);
        verdict = match (finding.enforced, finding.action, verdict) {
            (_, _, Verdict::Block(first)) => Verdict::Block(first),
            (true, Action::Block, _) => Verdict::Block(finding),
            (true, Action::Redact, _) => Verdict::Mask,
            (_, _, before) => before,
        };
    }
    verdict
}

/// Counts one finding of a guardrail and returns it alone.
pub(super) fn note(
    rule: &Rule,
    category: &'static str,
    undecided: bool,
    found: &mut Vec<Finding>,
) -> Finding {
    let finding = Finding {
        policy: rule.policy.clone(),
        guardrail: rule.guardrail.clone(),
        category,
        action: rule.action,
        enforced: rule.enforced && !(undecided && rule.fail_open),
        undecided,
        count: 1,
    };
    finding.clone().add_to(found);
    finding
}
