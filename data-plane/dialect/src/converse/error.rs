//! Errors.

use crate::{ErrorClass, GatewayError, ProviderError, json};

use super::field::Field;

/// Types of Bedrock's errors and their classes (source: botocore 1.44.5, and the common errors of AWS's services).
const TYPES: &[(&str, ErrorClass)] = &[
    ("AccessDeniedException", ErrorClass::Permission),
    ("ExpiredTokenException", ErrorClass::Authentication),
    ("IncompleteSignature", ErrorClass::Authentication),
    ("InternalFailure", ErrorClass::Server),
    ("InternalServerException", ErrorClass::Server),
    ("InvalidSignatureException", ErrorClass::Authentication),
    ("MissingAuthenticationTokenException", ErrorClass::Authentication),
    ("ModelErrorException", ErrorClass::Server),
    ("ModelNotReadyException", ErrorClass::Overloaded),
    ("ModelStreamErrorException", ErrorClass::Server),
    ("ModelTimeoutException", ErrorClass::Timeout),
    ("ResourceNotFoundException", ErrorClass::NotFound),
    ("ServiceQuotaExceededException", ErrorClass::RateLimit),
    ("ServiceUnavailableException", ErrorClass::Overloaded),
    ("ThrottlingException", ErrorClass::RateLimit),
    ("UnrecognizedClientException", ErrorClass::Authentication),
    ("ValidationException", ErrorClass::Invalid),
];

/// Words in a message of status 400 that say that the prompt is too long for the model, lower case (recorded, and the words
/// of the models behind Bedrock).
const TOO_LONG: &[&str] = &[
    "input tokens exceeded",
    "input is too long",
    "prompt is too long",
    "too many input tokens",
    "exceeds maximum length",
    "maximum context length",
    "context window",
];

/// Words of a model that is not there. Bedrock answers 400 then (recorded).
const NO_MODEL: &str = "the provided model identifier is invalid";

/// Words of a key that is wrong. Bedrock answers 403 then (recorded), as for one that may not do this.
const WRONG_KEY: &[&str] = &["security token", "signature", "api key", "expired"];

/// Reads the body of an error. The type is in a header (`x-amzn-errortype`) and seldom in the body.
pub(crate) fn read_error(status: u16, body: &str) -> ProviderError {
    let mut error = ProviderError::of_status(status);
    // A model failed behind Bedrock: no fault of the caller's.
    if status == 424 {
        error.class = ErrorClass::Server;
    }
    let Ok(body) = json::check(body.as_bytes()) else { return error };
    let body = Field::root(body);
    let text = |key: &str| body.text_of(key).ok().flatten();
    error.message = text("message").or_else(|| text("Message")).unwrap_or_default();
    error.kind = text("__type").or_else(|| text("code")).map(|kind| bare(&kind).to_owned());
    let known = error.kind.as_deref().and_then(|kind| TYPES.iter().find(|(known, _)| *known == kind));
    if let Some((_, class)) = known {
        error.class = *class;
    }
    let message = error.message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if error.class == ErrorClass::Invalid && says(TOO_LONG) {
        error.class = ErrorClass::ContextLength;
    } else if error.class == ErrorClass::Invalid && says(&[NO_MODEL]) {
        error.class = ErrorClass::NotFound;
    } else if error.class == ErrorClass::Permission && known.is_none() && says(WRONG_KEY) {
        error.class = ErrorClass::Authentication;
    }
    error
}

/// Takes a type out of what AWS writes around it: `com.amazon.coral.service#ThrottlingException`, `ThrottlingException:http://...`.
fn bare(kind: &str) -> &str {
    let kind = kind.rsplit_once('#').map_or(kind, |(_, kind)| kind);
    kind.split_once(':').map_or(kind, |(kind, _)| kind)
}

/// Writes the body of an error.
pub(crate) fn write_error(error: &GatewayError) -> String {
    format!(r#"{{"message":{}}}"#, json::quote(&error.message))
}

/// Returns the type of an error for the header `x-amzn-errortype`: boto3 makes the name of its exception of it.
#[must_use]
pub fn error_type(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::Invalid
        | ErrorClass::ContextLength
        | ErrorClass::TooLarge
        | ErrorClass::ContentFilter => "ValidationException",
        ErrorClass::Authentication => "UnrecognizedClientException",
        ErrorClass::Billing | ErrorClass::Permission => "AccessDeniedException",
        ErrorClass::NotFound => "ResourceNotFoundException",
        ErrorClass::RateLimit => "ThrottlingException",
        ErrorClass::Overloaded => "ServiceUnavailableException",
        ErrorClass::Timeout => "ModelTimeoutException",
        ErrorClass::Server => "InternalServerException",
    }
}
