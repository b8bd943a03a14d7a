//! Faults of the simulated provider: what goes wrong, and at which calls.
//!
//! ```text
//! fault  = NAME ["=" VALUE] [(":" | ",") word *("," word)]
//! word   = "after=" N            events before it, of a fault that has a place in a stream
//!        | "retry_after=" WAIT   of a status: 2, 1500ms, date, absurd
//!        | "code=" WORD          of a status: the vendor's word, insufficient_quota for example
//!        | "body=" FORM          of a status: html, or empty
//!        | "every=" N            calls N, 2N, 3N, ...
//!        | "rate=" PERCENT       that share of calls, evenly spread ("25%")
//!        | "skip=" N             not the first N calls
//!        | "count=" N            at most N calls
//!        | "wait=" DURATION      only so long after it was set
//!        | "for=" DURATION       only for so long
//!        | "model=" NAME         only calls of that model
//! ```
//!
//! The names are those of [`LIBRARY`]. Everything is decided by counters and the time since the fault was set, nothing by
//! chance: the same calls in the same order meet the same faults. Of several faults that hit one call the first of the list
//! acts, except `slow`, which always adds. Faults of the connection (`refuse`, `slow_accept`, `tls_garbage`) count
//! connections, and no model.

mod kinds;
mod value;
mod when;

use std::{fmt, str::FromStr};

pub use kinds::{Entry, Kind, LIBRARY};
pub use value::{RetryAfter, Takes, parse_duration};
pub use when::{Seen, When};

use value::{bad, bytes, duration, events};

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: Kind,
    /// What stands behind its name: milliseconds, bytes or a status.
    pub amount: u64,
    /// What stands behind its name, if it takes a text.
    pub text: String,
    /// Events before it.
    pub after: u32,
    /// When the answer says to come back.
    pub retry_after: Option<RetryAfter>,
    /// The vendor's word for the error.
    pub code: Option<String>,
    /// The form of the error's body.
    pub body: ErrorBody,
    /// At which calls.
    pub when: When,
}

/// The form of an error's body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ErrorBody {
    /// The format's own.
    #[default]
    Own,
    /// A page, as proxies in front of providers send.
    Html,
    /// None.
    Empty,
}

/// Why a fault could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FaultError {
    /// The fault does not begin with a name of the library.
    #[error("unknown fault {0:?}; `breakwater simulate --help` lists them")]
    UnknownFault(String),
    /// A word that this fault does not take.
    #[error(
        "unknown word {word:?} in the fault {name}; it takes {takes}every= rate= skip= count= wait= for= model="
    )]
    UnknownWord {
        /// The fault.
        name: &'static str,
        /// The word.
        word: String,
        /// Words of this fault alone.
        takes: &'static str,
    },
    /// The value is not of the right form.
    #[error("{word}={value} in a fault: expected {expected}")]
    BadValue {
        /// The word before `=`.
        word: String,
        /// What stood after it.
        value: String,
        /// What is right.
        expected: &'static str,
    },
    /// Two words that exclude each other.
    #[error("a fault takes one of every and rate")]
    TwoShares,
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let end = text.find([':', ',']).unwrap_or(text.len());
        let (first, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        let (name, value) =
            first.split_once('=').map_or((first, None), |(name, value)| (name, Some(value.trim())));
        let name = name.trim();
        let entry = LIBRARY.iter().find(|entry| entry.name == name);
        let mut fault = Self::of(entry.ok_or_else(|| FaultError::UnknownFault(name.to_owned()))?, value)?;
        for word in rest.get(1..).unwrap_or_default().split(',').filter(|word| !word.trim().is_empty()) {
            let (word, value) = word.trim().split_once('=').unwrap_or((word.trim(), ""));
            fault.add(word, value.trim())?;
        }
        Ok(fault)
    }
}

impl Fault {
    /// Makes a fault of a row, for every call.
    fn of(entry: &Entry, value: Option<&str>) -> Result<Self, FaultError> {
        let name = entry.name;
        let mut text = String::new();
        let amount = match (entry.takes, value) {
            (Takes::Nothing, None) => 0,
            (Takes::Nothing, Some(value)) => return Err(bad(name, value, "the name alone")),
            (Takes::Millis(usual) | Takes::Bytes(usual), None) => usual,
            (Takes::Millis(_), Some(value)) => {
                u64::try_from(duration(name, value)?.as_millis()).unwrap_or(u64::MAX)
            }
            (Takes::Bytes(_), Some(value)) => bytes(name, value)?,
            (Takes::Status, value) => {
                let code = value.unwrap_or_default();
                let status = code.parse().ok().filter(|status| (200..=599).contains(status));
                status.ok_or_else(|| bad(name, code, "a status from 200 to 599"))?
            }
            (Takes::Text(usual), value) => {
                value.unwrap_or(usual).clone_into(&mut text);
                0
            }
        };
        let after = entry.after.unwrap_or(0);
        let (retry_after, code, body) = (None, None, ErrorBody::Own);
        Ok(Self { kind: entry.kind, amount, text, after, retry_after, code, body, when: When::default() })
    }

    fn add(&mut self, word: &str, value: &str) -> Result<(), FaultError> {
        let entry = self.kind.entry();
        let status = self.kind == Kind::Status;
        match word {
            "after" if entry.after.is_some() => self.after = events(word, value)?,
            "retry_after" if status => {
                let wait = RetryAfter::parse(value);
                self.retry_after = Some(wait.ok_or_else(|| bad(word, value, "2, 1500ms, date or absurd"))?);
            }
            "code" if status => self.code = Some(value.to_owned()),
            "body" if status => {
                self.body = match value {
                    "html" => ErrorBody::Html,
                    "empty" => ErrorBody::Empty,
                    _ => return Err(bad(word, value, "html or empty")),
                }
            }
            _ if self.when.add(word, value)? => {}
            _ => {
                let takes = match (status, entry.after) {
                    (true, _) => "retry_after= code= body= ",
                    (false, Some(_)) => "after= ",
                    (false, None) => "",
                };
                return Err(FaultError::UnknownWord { name: entry.name, word: word.to_owned(), takes });
            }
        }
        Ok(())
    }

    /// Returns the amount as a size or a count.
    pub(super) fn size(&self) -> usize {
        usize::try_from(self.amount).unwrap_or(usize::MAX)
    }

    /// Returns the events before it.
    pub(super) fn place(&self) -> usize {
        usize::try_from(self.after).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = self.kind.entry();
        f.write_str(entry.name)?;
        match entry.takes {
            Takes::Nothing => {}
            Takes::Millis(_) => write!(f, "={}ms", self.amount)?,
            Takes::Bytes(_) | Takes::Status => write!(f, "={}", self.amount)?,
            Takes::Text(_) => write!(f, "={}", self.text)?,
        }
        if entry.after.is_some() {
            write!(f, ",after={}", self.after)?;
        }
        self.retry_after.map_or(Ok(()), |wait| write!(f, ",retry_after={wait}"))?;
        self.code.iter().try_for_each(|code| write!(f, ",code={code}"))?;
        match self.body {
            ErrorBody::Own => {}
            ErrorBody::Html => f.write_str(",body=html")?,
            ErrorBody::Empty => f.write_str(",body=empty")?,
        }
        self.when.fmt(f)
    }
}

#[cfg(test)]
mod tests;
