//! Input that is small and stands for much, or is just much: it ends as a violation, soon.

use std::fmt::Write as _;

use breakwater_common::limits::{
    MANIFEST_BYTES_MAX, MANIFEST_DEPTH_MAX, MANIFEST_DOCUMENTS_MAX, VIOLATIONS_MAX,
};
use breakwater_common::manifest::{expand_variables, parse_yaml};

fn check(text: &str, expect_line: Option<u32>, expect_message: &str) {
    let violations = parse_yaml(text).unwrap_err();
    let found = violations.iter().find(|violation| violation.message == expect_message);
    let found = found.unwrap_or_else(|| panic!("{expect_message:?} is not in {violations:?}"));
    assert_eq!(found.line, expect_line);
}

#[test]
fn a_billion_laughs_are_not_expanded() {
    let mut bomb = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned();
    for level in 1..12 {
        let copies = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{copies}]").unwrap();
    }
    check(&bomb, Some(6), "more than 200000 nodes once aliases are expanded; apply it in parts");
}

#[test]
fn copies_of_a_long_text_are_paid_for() {
    let bomb = format!("a: &a {}\nb: [{}]\n", "x".repeat(1_000_000), vec!["*a"; 1_000].join(", "));
    check(&bomb, Some(2), "more than 4194304 bytes of text once aliases are expanded");
}

#[test]
fn an_alias_in_itself_is_refused() {
    check("a: &a [*a]\n", Some(1), "the alias stands inside of what it refers to");
    check("a: *b\n", Some(1), "not valid YAML: while parsing node, found unknown anchor");
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!("nested deeper than {MANIFEST_DEPTH_MAX} levels");
    check(&"[".repeat(40), Some(1), &deep);
    check(&"{a: ".repeat(40), Some(1), &deep);
    check(&"[".repeat(100_000), Some(1), "not valid YAML: recursion limit exceeded");
    check(&"{a: ".repeat(100_000), Some(1), "not valid YAML: recursion limit exceeded");
    check(&"- ".repeat(50_000), Some(1), &deep);
    check(&(0..200).map(|level| format!("{}a:\n", " ".repeat(level))).collect::<String>(), Some(32), &deep);
}

#[test]
fn more_bytes_than_the_bound_are_not_read() {
    let text = format!("# {}", "x".repeat(MANIFEST_BYTES_MAX));
    check(&text, None, "the manifest has 4194306 bytes; at most 4194304 are read; apply it in parts");
    let text = format!("#{}", "x".repeat(MANIFEST_BYTES_MAX - 1));
    assert_eq!(parse_yaml(&text), Ok(Vec::new()));
}

#[test]
fn more_documents_than_the_bound_are_refused() {
    let text = "---\na: 1\n".repeat(MANIFEST_DOCUMENTS_MAX + 1);
    let violations = parse_yaml(&text).unwrap_err();
    assert_eq!(violations.len(), VIOLATIONS_MAX, "each of them also has no kind");
    let text: String = (0..=MANIFEST_DOCUMENTS_MAX)
        .map(|n| format!("---\nkind: Endpoint\nname: e{n}\nspec: {{provider: p, model: m}}\n"))
        .collect();
    check(&text, Some(4098), "more than 1024 documents; apply them in parts");
}

#[test]
fn floods_of_mistakes_are_counted_not_said() {
    let fields: String = (0..60_000).map(|n| format!("  circuit_breakr_{n}: 1\n")).collect();
    let violations = parse_yaml(&format!("kind: Provider\nname: p\nspec:\n{fields}")).unwrap_err();
    assert_eq!(violations.len(), VIOLATIONS_MAX);
    assert_eq!(violations[99].message, "59903 more violations are not shown");
    let keys: String = (0..45_000).map(|n| format!("k{n}: 1\n")).collect();
    let violations = parse_yaml(&format!("{keys}{}", "k44999: 1\n".repeat(45_000))).unwrap_err();
    assert_eq!(violations[0].message, "key \"k44999\" is given twice, first in line 45000");
    let names: String = (0..30_000).map(|n| format!("    - {{name: n{n}}}\n")).collect();
    let violations =
        parse_yaml(&format!("kind: Provider\nname: p\nspec:\n  credentials:\n{names}")).unwrap_err();
    assert_eq!(violations.len(), VIOLATIONS_MAX);
}

#[test]
fn braces_that_never_close_are_looked_for_once_a_line() {
    let violations = expand_variables(&"${".repeat(2_000_000), &|_| None).unwrap_err();
    assert_eq!(violations.len(), 1);
}

#[test]
fn many_nodes_of_one_document_are_refused() {
    let text = format!("kind: Provider\nspec: [{}]\n", "1,".repeat(300_000));
    check(&text, Some(2), "more than 200000 nodes once aliases are expanded; apply it in parts");
}

#[test]
fn a_resource_larger_than_is_stored_is_refused() {
    let models: String =
        (0..250).map(|n| format!("    - {{name: {n}{}, disabled: true}}\n", "x".repeat(250))).collect();
    let text =
        format!("kind: Provider\nname: p\nspec:\n  type: openai\n  base_url: http://a\n  models:\n{models}");
    let violations = parse_yaml(&text).unwrap_err();
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert_eq!((violations[0].line, violations[0].field_path.as_str()), (Some(3), "spec"));
    assert!(violations[0].message.ends_with("at most 61440 are stored"), "{}", violations[0].message);
}
