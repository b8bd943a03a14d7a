use super::masked;

#[track_caller]
fn check(text: &str, expect: &str) {
    assert_eq!(masked(text), expect, "in {text:?}");
}

#[track_caller]
fn kept(text: &str) {
    check(text, text);
}

#[test]
fn email_addresses_are_masked() {
    check("write to john.doe+x@mail.example.co.uk.", "write to [EMAIL].");
    check("a@b.co,c@d.org;<e@f.net>", "[EMAIL],[EMAIL];<[EMAIL]>");
    check("email=john@x.com&y", "email=[EMAIL]&y");
    check("'o'brien@x.com'", "'[EMAIL]'");
    check(
        "m\u{fc}ller@x.de and \u{8bf7}\u{8054}\u{7cfb}user@x.com",
        "[EMAIL] and \u{8bf7}\u{8054}\u{7cfb}[EMAIL]",
    );
    kept("user@localhost, @mention, a@, pkg@1.2.3, x@y.z1");
}

#[test]
fn card_numbers_are_masked_if_they_pass_luhn_and_have_an_issuer() {
    check("pay 4111 1111 1111 1111 now", "pay [CREDIT_CARD] now");
    check("4111111111111111", "[CREDIT_CARD]");
    check("card:5555-5555-5555-4444.", "card:[CREDIT_CARD].");
    check("amex 3782 822463 10005", "amex [CREDIT_CARD]");
    check("2 4111 1111 1111 1111 3", "2 [CREDIT_CARD] 3");
    check("jcb 180016070420458, maestro 630427373398", "jcb [CREDIT_CARD], maestro [CREDIT_CARD]");
    kept("4111 1111 1111 1112");
    kept("41111111111111111111111");
    kept("0.4111111111111111");
    kept("1234567890123452");
}

#[test]
fn ibans_are_masked_if_they_check() {
    check("to GB82 WEST 1234 5698 7654 32 today", "to [IBAN] today");
    check("DE89370400440532013000 gb42nawi04454264788619", "[IBAN] [IBAN]");
    check("NO9386011117947,", "[IBAN],");
    kept("DE89370400440532013001");
    kept("gb82 west 1234 5698 7654 32");
    kept("IT is 42");
}

#[test]
fn social_security_numbers_are_masked() {
    check("ssn 123-45-6789.", "ssn [US_SSN].");
    check("078 05 1120", "[US_SSN]");
    kept("000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000");
    kept("123-45-67890 1123-45-6789 123-45-6789-1");
}

#[test]
fn addresses_of_machines_are_masked() {
    check("host 192.168.0.1:80", "host [IP_ADDRESS]:80");
    check("at 10.0.0.1.", "at [IP_ADDRESS].");
    check("2001:db8::1 and fe80::1%eth0", "[IP_ADDRESS] and [IP_ADDRESS]%eth0");
    check("[2001:0db8:85a3:0000:0000:8a2e:0370:7334]", "[[IP_ADDRESS]]");
    check("::ffff:192.0.2.1.", "[IP_ADDRESS].");
    kept("v1.2.3.4 1.2.3 1.2.3.4.5 256.1.1.1 1.2.3.4a");
    kept("std::fmt a::b x[1::2] 12:30:45 00:1a:2b:3c:4d:5e dead::beef_");
}

#[test]
fn telephone_numbers_are_masked() {
    check("+1 (555) 123-4567 or", "[PHONE] or");
    check("+44 20 7946 0958.", "[PHONE].");
    check("(555) 123-4567", "[PHONE]");
    check("555-123-4567, 555.123.4567", "[PHONE], [PHONE]");
}

#[test]
fn telephone_numbers_of_real_areas_are_masked() {
    check("212-555-0142, 212.555.0142; 1-212-555-0142", "[PHONE], [PHONE]; [PHONE]");
    check("(212) 755-0142 2024", "[PHONE] 2024");
    check("call 5551234567", "call [PHONE]");
    check("030/12345678, 020 7946 0958", "[PHONE], [PHONE]");
    check("001-212-755-0142x12", "[PHONE]x12");
    kept("(1834-1906) 2024-01-15 10:30 01/02/2024 1234567890 3.14159265 12 345 678");
}

#[test]
fn credentials_in_urls_are_masked() {
    check("postgres://bob:s3cret@db.local:5432/app", "postgres://[URL_CREDENTIALS]/app");
    check("redis://:pw@h", "redis://[URL_CREDENTIALS]");
    kept("https://example.com:8080/a@b see http://user@host/");
    check(&format!("https://{}", "a".repeat(300)), "https://[URL_CREDENTIALS]");
    kept(&format!("https://{}/", "a".repeat(250)));
}

#[test]
fn secrets_of_published_formats_are_masked() {
    let alnum = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
    for secret in [
        format!("sk-proj-{alnum}"),
        format!("sk-{alnum}"),
        format!("sk-ant-api03-{alnum}"),
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        format!("ghp_{}", &alnum[..36]),
        format!("github_pat_{alnum}"),
        format!("glpat-{}", &alnum[..20]),
        format!("xoxb-123456789012-{alnum}"),
        format!("AIza{}", &alnum[..35]),
        format!("sk_live_{}", &alnum[..24]),
        format!("npm_{}", &alnum[..36]),
        format!("pypi-AgEIcHlwaS5vcmc{alnum}"),
        format!("SG.{}", &alnum[..22]),
        format!("SK{}", "0123456789abcdef".repeat(2)),
        "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH".to_owned(),
        format!("bw-0123456789abcdef{alnum}abc"),
        format!("bwt-0123456789abcdef{alnum}abc"),
        format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{alnum}"),
    ] {
        check(&format!("key={secret}, then"), "key=[SECRET], then");
    }
    check("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n", "[SECRET]\n");
}

#[test]
fn words_that_begin_like_secrets_are_kept() {
    kept("sk-learn-is-a-library-for-machines sk-short task-abcdefghijklmnopqrstuv1");
    kept("AKIAIOSFODNN7EXAMPLE1 XAKIAIOSFODNN7EXAMPLE ghp_short eyJhbGciOiJ eyJhbGciOiJIUzI1NiJ9.short");
    kept("-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUabc\n-----END CERTIFICATE-----");
    kept("A file begins with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----.");
}

#[test]
fn private_keys_are_masked_whole() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ==";
    check(
        &format!("k:\n-----BEGIN RSA PRIVATE KEY-----\n{body}\n{body}\n-----END RSA PRIVATE KEY-----\nok"),
        "k:\n[SECRET]\nok",
    );
    check(
        &format!("\"-----BEGIN PRIVATE KEY-----\\n{body}\\n-----END PRIVATE KEY-----\\n\""),
        "\"[SECRET]\\n\"",
    );
    check(
        &format!("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES,AB\n\n{body}"),
        "[SECRET]",
    );
    check(
        &format!(
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v1\n\n{body}\n-----END PGP PRIVATE KEY BLOCK-----"
        ),
        "[SECRET]",
    );
}
