//! A named set of guardrails.

/// A named set of guardrails.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Whether verdicts are acted on.
    pub mode: Mode,
    /// The checks that this release evaluates; others of the manifest are stored only.
    pub guardrails: Vec<Guardrail>,
}

/// Whether verdicts are acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// They are.
    #[default]
    Enforce,
    /// They are evaluated and reported, never acted on.
    Shadow,
}

/// One check with its action.
#[derive(Debug, Clone, PartialEq)]
pub struct Guardrail {
    /// Unique within the policy.
    pub name: String,
    /// What is looked for.
    pub check: GuardrailCheck,
    /// Which sides of the call.
    pub sides: Sides,
    /// What a finding leads to.
    pub action: Action,
    /// A guardrail that cannot decide lets the call pass.
    pub fail_open: bool,
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardrailCheck {
    /// Personal data; never empty.
    Pii(Vec<PiiEntity>),
    /// Keys, tokens, private keys.
    Secrets,
}

/// A kind of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PiiEntity {
    /// E-mail address.
    Email,
    /// Telephone number.
    Phone,
    /// Payment card number that passes Luhn's check.
    CreditCard,
    /// IBAN that passes ISO 7064 mod 97-10.
    Iban,
    /// US social security number.
    UsSsn,
    /// IPv4 or IPv6 address.
    IpAddress,
    /// URL with a user and a password.
    UrlCredentials,
}

impl PiiEntity {
    /// All entities.
    pub const ALL: [Self; 7] = [
        Self::Email,
        Self::Phone,
        Self::CreditCard,
        Self::Iban,
        Self::UsSsn,
        Self::IpAddress,
        Self::UrlCredentials,
    ];

    /// Returns the word of manifests, verdicts and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::CreditCard => "credit_card",
            Self::Iban => "iban",
            Self::UsSsn => "us_ssn",
            Self::IpAddress => "ip_address",
            Self::UrlCredentials => "url_credentials",
        }
    }

    /// Returns the entity of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entity| entity.as_str() == word)
    }
}

/// Which sides of a call are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sides {
    /// What the caller sends.
    pub input: bool,
    /// What the model answers.
    pub output: bool,
}

/// What a finding leads to. The order is that of strength: the strongest of several verdicts holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing.
    Allow,
    /// It is reported.
    Warn,
    /// It is taken out.
    Redact,
    /// The call or the answer ends.
    Block,
}

impl Action {
    /// Returns the word of manifests, verdicts and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Redact => "redact",
            Self::Block => "block",
        }
    }
}
