use super::*;

fn read(status: u16, body: &str) -> (ErrorClass, String, Option<String>, Option<String>) {
    let error = read_error(status, body);
    (error.class, error.message, error.kind, error.code)
}

#[test]
fn every_vendors_error_is_read() {
    use ErrorClass::*;
    let some = |word: &str| Some(word.to_owned());
    for (status, body, want) in [
        (
            401,
            r#"{"error":{"message":"Incorrect API key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
            (Authentication, "Incorrect API key", some("invalid_request_error"), some("invalid_api_key")),
        ),
        (
            401,
            r#"{"error":{"message":"Missing header","code":401}}"#,
            (Authentication, "Missing header", None, some("401")),
        ),
        (401, r#"{"detail":"Invalid API Key"}"#, (Authentication, "Invalid API Key", None, None)),
        (
            422,
            r#"{"detail":[{"loc":["body","messages",0,"role"],"msg":"unknown role","type":"value_error"}]}"#,
            (Invalid, "messages[0].role: unknown role", None, None),
        ),
        (
            400,
            r#"{"object":"error","message":"bad","type":"invalid_request_error","param":null,"code":"3230","raw_status_code":400}"#,
            (Invalid, "bad", some("invalid_request_error"), some("3230")),
        ),
        (
            422,
            r#"{"object":"error","message":{"detail":[{"loc":["body","x"],"msg":"extra"}]},"type":"invalid_request_error"}"#,
            (Invalid, "x: extra", some("invalid_request_error"), None),
        ),
        (404, r#"{"error":"model \"x\" not found"}"#, (NotFound, "model \"x\" not found", None, None)),
        (
            400,
            r#"[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]"#,
            (Invalid, "bad", some("INVALID_ARGUMENT"), some("400")),
        ),
        (
            403,
            r#"{"success":false,"errors":[{"code":10000,"message":"no"}]}"#,
            (Permission, "no", None, some("10000")),
        ),
        (
            429,
            r#"{"error":{"code":429,"message":"Provider returned error","metadata":{"raw":"{\"error\":{\"message\":\"slow down\",\"type\":\"x\"}}"}}}"#,
            (RateLimit, "Provider returned error", None, some("429")),
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"Provider returned error","metadata":{"raw":"{\"error\":{\"code\":\"context_length_exceeded\"}}"}}}"#,
            (ContextLength, "Provider returned error", None, some("400")),
        ),
        (502, "<html>bad gateway</html>", (Server, "", None, None)),
        (500, "", (Server, "", None, None)),
        (503, "upstream connect error", (Overloaded, "upstream connect error", None, None)),
        (200, r#"{"error":{"code":502,"message":"x"}}"#, (Server, "x", None, some("502"))),
    ] {
        let (class, message, kind, code) = want;
        assert_eq!(read(status, body), (class, message.to_owned(), kind, code), "{body}");
    }
    let error = read_error(422, r#"{"detail":[{"loc":["body","messages",0,"role"],"msg":"unknown role"}]}"#);
    assert_eq!(error.param.as_deref(), Some("messages[0].role"));
}

#[test]
fn the_class_is_in_the_words_or_in_the_status() {
    use ErrorClass::*;
    let error = |kind: &str, code: &str, message: &str| {
        format!(r#"{{"error":{{"message":"{message}","type":"{kind}","code":"{code}"}}}}"#)
    };
    for (status, kind, code, message, want) in [
        (400, "invalid_request_error", "context_length_exceeded", "x", ContextLength),
        (
            400,
            "invalid_request_error",
            "invalid_request_error",
            "This model's maximum context length is 9 tokens.",
            ContextLength,
        ),
        (
            400,
            "invalid_request_error",
            "",
            "prompt too long; exceeded max context length by 1 tokens",
            ContextLength,
        ),
        (
            400,
            "too_many_prompt_tokens",
            "400",
            "The total length of all messages is too long.",
            ContextLength,
        ),
        (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota", Billing),
        (402, "", "", "Insufficient Balance", Billing),
        (429, "requests", "rate_limit_exceeded", "Rate limit reached", RateLimit),
        (429, "", "RateLimitReached", "x", RateLimit),
        (429, "tokens", "", "Request too large: context length and limit of tokens", RateLimit),
        (400, "", "content_filter", "The response was filtered", ContentFilter),
        (400, "", "", "triggering Azure OpenAI's content management policy", ContentFilter),
        (404, "invalid_request_error", "model_not_found", "x", NotFound),
        (400, "invalid_request_error", "unsupported_parameter", "x", Invalid),
        (500, "server_error", "", "context window", Server),
        (504, "", "", "", Timeout),
        (529, "", "", "", Overloaded),
    ] {
        assert_eq!(read(status, &error(kind, code, message)).0, want, "{status} {kind} {code} {message}");
    }
}

#[test]
fn when_to_come_back_is_read_from_the_message() {
    for (text, want) in [
        ("Please try again in 6ms.", Some(6)),
        ("Please try again in 1.5s. Visit", Some(1500)),
        ("Please try again in 6m0s.", Some(360_000)),
        ("Please try again in a while", None),
        ("no", None),
    ] {
        assert_eq!(
            read_error(429, &format!(r#"{{"error":{{"message":"{text}"}}}}"#)).retry_after_ms,
            want,
            "{text}"
        );
    }
    let gemini = r#"{"error":{"message":"x","details":[{"@type":"y"},{"retryDelay":"17s"}]}}"#;
    assert_eq!(read_error(429, gemini).retry_after_ms, Some(17_000));
}

#[test]
fn the_envelope_has_its_four_members() {
    let error = GatewayError {
        status: 400,
        class: ErrorClass::Invalid,
        message: "a \"quote\"".into(),
        kind: None,
        code: None,
        param: None,
        request_id: "r".into(),
    };
    assert_eq!(
        write_error(&error),
        r#"{"error":{"message":"a \"quote\"","type":"invalid_request_error","param":null,"code":null}}"#
    );
    let full = GatewayError {
        class: ErrorClass::Server,
        kind: Some("k".into()),
        code: Some("c".into()),
        param: Some("p".into()),
        ..error
    };
    assert_eq!(
        write_error(&full),
        r#"{"error":{"message":"a \"quote\"","type":"k","param":"p","code":"c"}}"#
    );
}
