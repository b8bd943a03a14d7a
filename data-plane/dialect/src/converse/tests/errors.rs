use super::super::{error_type, read_error, write_error};
use crate::{ErrorClass, GatewayError};

#[test]
fn errors_have_the_class_that_their_words_say() {
    for (status, body, class, kind) in [
        (400, r#"{"message":"The provided model identifier is invalid."}"#, ErrorClass::NotFound, None),
        (400, r#"{"message":"Input is too long for requested model."}"#, ErrorClass::ContextLength, None),
        (
            403,
            r#"{"message":"The security token included in the request is invalid."}"#,
            ErrorClass::Authentication,
            None,
        ),
        (
            403,
            r#"{"Message":"You don't have access to the model with the specified model ID."}"#,
            ErrorClass::Permission,
            None,
        ),
        (429, r#"{"message":"Too many requests"}"#, ErrorClass::RateLimit, None),
        (424, r#"{"message":"The model failed","originalStatusCode":500}"#, ErrorClass::Server, None),
        (408, "{}", ErrorClass::Timeout, None),
        (503, "<html>", ErrorClass::Overloaded, None),
        (
            400,
            r#"{"__type":"com.amazon.coral.service#ThrottlingException","message":"slow"}"#,
            ErrorClass::RateLimit,
            Some("ThrottlingException"),
        ),
        (
            400,
            r#"{"__type":"ExpiredTokenException:http://x","message":""}"#,
            ErrorClass::Authentication,
            Some("ExpiredTokenException"),
        ),
    ] {
        let error = read_error(status, body);
        assert_eq!((error.class, error.kind.as_deref()), (class, kind), "{body}");
    }
    assert_eq!(read_error(400, r#"{"Message":"a"}"#).message, "a");
}

#[test]
fn callers_get_a_message_and_a_type() {
    let error = GatewayError {
        status: 429,
        class: ErrorClass::RateLimit,
        message: "a \"b\"".to_owned(),
        kind: None,
        code: None,
        param: None,
        request_id: String::new(),
    };
    assert_eq!(write_error(&error), r#"{"message":"a \"b\""}"#);
    assert_eq!(error_type(error.class), "ThrottlingException");
}
