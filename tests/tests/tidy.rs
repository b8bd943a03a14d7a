//! The house rules as a test: what imports what, how long files and functions are, which manifests stay pure, that
//! documents link to what exists. A rule that nothing checks is a wish.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[path = "tidy/tables.rs"]
mod tables;

use tables::{
    COMMON_ROOMS, CONTROL_PLANE_ROOMS, CRATE_TABLE, DATA_PLANE_ROOMS, DIALECT_ROOMS, NO_ROOMS,
    PURE_DEPENDENCIES, ROOMS_OF_WORDS, Rooms,
};

/// Lines of a file: no source file is longer (house rule 7; 300 is the aim).
const FILE_LINES_MAX: usize = 500;
/// Lines of a function between its braces (house rule 7).
const FUNCTION_LINES_MAX: usize = 72;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_path_buf()
}

/// All files below `folder` with this ending, as paths relative to the workspace.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap_or_else(|error| panic!("{}: {error}", next.display())) {
            let path = entry.expect("an entry of a folder that was listed").path();
            let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
            if path.is_dir() && !["target", ".git", "node_modules", ".venv"].contains(&name.as_str()) {
                open.push(path);
            } else if name.ends_with(ending) && !path.is_dir() {
                let relative = path.strip_prefix(root()).expect("it lies below the root");
                found.push(relative.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn none(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}

#[test]
fn no_source_file_is_too_long() {
    let long: Vec<String> = files(".", ".rs")
        .into_iter()
        .map(|path| (read(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > FILE_LINES_MAX)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    none("a file holds one idea; make a room for the other one", &long);
}

#[test]
fn no_function_is_too_long() {
    let mut long = Vec::new();
    for path in files(".", ".rs") {
        let text = read(&path);
        let mut open: Option<(usize, usize, &str)> = None;
        for (number, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let is_start = is_function_start(line.trim_start());
            match open {
                None if is_start => open = Some((number, indent, line.trim())),
                Some((start, outer, name)) if indent == outer && line.trim_start().starts_with('}') => {
                    if number - start > FUNCTION_LINES_MAX {
                        long.push(format!("{path}:{}: {} lines: {name}", start + 1, number - start));
                    }
                    open = None;
                }
                Some((_, outer, _)) if is_start && indent <= outer => {
                    open = Some((number, indent, line.trim()))
                }
                _ => {}
            }
        }
    }
    none("a function is one thought", &long);
}

fn is_function_start(line: &str) -> bool {
    let mut rest = line;
    for word in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    rest.starts_with("fn ") && !line.trim_end().ends_with(';')
}

#[test]
fn crates_depend_in_one_direction() {
    let mut offences = Vec::new();
    for (folder, allowed) in CRATE_TABLE {
        for name in dependencies(folder) {
            if name.starts_with("breakwater") && !allowed.contains(&name.as_str()) {
                offences.push(format!("{folder} depends on {name}"));
            }
        }
    }
    none("crates depend as in ARCHITECTURE.md", &offences);
}

#[test]
fn pure_crates_have_pure_manifests() {
    let mut offences = Vec::new();
    for folder in ["common", "control-plane/core", "data-plane/dialect"] {
        for name in dependencies(folder) {
            if !PURE_DEPENDENCIES.contains(&name.as_str()) {
                offences.push(format!("{folder} depends on {name}"));
            }
        }
        let lib = read(&format!("{folder}/src/lib.rs"));
        for line in ["#![forbid(unsafe_code)]", "#![warn(clippy::wildcard_enum_match_arm)]"] {
            if !lib.contains(line) {
                offences.push(format!("{folder}/src/lib.rs lacks {line}"));
            }
        }
        if !read(&format!("{folder}/clippy.toml")).contains("disallowed-types") {
            offences.push(format!("{folder}/clippy.toml lacks disallowed-types"));
        }
    }
    none("the pure crates decide and do nothing", &offences);
}

/// Names of the normal dependencies of a crate.
fn dependencies(folder: &str) -> BTreeSet<String> {
    let manifest: toml::Table = read(&format!("{folder}/Cargo.toml")).parse().expect("cargo reads it too");
    manifest
        .get("dependencies")
        .and_then(toml::Value::as_table)
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let mut offences = Vec::new();
    check_rooms("control-plane/src", CONTROL_PLANE_ROOMS, &mut offences);
    check_rooms("data-plane/src", DATA_PLANE_ROOMS, &mut offences);
    check_rooms("data-plane/dialect/src", DIALECT_ROOMS, &mut offences);
    check_rooms("common/src", COMMON_ROOMS, &mut offences);
    none("rooms import as in ARCHITECTURE.md", &offences);
}

fn check_rooms(folder: &str, rooms: &Rooms, offences: &mut Vec<String>) {
    for (at, (room, imports)) in rooms.iter().enumerate() {
        let below: Vec<&str> = rooms.iter().take(at).map(|(name, _)| *name).collect();
        for import in imports.iter().filter(|import| !below.contains(import)) {
            offences.push(format!(
                "{folder}: {room} may import {import}, which does not stand before it: a circle"
            ));
        }
    }
    let table: BTreeMap<&str, &[&str]> = rooms.iter().copied().collect();
    for path in files(folder, ".rs") {
        let inside = path.strip_prefix(folder).expect("it was listed there").trim_start_matches('/');
        let room = inside.split(['/', '.']).next().unwrap_or_default();
        // Tests may drive a room from above.
        if inside.contains("tests/") || inside.ends_with("tests.rs") {
            continue;
        }
        let Some(allowed) = table.get(room) else {
            if !NO_ROOMS.contains(&room) {
                offences.push(format!("{path}: the room {room} is not in the table"));
            }
            continue;
        };
        for (number, line) in read(&path).lines().enumerate() {
            let code = line.trim_start();
            if code.starts_with("//") {
                continue;
            }
            for imported in crate_paths(code) {
                if imported != room && table.contains_key(imported) && !allowed.contains(&imported) {
                    offences.push(format!("{path}:{}: {room} imports {imported}", number + 1));
                }
            }
        }
    }
}

/// The first segments after `crate::` on a line, also in a `use crate::{a::.., b::..}`.
fn crate_paths(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            found.extend(list.split(',').map(first_word));
        } else {
            found.push(first_word(rest));
        }
    }
    found
}

fn first_word(text: &str) -> &str {
    let text = text.trim();
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
}

#[test]
fn foreign_words_stay_in_their_rooms() {
    let mut offences = Vec::new();
    for (word, rooms) in ROOMS_OF_WORDS {
        for path in files(".", ".rs") {
            if rooms.iter().any(|room| path.trim_start_matches("./").starts_with(room)) {
                continue;
            }
            for (number, line) in read(&path).lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                let used =
                    [format!("{word}::"), format!("use {word};")].iter().any(|use_| starts_word(code, use_));
                if used {
                    offences.push(format!("{path}:{}: {}", number + 1, line.trim()));
                }
            }
        }
    }
    none("prost, openraft and sled stop at the doors of their rooms", &offences);
}

/// `word` stands in `code`, and not as the end of a longer word.
fn starts_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

#[test]
fn nothing_is_left_undone_or_switched_off() {
    // Written in two parts, so that this list does not find itself.
    let banned = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[", "ignore"),
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
        concat!("thread::", "sleep("),
    ];
    let mut offences = Vec::new();
    for path in files(".", ".rs") {
        for (number, line) in read(&path).lines().enumerate() {
            if let Some(word) = banned.iter().find(|word| line.contains(**word)) {
                offences.push(format!("{path}:{}: {word}", number + 1));
            }
        }
    }
    none("no stub, no ignored test, no sleep that hides a race", &offences);
}

#[test]
fn documents_link_to_what_exists() {
    let mut offences = Vec::new();
    for path in files(".", ".md") {
        let folder = Path::new(&path).parent().unwrap_or(Path::new("")).to_path_buf();
        for (number, line) in read(&path).lines().enumerate() {
            for target in links(line) {
                let file = target.split('#').next().unwrap_or_default();
                if !file.is_empty() && !root().join(&folder).join(file).exists() {
                    offences.push(format!("{path}:{}: {target}", number + 1));
                }
            }
        }
    }
    none("every relative link of a document leads somewhere", &offences);
}

/// Targets of the Markdown links of a line that are not URLs.
fn links(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("](") {
        let rest = &line[at + 2..];
        if let Some(end) = rest.find(')') {
            let target = &rest[..end];
            if !target.contains("://") && !target.starts_with("mailto:") {
                found.push(target);
            }
        }
    }
    found
}

#[test]
fn every_limit_is_documented_with_its_value() {
    let document = read("docs/limits.md");
    let mut offences = Vec::new();
    for line in read("common/src/limits.rs").lines() {
        let Some((name, value)) = constant(line) else { continue };
        let row = document.lines().find(|row| row.contains(&format!("`{name}`")));
        if !row.is_some_and(|row| row.contains(&format!("`{value}`"))) {
            offences.push(format!("{name} = {value} is not so in docs/limits.md"));
        }
    }
    none("operators find every bound in docs/limits.md", &offences);
}

/// Name and value of a line that declares a public constant.
fn constant(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("pub const ")?;
    let (name, rest) = rest.split_once(": ")?;
    let (_, value) = rest.split_once(" = ")?;
    Some((name, value.strip_suffix(';')?))
}
