//! The one closed list of kinds of errors, and what each is called at each edge.

/// Kind of an error as operators meet it. The words are those of `google.rpc.Code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// The request is wrong whatever the state is.
    InvalidArgument,
    /// No proof of who asks.
    Unauthenticated,
    /// Who asks may not.
    PermissionDenied,
    /// There is nothing of that name.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// The state forbids it: something refers to it, or it is not in the right phase.
    FailedPrecondition,
    /// The state moved: a stale `expected_revision`, or a request id used for something else.
    Aborted,
    /// A bound is reached: try later.
    ResourceExhausted,
    /// The caller's deadline passed; a write may or may not have happened.
    DeadlineExceeded,
    /// Not now: no leader, no quorum, shutting down.
    Unavailable,
    /// This release does not do it.
    Unimplemented,
    /// A defect of ours.
    Internal,
}

impl ErrorKind {
    /// All kinds, for tables and tests.
    pub const ALL: [Self; 12] = [
        Self::InvalidArgument,
        Self::Unauthenticated,
        Self::PermissionDenied,
        Self::NotFound,
        Self::AlreadyExists,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::ResourceExhausted,
        Self::DeadlineExceeded,
        Self::Unavailable,
        Self::Unimplemented,
        Self::Internal,
    ];

    /// Returns the gRPC code, the word for it, the HTTP status and the exit code of the command line.
    ///
    /// Source of the HTTP statuses: google.rpc.Code. Exit codes: 1 refused or failed, 3 unreachable, 4 unknown outcome.
    #[must_use]
    pub fn faces(self) -> (i32, &'static str, u16, u8) {
        match self {
            Self::InvalidArgument => (3, "INVALID_ARGUMENT", 400, 1),
            Self::DeadlineExceeded => (4, "DEADLINE_EXCEEDED", 504, 4),
            Self::NotFound => (5, "NOT_FOUND", 404, 1),
            Self::AlreadyExists => (6, "ALREADY_EXISTS", 409, 1),
            Self::PermissionDenied => (7, "PERMISSION_DENIED", 403, 1),
            Self::ResourceExhausted => (8, "RESOURCE_EXHAUSTED", 429, 1),
            Self::FailedPrecondition => (9, "FAILED_PRECONDITION", 400, 1),
            Self::Aborted => (10, "ABORTED", 409, 1),
            Self::Unimplemented => (12, "UNIMPLEMENTED", 501, 1),
            Self::Internal => (13, "INTERNAL", 500, 1),
            Self::Unavailable => (14, "UNAVAILABLE", 503, 3),
            Self::Unauthenticated => (16, "UNAUTHENTICATED", 401, 1),
        }
    }

    /// Returns the kind of a gRPC code; codes that we never send count as internal.
    #[must_use]
    pub fn from_grpc_code(code: i32) -> Self {
        Self::ALL.into_iter().find(|kind| kind.faces().0 == code).unwrap_or(Self::Internal)
    }

    /// Returns the kind whose word this is.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.faces().1 == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_words_are_unique_and_lead_back() {
        for kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::from_grpc_code(kind.faces().0), kind);
            assert_eq!(ErrorKind::from_word(kind.faces().1), Some(kind));
        }
        assert_eq!(ErrorKind::from_grpc_code(99), ErrorKind::Internal);
    }
}
