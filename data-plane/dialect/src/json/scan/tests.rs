use super::*;
use serde::de::IgnoredAny;

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

#[test]
fn the_walk_judges_as_serde_does() {
    let sound = [
        r#"{"a":[1,-0,0.5e-7,1E+9,true,false,null,"",{}],"b":{"c":[[]]}}"#,
        " [ ] ",
        r#" "\u00e9\"\\\/\b\f\n\r\t \ud83d é" "#,
        r#"{"a string that is longer than all of the chunks that are looked at together, so that it takes some":1}"#,
        "12",
    ];
    let mut judged = 0;
    for text in sound {
        assert!(is_json(text) && scan(text.as_bytes(), None).is_some(), "{text}");
        // Every byte taken away, doubled and put in the place of another: what is wrong is wrong for both.
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at) && text.is_char_boundary(at + 1)) {
            let (before, after) = (&text[..at], &text[at + 1..]);
            for other in [
                "", "\"", "\\", "0", "-", ".", "e", "{", "}", "[", "]", ",", ":", " ", "\n", "\u{1}",
                "\u{7f}", "é",
            ] {
                for after in [after, &text[at..]] {
                    let changed = format!("{before}{other}{after}");
                    assert_eq!(scan(changed.as_bytes(), None).is_some(), is_json(&changed), "{changed}");
                    judged += 1;
                }
            }
            assert_eq!(scan(before.as_bytes(), None).is_some(), is_json(before), "{before}");
        }
    }
    assert!(judged > 5_000, "{judged}");
}

#[test]
fn what_ends_a_string_is_found_at_every_place() {
    for len in 0..100 {
        for end in ["\"", "\u{1}\"", "\\n\"", "é\"", "\u{1f}\"", " \"", "!\"", "]\""] {
            let text = format!("\"{}{end}", "x".repeat(len));
            assert_eq!(scan(text.as_bytes(), None).is_some(), is_json(&text), "{text:?}");
        }
    }
}

#[test]
fn members_stand_where_a_walk_finds_them() {
    let text = r#" { "a" : 1 , "b":[ {"x":2} , {"c":"}]\""}, []] ,"\u0064": null , "e":{} } "#;
    let (root, members) = super::super::check_members(text.as_bytes()).unwrap();
    let found: Vec<_> = members.iter().map(|one| (&*one.key, one.key_start, one.value.range())).collect();
    let walked: Vec<_> = root.members().collect();
    let walked: Vec<_> = walked.iter().map(|one| (&*one.key, one.key_start, one.value.range())).collect();
    assert_eq!(found, walked);
    assert_eq!(found.len(), 4);
    assert_eq!(super::super::check_members(b"[{\"a\":1}]").unwrap().1.len(), 0);
}

#[test]
fn what_is_nested_deeper_than_the_walk_looks_is_read_all_the_same() {
    let text = format!("{{\"a\":{}1{}}}", "[".repeat(500), "]".repeat(500));
    assert!(scan(text.as_bytes(), None).is_none());
    let (_, members) = super::super::check_members(text.as_bytes()).unwrap();
    assert_eq!(members[0].value.range(), 5..text.len() - 1);
}

#[test]
fn contents_end_where_the_text_ends_and_only_if_it_is_one() {
    let odd: [&[u8]; 10] =
        [b"", b"\\n", b"\\\"", b"\\u00e9", b"\xc3\xa9", b"\xc3", b"\xff", b"\x01", b"\\x", b"\\u00"];
    for len in 0..40 {
        for odd in odd {
            for behind in ["", "y", "yyyyyyyyy"] {
                let contents = [b"x".repeat(len).as_slice(), odd, behind.as_bytes()].concat();
                let text = [b"\"", contents.as_slice(), b"\""].concat();
                let expected = serde_json::from_slice::<String>(&text).is_ok().then_some(contents.len());
                let open = [contents.as_slice(), b"\",\"\":\"\""].concat();
                assert_eq!(super::contents(&open), expected, "{}", String::from_utf8_lossy(&open));
                assert_eq!(super::contents(&contents), None, "it has no end");
            }
        }
    }
}
