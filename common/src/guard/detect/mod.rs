//! Detectors: each walks a text once and says where a match stands, or from where on it cannot say yet.
//!
//! The rule that makes streams safe: an answer about a text must stay true whatever follows it. A detector that would need
//! the next byte to decide says so by [`Try::Need`] (or a [`Look::Clear`] before the end), and looks at no byte behind the
//! end without asking [`Text::at`] whether more may come.

mod card;
mod email;
mod iban;
mod ip;
mod phone;
mod secrets;
mod ssn;
mod tail;
mod url;

pub(super) use tail::{Class, Tail};

use crate::resource::PiiEntity;

/// Bytes before a place that a detector may look at. Enough for the words before a telephone number.
pub(super) const LOOK_BEHIND_BYTES: usize = 64;

/// A text, or as much of it as has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) bytes: &'a [u8],
    /// Nothing follows.
    pub(super) whole: bool,
}

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ahead {
    /// This byte.
    Byte(u8),
    /// The text is over.
    End,
    /// It has not come yet.
    More,
}

impl Text<'_> {
    pub(super) fn at(&self, index: usize) -> Ahead {
        match self.bytes.get(index) {
            Some(byte) => Ahead::Byte(*byte),
            None if self.whole => Ahead::End,
            None => Ahead::More,
        }
    }

    /// Returns the byte before a place; none at the text's start.
    pub(super) fn before(&self, index: usize) -> Option<u8> {
        index.checked_sub(1).and_then(|before| self.bytes.get(before)).copied()
    }

    /// Whether what stands before a place is no letter and no digit.
    pub(super) fn starts_word(&self, index: usize) -> bool {
        self.before(index).is_none_or(|byte| !byte.is_ascii_alphanumeric())
    }

    /// Whether a digit and one of these separators stand before a place.
    pub(super) fn continues_digits(&self, index: usize, separators: &[u8]) -> bool {
        self.before(index).is_some_and(|byte| separators.contains(&byte))
            && self.before(index.saturating_sub(1)).is_some_and(|byte| byte.is_ascii_digit())
    }
}

/// What was found: the word of verdicts, and what takes its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Category {
    pub(super) word: &'static str,
    pub(super) placeholder: &'static str,
}

/// Whether a match begins at one place.
#[derive(Debug)]
pub(super) enum Try {
    /// None does.
    No,
    /// The text so far does not say.
    Need,
    /// One does, and it ends here.
    Found(usize, &'static Category),
    /// One does for certain, with all before this index; the tail says how much of the rest belongs to it.
    Open(usize, Tail, &'static Category),
    /// The text kept it in doubt beyond the bound.
    Doubt(usize, Tail, &'static Category),
}

/// What a detector says about the text from a place on.
#[derive(Debug)]
pub(super) enum Look {
    /// No match begins before this index; one may begin there when more comes.
    Clear(usize),
    /// The next match.
    Match {
        start: usize,
        /// For an open match, the place up to which it is certain.
        end: usize,
        tail: Option<Tail>,
        category: &'static Category,
        /// It could not be decided.
        doubt: bool,
    },
}

/// One thing that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detector {
    /// Keys, tokens, private keys.
    Secrets,
    Pii(PiiEntity),
}

impl Detector {
    /// All detectors, the more specific first: where matches begin at one place, the first one's placeholder stands.
    pub(super) const ALL: [Self; 8] = [
        Self::Secrets,
        Self::Pii(PiiEntity::UrlCredentials),
        Self::Pii(PiiEntity::Email),
        Self::Pii(PiiEntity::CreditCard),
        Self::Pii(PiiEntity::Iban),
        Self::Pii(PiiEntity::UsSsn),
        Self::Pii(PiiEntity::IpAddress),
        Self::Pii(PiiEntity::Phone),
    ];

    /// Returns the next match from a place on, or the place that is undecided.
    pub(super) fn look(self, text: &Text<'_>, from: usize) -> Look {
        match self {
            Self::Secrets => secrets::look(text, from),
            Self::Pii(PiiEntity::Email) => email::look(text, from),
            Self::Pii(PiiEntity::Phone) => walk(text, from, phone::may_start, phone::try_at),
            Self::Pii(PiiEntity::CreditCard) => walk(text, from, |byte| byte.is_ascii_digit(), card::try_at),
            Self::Pii(PiiEntity::Iban) => walk(text, from, |byte| byte.is_ascii_alphabetic(), iban::try_at),
            Self::Pii(PiiEntity::UsSsn) => walk(text, from, |byte| byte.is_ascii_digit(), ssn::try_at),
            Self::Pii(PiiEntity::IpAddress) => walk(text, from, ip::may_start, ip::try_at),
            Self::Pii(PiiEntity::UrlCredentials) => url::look(text, from),
        }
    }
}

/// Tries every place that begins a word and whose byte may start a match.
fn walk(
    text: &Text<'_>,
    from: usize,
    may_start: impl Fn(&u8) -> bool,
    try_at: impl Fn(&Text<'_>, usize) -> Try,
) -> Look {
    let mut begins = text.starts_word(from);
    for (start, byte) in text.bytes.iter().enumerate().skip(from) {
        if begins
            && may_start(byte)
            && let Some(look) = settle(start, try_at(text, start))
        {
            return look;
        }
        begins = !byte.is_ascii_alphanumeric();
    }
    Look::Clear(text.bytes.len())
}

/// Turns what was found at a place into a look; none if nothing begins there.
fn settle(start: usize, found: Try) -> Option<Look> {
    match found {
        Try::No => None,
        Try::Need => Some(Look::Clear(start)),
        Try::Found(end, category) => Some(Look::Match { start, end, tail: None, category, doubt: false }),
        Try::Open(end, tail, category) => {
            Some(Look::Match { start, end, tail: Some(tail), category, doubt: false })
        }
        Try::Doubt(end, tail, category) => {
            Some(Look::Match { start, end, tail: Some(tail), category, doubt: true })
        }
    }
}
