//! Errors: what a provider says, and what a caller gets. Between the two stands a class, because every format has its own
//! words for the same dozen things.

/// What went wrong, in no format's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The request is wrong.
    Invalid,
    /// It is longer than the model's context window.
    ContextLength,
    /// The key is wrong.
    Authentication,
    /// The account has no money or no quota.
    Billing,
    /// The key may not do this.
    Permission,
    /// The model or the path is not there.
    NotFound,
    /// The body is too large.
    TooLarge,
    /// Too many calls or tokens.
    RateLimit,
    /// Too much to do; come back.
    Overloaded,
    /// It took too long.
    Timeout,
    /// It broke.
    Server,
    /// The prompt or the answer was filtered.
    ContentFilter,
}

impl ErrorClass {
    /// Returns the class of a status alone.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Authentication,
            402 => Self::Billing,
            403 => Self::Permission,
            404 => Self::NotFound,
            408 | 504 => Self::Timeout,
            413 => Self::TooLarge,
            429 => Self::RateLimit,
            503 | 529 => Self::Overloaded,
            500..=599 => Self::Server,
            _ => Self::Invalid,
        }
    }
}

/// What a provider said in the body of an error. Texts are the provider's, not scrubbed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderError {
    /// Its class: by its words if they are clear, else by its status.
    pub class: ErrorClass,
    /// The provider's message; empty if there is none.
    pub message: String,
    /// The provider's `type` or `status` word.
    pub kind: Option<String>,
    /// The provider's code; a number is written out.
    pub code: Option<String>,
    /// The field that is wrong, as the provider's format names it.
    pub param: Option<String>,
    /// When to come back, in milliseconds, if the body says it.
    pub retry_after_ms: Option<u64>,
}

impl ProviderError {
    /// Makes the error of a status whose body says nothing.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        Self {
            class: ErrorClass::of_status(status),
            message: String::new(),
            kind: None,
            code: None,
            param: None,
            retry_after_ms: None,
        }
    }
}

/// What a caller gets: an error of this gateway or one of a provider, scrubbed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayError {
    /// HTTP status.
    pub status: u16,
    /// Its class.
    pub class: ErrorClass,
    /// For a person.
    pub message: String,
    /// OpenAI's `type` if it is known; else made of the class.
    pub kind: Option<String>,
    /// The code of contract/rest.md (`model_not_found`), or the provider's.
    pub code: Option<String>,
    /// The field that is wrong.
    pub param: Option<String>,
    /// The call's id.
    pub request_id: String,
}
