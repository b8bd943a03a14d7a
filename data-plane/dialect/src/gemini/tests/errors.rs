//! Errors, both ways. The bodies are recorded ones.

use serde_json::json;

use super::json as parse;
use crate::{ErrorClass, Format, GatewayError, translate};

#[test]
fn google_s_words_tell_the_class() {
    for (status, word, message, class) in [
        (400, "INVALID_ARGUMENT", "Please use a valid role: user, model.", ErrorClass::Invalid),
        (
            400,
            "INVALID_ARGUMENT",
            "The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).",
            ErrorClass::ContextLength,
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            ErrorClass::Authentication,
        ),
        (400, "FAILED_PRECONDITION", "please enable billing on your project", ErrorClass::Billing),
        (403, "PERMISSION_DENIED", "Permission denied", ErrorClass::Permission),
        (
            403,
            "PERMISSION_DENIED",
            "Method doesn't allow unregistered callers (callers without established identity).",
            ErrorClass::Authentication,
        ),
        (404, "NOT_FOUND", "models/x is not found for API version v1beta", ErrorClass::NotFound),
        (429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later.", ErrorClass::RateLimit),
        (500, "INTERNAL", "An internal error has occurred.", ErrorClass::Server),
        (503, "UNAVAILABLE", "The model is overloaded.", ErrorClass::Overloaded),
        (504, "DEADLINE_EXCEEDED", "", ErrorClass::Timeout),
        (418, "A_NEW_WORD", "", ErrorClass::Invalid),
    ] {
        let body = json!({"error": {"code": status, "message": message, "status": word}});
        for body in [body.clone(), json!([body])] {
            let read = translate::read_error(Format::Gemini, status, &body.to_string());
            assert_eq!((read.class, read.message.as_str()), (class, message), "{word} {message}");
            assert_eq!((read.kind.as_deref(), read.code), (Some(word), Some(status.to_string())));
        }
    }
    for body in ["", "<html>", "[]", r#"{"error":null}"#, r#"{"error":"no"}"#] {
        let read = translate::read_error(Format::Gemini, 503, body);
        assert_eq!(read.class, ErrorClass::Overloaded, "{body}");
    }
}

#[test]
fn bug_21_the_body_says_when_to_come_back() {
    let with = |delay: &str| {
        let body = json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Please retry in 7.5s.",
            "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]}});
        translate::read_error(Format::Gemini, 429, &body.to_string()).retry_after_ms
    };
    assert_eq!(with("48s"), Some(48_000));
    assert_eq!(with("48.939935699s"), Some(48_940));
    assert_eq!(with("0.2s"), Some(200));
    assert_eq!(with("soon"), Some(7_500), "the message says it too");
}

#[test]
fn a_wrong_field_is_named() {
    let body = json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "m", "details": [
        {"@type": "type.googleapis.com/google.rpc.BadRequest",
         "fieldViolations": [{"field": "generation_config.top_k", "description": "d"}]}]}});
    let read = translate::read_error(Format::Gemini, 400, &body.to_string());
    assert_eq!(read.param.as_deref(), Some("generation_config.top_k"));
}

#[test]
fn a_caller_gets_google_s_envelope() {
    let error = GatewayError {
        status: 404,
        class: ErrorClass::NotFound,
        message: "no \"such\" model".to_owned(),
        kind: None,
        code: Some("model_not_found".to_owned()),
        param: Some("model".to_owned()),
        request_id: "req1".to_owned(),
    };
    let written = parse(&translate::write_error(Format::Gemini, &error));
    assert_eq!(written["error"]["code"], 404);
    assert_eq!(written["error"]["status"], "NOT_FOUND");
    assert_eq!(written["error"]["message"], "no \"such\" model");
    let read = translate::read_error(Format::Gemini, 404, &written.to_string());
    assert_eq!((read.class, read.param.as_deref()), (ErrorClass::NotFound, Some("model")));
    for (class, word) in [
        (ErrorClass::Authentication, "UNAUTHENTICATED"),
        (ErrorClass::RateLimit, "RESOURCE_EXHAUSTED"),
        (ErrorClass::Overloaded, "UNAVAILABLE"),
        (ErrorClass::Timeout, "DEADLINE_EXCEEDED"),
    ] {
        let written =
            parse(&translate::write_error(Format::Gemini, &GatewayError { class, ..error.clone() }));
        assert_eq!(written["error"]["status"], word);
    }
}
