//! How a command ends when it does not succeed: an exit code for scripts and words for people.

use std::fmt;

/// Exit code of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Refused or failed.
    Failed,
    /// Wrong usage: arguments or files that cannot be what was meant.
    Usage,
    /// The server could not be reached; nothing was changed.
    Unreachable,
    /// The outcome of a write is unknown.
    Unknown,
}

/// Why a command did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What happened and what to do: lines without a full stop at the end.
    pub lines: Vec<String>,
}

impl Exit {
    /// Returns the number that scripts see.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Unknown => 4,
        }
    }

    /// Returns the exit of a code of `ErrorKind::faces`.
    #[must_use]
    pub fn of_code(code: u8) -> Self {
        match code {
            0 => Self::Done,
            2 => Self::Usage,
            3 => Self::Unreachable,
            4 => Self::Unknown,
            _ => Self::Failed,
        }
    }
}

impl Failure {
    /// Makes a failure with one line.
    #[must_use]
    pub fn new(exit: Exit, line: impl Into<String>) -> Self {
        Self { exit, lines: vec![line.into()] }
    }

    /// Makes a plain failure, exit code 1.
    #[must_use]
    pub fn failed(line: impl Into<String>) -> Self {
        Self::new(Exit::Failed, line)
    }

    /// Makes a failure for wrong usage, exit code 2.
    #[must_use]
    pub fn usage(line: impl Into<String>) -> Self {
        Self::new(Exit::Usage, line)
    }

    /// Adds a line: what to do.
    #[must_use]
    pub fn hint(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

impl std::error::Error for Failure {}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(failure) => failure,
            Err(error) => Self::failed(format!("{error:#}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use breakwater_common::error_kind::ErrorKind;

    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let all = [Exit::Done, Exit::Failed, Exit::Usage, Exit::Unreachable, Exit::Unknown];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3, 4]);
        for exit in all {
            assert_eq!(Exit::of_code(exit.code()), exit);
        }
        for kind in ErrorKind::ALL {
            assert_eq!(Exit::of_code(kind.faces().3).code(), kind.faces().3, "{kind:?}");
        }
    }
}
