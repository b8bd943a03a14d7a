//! Errors: what providers answered to calls that they refused, as a caller of each other format gets it.

use std::sync::OnceLock;

use breakwater_dialect::{ErrorClass, Format, GatewayError, ProviderError, translate};
use serde_json::Value;

use crate::crossing::CLIENTS;
use crate::kit::recordings::{Body, Recording, all};
use crate::kit::semantics::text;
use crate::tally::{Feature, Tally, Verdict};

const REQUEST_ID: &str = "the-request-id";

/// Recorded errors.
fn errors() -> impl Iterator<Item = (&'static Recording, Format, &'static Value)> {
    all().iter().filter(|one| one.status >= 400).filter_map(|one| match (&one.reply, one.format) {
        (Body::Whole(body), Some(format)) => Some((one, format, body)),
        _ => None,
    })
}

/// Puts every recorded error through every pair, once.
pub fn tally() -> &'static Tally {
    static TALLY: OnceLock<Tally> = OnceLock::new();
    TALLY.get_or_init(|| {
        let mut tally = Tally::default();
        for (recording, provider, body) in errors() {
            let read = translate::read_error(provider, recording.status, &body.to_string());
            for client in CLIENTS.into_iter().filter(|client| *client != provider) {
                let verdict = match read_well(recording.status, body, &read) {
                    Ok(()) => written_well(client, recording.status, &read),
                    Err(why) => Err(why),
                };
                let verdict = verdict.map_or_else(Verdict::Wrong, |()| Verdict::Pass);
                tally.note(provider, client, &recording.file, &[Feature::Error], verdict);
            }
        }
        tally
    })
}

/// The provider's sentence survives, and the class is that of the status, or a narrower one.
fn read_well(status: u16, body: &Value, read: &ProviderError) -> Result<(), String> {
    // An aggregator's own sentence says less than the one it repeats.
    let repeated = body["error"]["metadata"]["raw"].as_str();
    if repeated.is_some_and(|repeated| !read.message.is_empty() && repeated.contains(&read.message)) {
        return Ok(());
    }
    let places = ["/error/message", "/message", "/error", "/detail", "/detail/0/msg", "/error/0/message"];
    let sentence = places.iter().find_map(|place| body.pointer(place).and_then(Value::as_str));
    if let Some(sentence) = sentence.filter(|sentence| sentence.trim() != read.message.trim()) {
        return Err(format!("the message is lost | {sentence:.200} became {:.200}", read.message));
    }
    let by_status = ErrorClass::of_status(status);
    let narrower: &[ErrorClass] = match by_status {
        ErrorClass::Invalid => &[
            ErrorClass::ContextLength,
            ErrorClass::ContentFilter,
            ErrorClass::NotFound,
            ErrorClass::TooLarge,
            ErrorClass::Authentication,
            ErrorClass::Permission,
            ErrorClass::Billing,
        ],
        ErrorClass::RateLimit => &[ErrorClass::Billing, ErrorClass::Overloaded],
        ErrorClass::Permission => &[ErrorClass::Authentication, ErrorClass::Billing],
        ErrorClass::Server => &[ErrorClass::Overloaded, ErrorClass::Timeout],
        _ => &[],
    };
    if read.class != by_status && !narrower.contains(&read.class) {
        return Err(format!("the class of a {status} | {:?}", read.class));
    }
    Ok(())
}

fn written_well(client: Format, status: u16, read: &ProviderError) -> Result<(), String> {
    let error = GatewayError {
        status,
        class: read.class,
        message: format!("it went wrong: {}", read.message),
        kind: None,
        code: None,
        param: read.param.clone(),
        request_id: REQUEST_ID.to_owned(),
    };
    let written = translate::write_error(client, &error);
    let body: Value = serde_json::from_str(&written).map_err(|_| "what is written is no JSON".to_owned())?;
    let inner = &body["error"];
    let (message, well) = match client {
        Format::Messages => {
            let kinds = [
                "invalid_request_error",
                "authentication_error",
                "billing_error",
                "permission_error",
                "not_found_error",
                "request_too_large",
                "rate_limit_error",
                "api_error",
                "timeout_error",
                "overloaded_error",
            ];
            let well = body["type"] == "error" && body["request_id"] == REQUEST_ID;
            (&inner["message"], well && kinds.contains(&text(&inner["type"])))
        }
        Format::Gemini => (&inner["message"], inner["code"] == status && inner["status"].is_string()),
        Format::Converse => (&body["message"], true),
        _ => {
            // Strict clients want all four, null or not (llm-api.md, 1.4).
            let well = ["message", "type", "param", "code"].iter().all(|key| inner.get(key).is_some());
            (&inner["message"], well && inner["type"].is_string())
        }
    };
    if !well {
        return Err(format!("written it is not of its format | {written:.300}"));
    }
    if message != &Value::String(error.message) {
        return Err(format!("written it has another message | {message:.300}"));
    }
    Ok(())
}

#[test]
fn an_error_says_the_same_in_every_format() {
    let tally = tally();
    tally.print("errors", errors().count());
    tally.hold("errors");
}
