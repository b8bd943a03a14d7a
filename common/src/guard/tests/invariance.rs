use std::sync::Arc;

use proptest::prelude::*;

use super::{guards, pii, secrets};
use crate::guard::{Channel, CompiledGuards, Finding, Part, Passage, Side, StreamGuard};
use crate::resource::Action;

const CONTENT: Channel = Channel { choice: 0, part: Part::Content };

/// What came out of one way to cut a text.
#[derive(Debug, PartialEq)]
struct Outcome {
    released: String,
    blocked: Option<Finding>,
    findings: Vec<Finding>,
}

fn run(guards: &Arc<CompiledGuards>, text: &str, cuts: &[usize]) -> Outcome {
    let mut guard = StreamGuard::new(Arc::clone(guards));
    let mut released = String::new();
    let mut blocked = None;
    let mut source = 0;
    let mut from = 0;
    for to in cuts.iter().copied().chain([text.len(), text.len()]) {
        let last = from == text.len();
        let step = guard.pass(CONTENT, &text[from..to], last);
        if blocked.is_some() {
            assert!(step.passages.is_empty() && step.blocked.is_some(), "a block is the end");
            continue;
        }
        for passage in step.passages {
            match passage {
                Passage::Keep(len) => {
                    released.push_str(&text[source..source + len]);
                    source += len;
                }
                Passage::Replace(len, with) => {
                    released.push_str(&with);
                    source += len;
                }
            }
            assert!(source <= to, "nothing leaves before it came");
        }
        blocked = step.blocked;
        from = to;
    }
    if blocked.is_none() {
        assert_eq!(source, text.len(), "nothing is held back at the end");
    }
    Outcome { released, blocked, findings: guard.findings() }
}

fn boundaries(text: &str) -> Vec<usize> {
    text.char_indices().map(|(at, _)| at).skip(1).collect()
}

/// Every cut gives what the whole gives, and the whole gives what `evaluate` says.
fn check(guards: &Arc<CompiledGuards>, text: &str) {
    let whole = run(guards, text, &[]);
    let evaluation = guards.evaluate(Side::Output, text);
    assert_eq!(whole.findings, evaluation.findings, "{text:?}");
    match &whole.blocked {
        Some(finding) => {
            assert_eq!(evaluation.action, Action::Block);
            assert_eq!(Some(&finding.category), evaluation.block().map(|block| &block.category));
        }
        None => assert_eq!(whole.released, evaluation.redacted.unwrap_or_else(|| text.to_owned())),
    }
    let all = boundaries(text);
    assert_eq!(run(guards, text, &all), whole, "one character at a time: {text:?}");
    for cut in &all {
        assert_eq!(run(guards, text, &[*cut]), whole, "cut at {cut}: {text:?}");
    }
}

/// Pieces that matches are made of, whole and broken.
#[rustfmt::skip]
const KNOWN: &[&str] = &[
    "john.doe@mail.example.com", "a@b.co", "@", ".", "x@y", "m\u{fc}ller@x.de", "\u{8bf7}user@x.com",
    "4111 1111 1111 1111", "4111111111111111", "5555-5555-5555-4444", "4111 1111", "41",
    "GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "DE89", "GB82 WEST", "123-45-6789",
    "123-45", "123 45 6789", "192.168.0.1", "1.2.3.", "2001:db8::1", "fe80::", "::", ":",
    "+1 (212) 755-0142", "+44 20 7946 0958", "(212) ", "755-0142", "call ", "5551234567", "00",
    "030/123", "1", "https://", "://", "bob:pw@host/", "postgres://bob:p@w@db:5432/x", ":pw@", "sk-",
    "sk-proj-", "sk-ant-", "a1B2c3D4e5F6g7H8i9J0k1", "AKIA", "IOSFODNN7EXAMPLE", "ghp_", "glpat-", "SG.",
    "eyJ", "eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0In0.", "bw-", "aws_secret_access_key", " = ",
    "\": \"", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN ", "PRIVATE KEY-----", "\\n", "\n", "-----", "-----END X-----",
    "MIIEvQIBADANBgkqhkiG9w0BAQ", "Proc-Type: 4", "Version:", " ", " ", " ", "-", "(", ")", ",", "/",
    "\"", "'", "_", "=", "the word", "\u{1f600}", "\u{e9}", "x", "7",
];

fn fragment() -> impl Strategy<Value = String> {
    let known = prop::sample::select(KNOWN).prop_map(str::to_owned);
    prop_oneof![
        8 => known,
        1 => "[ -~]{1,6}",
        1 => "[0-9 .-]{1,20}",
        1 => "[a-f0-9:.]{1,20}",
        1 => (0..400_usize, prop::sample::select(vec!["a", "1", "a.", "eyJ", "\u{e9}"]))
            .prop_map(|(count, part)| part.repeat(count)),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(fragment(), 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn masks_do_not_depend_on_how_a_text_is_cut(text in text()) {
        check(&guards(vec![pii(Action::Redact), secrets(Action::Redact)]), &text);
    }

    #[test]
    fn blocks_do_not_depend_on_how_a_text_is_cut(text in text()) {
        check(&guards(vec![pii(Action::Redact), secrets(Action::Block)]), &text);
    }

    #[test]
    fn random_cuts_change_nothing(text in text(), seeds in prop::collection::vec(any::<prop::sample::Index>(), 0..20)) {
        let all = boundaries(&text);
        prop_assume!(!all.is_empty());
        let mut cuts: Vec<usize> = seeds.iter().map(|seed| *seed.get(&all)).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let guards = guards(vec![pii(Action::Warn), secrets(Action::Redact)]);
        prop_assert_eq!(run(&guards, &text, &cuts), run(&guards, &text, &[]));
    }
}

#[test]
fn an_ordinary_word_is_held_only_until_it_ends() {
    let guards = guards(vec![pii(Action::Redact), secrets(Action::Block)]);
    let mut guard = StreamGuard::new(guards);
    let mut released = |piece: &str| match guard.push(CONTENT, piece) {
        crate::guard::Step::Release(text) => text,
        crate::guard::Step::Block(finding) => panic!("{finding:?}"),
    };
    assert_eq!(released("Hello"), "");
    assert_eq!(released(" world"), "Hello ");
    assert_eq!(released(", it is 20"), "world, it is ");
    assert_eq!(released("24. Bye"), "2024. ");
}
