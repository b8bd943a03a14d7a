use super::*;

#[test]
fn every_value_is_found_at_its_place() {
    let text = r#" { "a" : 1 , "b":[ "x" ,{"c":"}]\""}, []] ,"\u0064":null,"e":{} } "#;
    let root = Place::root(check(text.as_bytes()).unwrap());
    let found: Vec<_> =
        root.members().map(|member| (member.key.into_owned(), member.value.source())).collect();
    let expect = [("a", "1"), ("b", r#"[ "x" ,{"c":"}]\""}, []]"#), ("d", "null"), ("e", "{}")];
    assert_eq!(found, expect.map(|(key, value)| (key.to_owned(), value)));
    let elements: Vec<_> = root.get("b").unwrap().elements().map(|place| place.source()).collect();
    assert_eq!(elements, [r#""x""#, r#"{"c":"}]\""}"#, "[]"]);
    assert_eq!(root.get("e").unwrap().members().count(), 0);
}

#[test]
fn strings_are_decoded_and_lone_surrogates_replaced() {
    let check = |source: &str, expect: &str| {
        assert_eq!(Place::root(source).as_str().unwrap(), expect, "{source}");
    };
    check(r#""plain""#, "plain");
    check(r#""a\nb\u00e9\ud83d\ude00""#, "a\nb\u{e9}\u{1f600}");
    check(r#""\ud83d""#, "\u{fffd}");
    check(r#""x\ude00\\y\ud83d z\"""#, "x\u{fffd}\\y\u{fffd} z\"");
    check(r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}");
}

#[test]
fn members_are_taken_out_with_their_commas() {
    let check = |text: &str, doomed: &[&str], expect: &str| {
        let mut edits = Edits::default();
        edits.remove_members(&Place::root(text), |member| doomed.contains(&&*member.key));
        assert_eq!(edits.apply(text), expect, "{doomed:?}");
    };
    let text = r#"{"a":1, "b":2, "c":3}"#;
    check(text, &["a"], r#"{"b":2, "c":3}"#);
    check(text, &["b"], r#"{"a":1, "c":3}"#);
    check(text, &["c"], r#"{"a":1, "b":2}"#);
    check(text, &["a", "b"], r#"{"c":3}"#);
    check(text, &["b", "c"], r#"{"a":1}"#);
    check(text, &["a", "c"], r#"{"b":2}"#);
    check(text, &["a", "b", "c"], "{}");
    check(text, &[], text);
}

#[test]
fn elements_are_taken_out_with_their_commas() {
    let check = |text: &str, doomed: &[bool], expect: &str| {
        let mut edits = Edits::default();
        edits.remove_elements(&Place::root(text), doomed);
        assert_eq!(edits.apply(text), expect, "{doomed:?}");
    };
    check("[1, 2, 3]", &[true, false, true], "[2]");
    check("[1, 2, 3]", &[false, true, true], "[1]");
    check("[1, 2, 3]", &[true, true, true], "[]");
    check("[1, 2, 3]", &[false, true], "[1, 3]");
}

#[test]
fn what_is_not_json_says_where() {
    assert_eq!(check(b"{\"a\":"), Err(NotJson::Cut { line: 1, column: 5 }));
    assert_eq!(check(b"{\"a\" 1}"), Err(NotJson::Syntax { line: 1, column: 6 }));
    assert_eq!(check(b"{\"a\":\"\xff\"}"), Err(NotJson::Utf8 { at: 6 }));
}

#[test]
fn an_edit_within_another_is_void_and_what_is_put_before_it_is_not() {
    let text = r#"{"a":1,"b":{"c":2}}"#;
    let root = Place::root(text);
    let (a, b) = (root.get("a").unwrap(), root.get("b").unwrap());
    let mut edits = Edits::default();
    edits.remove_members(&root, |member| member.key == "b");
    edits.replace(b.get("c").unwrap().range(), "3");
    edits.replace(a.range().end..a.range().end, r#","d":4"#);
    assert_eq!(edits.apply(text), r#"{"a":1,"d":4}"#);
}
