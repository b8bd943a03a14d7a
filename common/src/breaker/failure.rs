//! What can go wrong with an attempt, and what follows from it: for the breaker, for the credential, for the chain. One table
//! (source: fleet.md §2.2), read by the proxy and by the check of a provider's own `error_map`.

use super::Outcome;

/// What happened to an attempt, in no provider's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The breaker is open: nothing was sent.
    BreakerOpen,
    /// The credential is over its limit, and the time that it was told to wait is not over: nothing was sent.
    CoolingDown,
    /// The credential was refused lately: nothing was sent.
    CredentialDown,
    /// The provider's address or a header cannot be built from its configuration: nothing was sent.
    BadConfiguration,
    /// No connection, no TLS, no name, or reset before the answer's head.
    Connect,
    /// A stream gave no first byte or no first content in time.
    FirstByteTimeout,
    /// A call that is not streamed got no whole answer in time.
    ResponseTimeout,
    /// A status that says that the upstream does not work: 5xx, 408.
    Status,
    /// A redirect or another status that no completion has.
    UnexpectedStatus,
    /// Too many calls or tokens: 429.
    RateLimited,
    /// The account has no money or no quota: 402, and 429 that says so.
    QuotaExhausted,
    /// Words speak of money, and the status does not. A caller may have put them there, so nothing is left alone for it.
    QuotaDoubtful,
    /// Our credential is refused: 401, 403.
    CredentialRefused,
    /// Our model or deployment is not there: 404.
    ModelRefused,
    /// The caller's request is refused: another 4xx.
    Rejected,
    /// It is longer than the model's context window.
    ContextLength,
    /// The provider's filter refused it. Never tried elsewhere: nobody shops for a laxer provider.
    ContentFilter,
    /// An answer that is no completion.
    Garbage,
    /// An answer over the bound.
    TooLarge,
    /// The body broke off before the first content, or a whole one before its end.
    Cut,
    /// A stream that began with an error event.
    StreamError,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// What the breaker hears.
    pub outcome: Outcome,
    /// What is left alone for a while.
    pub cooldown: Cooldown,
    /// What is tried next.
    pub next: Next,
}

/// What is left alone for a while after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cooldown {
    /// Nothing.
    None,
    /// The provider, if the failure opens its breaker: at least as long as it asked for.
    OpenAtLeast,
    /// The credential for this model, as long as the provider asked for.
    Model,
    /// The credential for everything, for half an hour: a person must mend it.
    Credential,
}

/// What is tried after a failure, as long as nothing has gone to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The provider's next credential, and after the last one the next candidate.
    Credential,
    /// The next candidate.
    Candidate,
    /// Nothing: the fault is the caller's, and every other upstream would say the same.
    Stop,
}

/// What a provider answered that was no success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said<'a> {
    /// The status.
    pub status: u16,
    /// The code of its error; empty if there is none.
    pub code: &'a str,
    /// The type of its error; empty if there is none.
    pub kind: &'a str,
    /// What its words mean, where they say more than the status.
    pub topic: Topic,
    /// The call is about something that the provider keeps: a status about access is about that thing.
    pub stored: bool,
}

/// What an error speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Nothing that matters here.
    Other,
    /// Money or quota.
    Quota,
    /// The length of the prompt.
    ContextLength,
    /// Forbidden content.
    ContentFilter,
}

/// A line of a provider's `error_map`: an answer that fits all that it says is of its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorRule {
    /// The status; none if any.
    pub status: Option<u16>,
    /// The code; empty if any.
    pub code: String,
    /// The type; empty if any.
    pub kind: String,
    /// What it is.
    pub class: Class,
}

/// The classes that an `error_map` may name, with their words.
pub const MAPPED: [(&str, Class); 8] = [
    ("failure", Class::Status),
    ("rate_limited", Class::RateLimited),
    ("quota_exhausted", Class::QuotaExhausted),
    ("credential_refused", Class::CredentialRefused),
    ("model_refused", Class::ModelRefused),
    ("rejected", Class::Rejected),
    ("context_length", Class::ContextLength),
    ("content_filter", Class::ContentFilter),
];

impl Class {
    /// Returns the word of metrics and of `why`; a status adds its number there.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BreakerOpen => "breaker_open",
            Self::CoolingDown => "cooling_down",
            Self::CredentialDown => "credential_down",
            Self::BadConfiguration => "bad_configuration",
            Self::Connect => "connect",
            Self::FirstByteTimeout => "first_byte_timeout",
            Self::ResponseTimeout => "response_timeout",
            Self::Status | Self::UnexpectedStatus => "status",
            Self::RateLimited => "rate_limited",
            Self::QuotaExhausted | Self::QuotaDoubtful => "quota_exhausted",
            Self::CredentialRefused => "credential_refused",
            Self::ModelRefused => "model_refused",
            Self::Rejected => "rejected",
            Self::ContextLength => "context_length",
            Self::ContentFilter => "content_filter",
            Self::Garbage => "garbage",
            Self::TooLarge => "too_large",
            Self::Cut => "cut",
            Self::StreamError => "stream_error",
        }
    }

    /// The table: what follows from it.
    #[must_use]
    pub fn effect(self) -> Effect {
        use Cooldown as C;
        use Next as N;
        use Outcome as O;
        let (outcome, cooldown, next) = match self {
            Self::BreakerOpen | Self::BadConfiguration => (O::Abandoned, C::None, N::Candidate),
            Self::CoolingDown | Self::CredentialDown => (O::Abandoned, C::None, N::Credential),
            Self::Status => (O::Failure, C::OpenAtLeast, N::Candidate),
            Self::Connect
            | Self::FirstByteTimeout
            | Self::ResponseTimeout
            | Self::UnexpectedStatus
            | Self::Garbage
            | Self::TooLarge
            | Self::Cut
            | Self::StreamError => (O::Failure, C::None, N::Candidate),
            Self::RateLimited => (O::Neutral, C::Model, N::Credential),
            Self::QuotaExhausted | Self::CredentialRefused => (O::Neutral, C::Credential, N::Credential),
            Self::QuotaDoubtful => (O::Neutral, C::None, N::Credential),
            Self::ModelRefused => (O::Neutral, C::None, N::Candidate),
            Self::Rejected | Self::ContextLength | Self::ContentFilter => (O::Neutral, C::None, N::Stop),
        };
        Effect { outcome, cooldown, next }
    }

    /// Whether the caller's request is at fault, and the caller hears what the provider said of it.
    #[must_use]
    pub fn is_the_callers(self) -> bool {
        self.effect().next == Next::Stop
    }

    /// Whether nothing was sent.
    #[must_use]
    pub fn is_unasked(self) -> bool {
        matches!(self, Self::BreakerOpen | Self::CoolingDown | Self::CredentialDown)
    }

    /// Returns the class of a word of an `error_map`.
    #[must_use]
    pub fn of_map(word: &str) -> Option<Self> {
        MAPPED.into_iter().find(|(known, _)| *known == word).map(|(_, class)| class)
    }
}

impl ErrorRule {
    /// Returns what is wrong with the rule, and in which of its fields; none if nothing is.
    #[must_use]
    pub fn violation(&self) -> Option<(&'static str, String)> {
        if self.status.is_none() && self.code.is_empty() && self.kind.is_empty() {
            return Some(("status", "the rule fits every error; say a status, a code or a type".to_owned()));
        }
        // Whoever answers 5xx does not work. A map that calls it the caller's fault would hide an outage from the breaker
        // and keep callers from their fallbacks.
        let is_client_error = self.status.is_some_and(|status| (400..500).contains(&status));
        (self.class.is_the_callers() && !is_client_error).then(|| {
            let message = format!(
                "\"{}\" is a fault of the caller: it needs a status from 400 to 499 beside it, so that no failing \
                 provider is mistaken for one",
                self.class.as_str()
            );
            ("class", message)
        })
    }

    fn fits(&self, said: &Said<'_>) -> bool {
        self.status.is_none_or(|status| status == said.status)
            && (self.code.is_empty() || self.code == said.code)
            && (self.kind.is_empty() || self.kind == said.kind)
    }
}

/// Classifies an answer whose status is not 200: by the first rule of the map that fits, or else by the table.
#[must_use]
pub fn classify(said: &Said<'_>, map: &[ErrorRule]) -> Class {
    let mapped = map.iter().find(|rule| rule.fits(said)).map(|rule| rule.class);
    mapped.unwrap_or_else(|| by_status(said))
}

fn by_status(said: &Said<'_>) -> Class {
    match (said.status, said.topic) {
        (408 | 500..=599, _) => Class::Status,
        // What the caller asked for is not kept there, or not for us; else the operator's model or key is at fault.
        (403 | 404, _) if said.stored => Class::Rejected,
        (402, _) | (403 | 429, Topic::Quota) => Class::QuotaExhausted,
        (429, _) => Class::RateLimited,
        (403, Topic::ContentFilter) => Class::ContentFilter,
        (401 | 403, _) => Class::CredentialRefused,
        (404, _) => Class::ModelRefused,
        (400..=499, Topic::Quota) => Class::QuotaDoubtful,
        (400..=499, Topic::ContentFilter) => Class::ContentFilter,
        (400 | 413, Topic::ContextLength) => Class::ContextLength,
        (400..=499, _) => Class::Rejected,
        _ => Class::UnexpectedStatus,
    }
}
