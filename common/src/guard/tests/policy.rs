use std::sync::Arc;

use super::{guardrail, guards, pii, policy, secrets};
use crate::guard::{Channel, CompiledGuards, Part, Side, Step, StreamGuard};
use crate::limits::{STREAM_CHANNELS_MAX, TOOL_ARGUMENTS_BYTES_MAX};
use crate::resource::{Action, GuardrailCheck, Mode, PiiEntity, Sides};

const MAIL: &str = "to a@b.com and a@c.org";
const KEY: &str = "key AKIAIOSFODNN7EXAMPLE.";

#[test]
fn the_strongest_enforced_action_holds() {
    let guards = guards(vec![pii(Action::Redact), secrets(Action::Block)]);
    assert_eq!(guards.evaluate(Side::Input, "hello").action, Action::Allow);
    assert_eq!(guards.evaluate(Side::Input, MAIL).action, Action::Redact);
    let both = guards.evaluate(Side::Input, &format!("{MAIL} {KEY}"));
    assert_eq!(both.action, Action::Block);
    assert_eq!(both.redacted, None);
    assert_eq!(both.block().unwrap().category, "aws_access_key");
}

#[test]
fn findings_of_one_kind_are_counted_together() {
    let found = guards(vec![pii(Action::Redact)]).evaluate(Side::Output, MAIL).findings;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].category, found[0].count, &*found[0].policy), ("email", 2, "production"));
}

#[test]
fn shadow_mode_reports_and_does_nothing() {
    let shadow = policy(Mode::Shadow, vec![pii(Action::Redact), secrets(Action::Block)]);
    let guards = CompiledGuards::compile(&[("trial", &shadow)]).unwrap();
    let evaluation = guards.evaluate(Side::Output, &format!("{MAIL} {KEY}"));
    assert_eq!((evaluation.action, evaluation.redacted), (Action::Allow, None));
    assert_eq!(evaluation.findings.len(), 2);
    assert!(evaluation.findings.iter().all(|finding| !finding.enforced));
}

#[test]
fn warnings_leave_the_text_as_it_is() {
    let evaluation = guards(vec![pii(Action::Warn)]).evaluate(Side::Output, MAIL);
    assert_eq!((evaluation.action, evaluation.redacted), (Action::Warn, None));
}

#[test]
fn a_side_that_no_guardrail_names_is_not_inspected() {
    let mut only_input = secrets(Action::Block);
    only_input.sides = Sides { input: true, output: false };
    let guards = guards(vec![only_input]);
    assert!(guards.inspects(Side::Input) && !guards.inspects(Side::Output));
    assert_eq!(guards.evaluate(Side::Output, KEY).action, Action::Allow);
}

#[test]
fn overlapping_matches_become_one_mask() {
    let guards = guards(vec![pii(Action::Redact), secrets(Action::Redact)]);
    let text = "x postgres://bob:pw@host.example.com/db";
    assert_eq!(guards.evaluate(Side::Output, text).redacted.unwrap(), "x postgres://[URL_CREDENTIALS]/db");
}

#[test]
fn only_named_entities_are_looked_for() {
    let only_ip = guardrail("ip", GuardrailCheck::Pii(vec![PiiEntity::IpAddress]), Action::Redact);
    let evaluation = guards(vec![only_ip]).evaluate(Side::Output, "a@b.com 10.0.0.1");
    assert_eq!(evaluation.redacted.unwrap(), "a@b.com [IP_ADDRESS]");
}

#[test]
fn a_guardrail_that_cannot_decide_masks_unless_it_is_open() {
    let text = format!("https://user:{}", "x".repeat(400));
    let mut rule = pii(Action::Redact);
    let closed = guards(vec![rule.clone()]).evaluate(Side::Output, &text);
    assert_eq!(closed.redacted.unwrap(), "https://[URL_CREDENTIALS]");
    assert!(closed.findings[0].undecided && closed.findings[0].enforced);
    rule.fail_open = true;
    let open = guards(vec![rule]).evaluate(Side::Output, &text);
    assert_eq!(open.action, Action::Allow);
    assert!(open.findings[0].undecided && !open.findings[0].enforced);
}

#[test]
fn an_empty_list_of_entities_is_a_violation() {
    let empty = policy(Mode::Enforce, vec![guardrail("none", GuardrailCheck::Pii(Vec::new()), Action::Warn)]);
    let violations = CompiledGuards::compile(&[("p", &empty)]).unwrap_err();
    assert_eq!(violations[0].field_path, "spec.guardrails[0].pii_detection.entities");
}

#[test]
fn masks_in_json_keep_it_parseable() {
    let guards = guards(vec![pii(Action::Redact)]);
    let check = |text: &str, expect: Option<&str>| {
        assert_eq!(guards.evaluate_json(Side::Output, text).redacted.as_deref(), expect, "{text}");
    };
    check(r#"{"to": "a@b.com", "n": [1, "x"]}"#, Some(r#"{"to": "[EMAIL]", "n": [1, "x"]}"#));
    check(r#"{"text":"line\nfoo@bar.com \"q\""}"#, Some(r#"{"text":"line\n[EMAIL] \"q\""}"#));
    check(r#"{"to":"a\u0040b.com"}"#, Some(r#"{"to":"[EMAIL]"}"#));
    check(r#"{"when": 1700000000, "x": -1.5e3}"#, None);
    check(r#"{"to": "a@b.com"#, Some(r#"{"to": "[EMAIL]"#));
    let number = guards.evaluate_json(Side::Output, r#"{"card": 4111111111111111}"#);
    assert_eq!(number.action, Action::Block);
}

#[test]
fn arguments_of_a_tool_call_are_held_until_they_are_whole() {
    let mut guard = StreamGuard::new(guards(vec![pii(Action::Redact)]));
    let tool = Channel { choice: 0, part: Part::ToolArguments(0) };
    assert_eq!(guard.push(tool, r#"{"to":"a@"#), Step::Release(String::new()));
    assert_eq!(guard.push(tool, r#"b.com"}"#), Step::Release(String::new()));
    assert_eq!(guard.finish(tool), Step::Release(r#"{"to":"[EMAIL]"}"#.to_owned()));
}

#[test]
fn bounds_of_a_stream_end_it_unless_the_guardrails_are_open() {
    let channel = |choice| Channel { choice, part: Part::Content };
    let bound = u32::try_from(STREAM_CHANNELS_MAX).unwrap();
    let mut rule = secrets(Action::Block);
    let mut guard = StreamGuard::new(guards(vec![rule.clone()]));
    for choice in 0..bound {
        assert_eq!(guard.push(channel(choice), "a "), Step::Release("a ".to_owned()));
    }
    let Step::Block(finding) = guard.push(channel(bound), "a ") else { panic!("beyond the bound") };
    assert_eq!((finding.category, finding.undecided), ("channels", true));
    assert!(matches!(guard.push(channel(0), "b "), Step::Block(_)), "a block is the end of all channels");

    let tool = Channel { choice: 0, part: Part::ToolArguments(0) };
    let large = "x".repeat(TOOL_ARGUMENTS_BYTES_MAX);
    let mut guard = StreamGuard::new(guards(vec![rule.clone()]));
    assert_eq!(guard.push(tool, &large), Step::Release(String::new()));
    assert!(matches!(guard.push(tool, "y"), Step::Block(_)));

    rule.fail_open = true;
    let mut guard = StreamGuard::new(guards(vec![rule]));
    assert_eq!(guard.push(tool, &large), Step::Release(String::new()));
    let Step::Release(text) = guard.push(tool, "y") else { panic!("open") };
    assert_eq!(text.len(), TOOL_ARGUMENTS_BYTES_MAX + 1);
    assert!(!guard.findings()[0].enforced);
}

#[test]
fn nothing_is_read_where_nothing_is_looked_for() {
    let mut guard = StreamGuard::new(Arc::new(CompiledGuards::default()));
    assert_eq!(guard.push(Channel { choice: 0, part: Part::Content }, KEY), Step::Release(KEY.to_owned()));
}
