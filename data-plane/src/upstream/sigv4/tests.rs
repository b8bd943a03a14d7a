use super::*;

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn authorization(key: AccessKey<'_>, parts: &Parts<'_>, scope: Scope<'_>) -> String {
    let headers = sign(key, parts, scope);
    headers.into_iter().find(|(name, _)| *name == "authorization").unwrap().1
}

/// Requests whose signatures AWS publishes (its aws-sig-v4-test-suite, and the IAM user guide).
#[test]
fn requests_that_aws_publishes_have_its_signatures() {
    let key = AccessKey::parse("AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").unwrap();
    let host = ("host", "example.amazonaws.com");
    let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    for (method, path, query, headers, service, signature) in [
        // get-vanilla
        (
            "GET",
            "/",
            "",
            &[host][..],
            "service",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        // post-vanilla
        (
            "POST",
            "/",
            "",
            &[host],
            "service",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        // get-vanilla-query-order-key-case
        (
            "GET",
            "/",
            "Param2=value2&Param1=value1",
            &[host],
            "service",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        // IAM ListUsers, of the documentation
        (
            "GET",
            "/",
            "Action=ListUsers&Version=2010-05-08",
            &[form, ("host", "iam.amazonaws.com")],
            "iam",
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
    ] {
        let parts = Parts { method, path, query, headers, body: b"" };
        let scope = Scope { region: "us-east-1", service, unix_seconds: 1_440_938_160 };
        let proof = authorization(key, &parts, scope);
        assert!(proof.ends_with(&format!("Signature={signature}")), "{method} {query} {service}: {proof}");
    }
}

/// Calls of Bedrock signed by botocore 1.44.5 (`SigV4Auth`) at 2026-01-02T03:04:05Z.
#[test]
fn calls_of_bedrock_have_the_signatures_that_botocore_makes() {
    let sonnet = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";
    let profile = "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fmi1dadi0g15f";
    let east = "bedrock-runtime.us-east-1.amazonaws.com";
    let token = "IQoJb3JpZ2luX2VjEXAMPLE//token==";
    for (host, region, path, query, body, session, signature) in [
        (
            east,
            "us-east-1",
            format!("{sonnet}/converse"),
            "",
            r#"{"messages":[]}"#,
            None,
            "b89eb0f721bec00d4a1aa1a65e1a6d86a2a3282b0076226c1c8fb23e4b3c4064",
        ),
        (
            east,
            "us-east-1",
            format!("{sonnet}/converse-stream"),
            "",
            "",
            Some(token),
            "20608d9f95121c32fea7527e968f5bd0fdca872b7b58c7d6fda2050f4e0753b4",
        ),
        (
            "bedrock-runtime.eu-west-1.amazonaws.com",
            "eu-west-1",
            format!("{profile}/converse"),
            "",
            r#"{"ä":1}"#,
            None,
            "9b1821f9f2d2d16bb8a35ea19994a17cfff7722c3fe771d02af07485a38f3a7a",
        ),
        (
            "127.0.0.1:8080",
            "us-east-1",
            "/base/model/a~b_c.d-e/converse".to_owned(),
            "b=2&a=1%20x&a=0",
            "x",
            None,
            "024751de6ba926ed1758a3dd05fc57e3c99367eaf6522b0d3db89fa45443cc41",
        ),
    ] {
        let key = AccessKey { id: ID, secret: SECRET, session };
        let headers = [("content-type", "application/json"), ("host", host)];
        let parts = Parts { method: "POST", path: &path, query, headers: &headers, body: body.as_bytes() };
        let scope = Scope { region, service: BEDROCK, unix_seconds: 1_767_323_045 };
        let signed = if session.is_some() { ";x-amz-security-token" } else { "" };
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential={ID}/20260102/{region}/bedrock/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date{signed}, Signature={signature}"
        );
        assert_eq!(authorization(key, &parts, scope), expected);
        let made = sign(key, &parts, scope);
        assert!(made.contains(&("x-amz-date", "20260102T030405Z".to_owned())));
        assert_eq!(made.iter().any(|(name, _)| *name == "x-amz-security-token"), session.is_some());
    }
}

#[test]
fn access_keys_are_told_from_api_keys() {
    let key = |id, secret, session| Some(AccessKey { id, secret, session });
    for (text, expected) in [
        ("AKIAIOSFODNN7EXAMPLE:s3+/cr=t", key(ID, "s3+/cr=t", None)),
        ("ASIA1:secret:IQoJ//==", key("ASIA1", "secret", Some("IQoJ//=="))),
        ("ABSKQmVkcm9ja0FQSUtleS1leGFtcGxl+/==", None),
        ("bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t", None),
        ("", None),
        (":secret", None),
        ("AKIA1:", None),
        ("AKIA1:secret:", None),
        ("AKIA1:secret:token:more", None),
        ("AKIA 1:secret", None),
    ] {
        assert_eq!(AccessKey::parse(text), expected, "{text}");
    }
    let shown = format!("{:?}", AccessKey::parse("AKIA1:hush:quiet"));
    assert!(!shown.contains("hush") && !shown.contains("quiet"), "{shown}");
}

#[test]
fn the_region_stands_in_the_host() {
    for (host, region) in [
        ("bedrock-runtime.us-east-1.amazonaws.com", Some("us-east-1")),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com:443", Some("us-gov-west-1")),
        ("vpce-1-a.bedrock-runtime.eu-central-1.vpce.amazonaws.com", Some("eu-central-1")),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
        ("127.0.0.1:8080", None),
        ("bedrock-runtime.example.com", None),
    ] {
        assert_eq!(region_of(host), region, "{host}");
    }
}

#[test]
fn times_are_written_as_aws_wants_them() {
    for (seconds, time) in [
        (0, "19700101T000000Z"),
        (951_782_400, "20000229T000000Z"),
        (1_440_938_160, "20150830T123600Z"),
        (4_107_542_399, "21000228T235959Z"),
        (4_107_542_400, "21000301T000000Z"),
    ] {
        assert_eq!(timestamp(seconds), time);
    }
}
