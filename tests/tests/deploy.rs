//! What operators install is true: the configuration files have every key and load, units and compose set variables that
//! exist, alerts and docs/metrics.md speak of the metrics that the servers have.

#![allow(clippy::expect_used, clippy::panic, reason = "that is how a test says that it failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use breakwater_runtime::config::{ConfigError, load};
use serde_json::Value;

/// Keys whose value in the files is an example; every other value is the default, as the files say.
const EXAMPLES: [&str; 13] = [
    "data_dir",
    "admin.tls_cert_file",
    "admin.tls_key_file",
    "secrets.admin_token_file",
    "secrets.sealing_key_file",
    "secrets.log_key_file",
    "control_plane.url",
    "control_plane.token_file",
    "control_plane.ca_file",
    "tls.cert_file",
    "tls.key_file",
    "upstream.ca_file",
    "ops.listen",
];

/// Where each server says its metrics, and each binary its environment variables.
const METRICS: [&str; 2] = ["control-plane/src/metrics.rs", "data-plane/src/metrics.rs"];
const VARIABLES: [&str; 3] =
    ["control-plane/src/config/keys.rs", "data-plane/src/config/flags.rs", "cli/src/args.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_path_buf()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Takes the mark of a comment off every line that sets a key: `# ca_file = "x"`.
fn with_comments_in_force(text: &str) -> String {
    let sets = |line: &str| line.split_once(" = ").is_some_and(|(key, _)| is_word(key));
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if sets(rest) => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Leaves of a tree, by dotted path.
fn leaves(prefix: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
    match value.as_object() {
        Some(object) => {
            for (name, value) in object {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                leaves(&path, value, into);
            }
        }
        None => drop(into.insert(prefix.to_owned(), value.clone())),
    }
}

fn leaves_of(value: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    leaves("", value, &mut found);
    found
}

/// Checks a file as it is, and with the keys that stand in comments. `refusals` loads it and says why it would not start.
fn check_file(path: &str, defaults: &Value, refusals: impl Fn(&Path) -> Result<Vec<String>, ConfigError>) {
    let text = read(path);
    let whole = with_comments_in_force(&text);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("config.toml");
    for text in [&text, &whole] {
        fs::write(&file, text).expect("the temporary folder can be written");
        let refusals = refusals(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(refusals, Vec::<String>::new(), "{path}: production would not start");
    }
    let table: toml::Table = whole.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    let written = leaves_of(&serde_json::to_value(&table).expect("TOML of ours is JSON too"));
    let defaults = leaves_of(defaults);
    let names = |leaves: &BTreeMap<String, Value>| leaves.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&written), names(&defaults), "{path}: every key of the type, and no other");
    for (key, value) in &written {
        if !EXAMPLES.contains(&key.as_str()) {
            assert_eq!(Some(value), defaults.get(key), "{path}: {key} is said to be the default");
        }
    }
}

#[test]
fn the_control_planes_file_has_every_key_and_would_start() {
    use breakwater_control_plane::Config;
    let defaults = serde_json::to_value(Config::default()).expect("a configuration is plain data");
    check_file("deploy/config/control-plane.toml", &defaults, |file| {
        let refused = load::<Config>(Some(file), &[])?.validate().err();
        Ok(refused.map(|invalid| invalid.reasons).unwrap_or_default())
    });
}

#[test]
fn the_proxys_file_has_every_key_and_would_start() {
    use breakwater_data_plane::Config;
    let defaults = serde_json::to_value(Config::default()).expect("a configuration is plain data");
    check_file("deploy/config/data-plane.toml", &defaults, |file| {
        Ok(load::<Config>(Some(file), &[])?.validate())
    });
}

#[test]
fn units_and_compose_set_variables_that_exist() {
    let known = VARIABLES.map(read).concat();
    for path in [
        "deploy/compose.yaml",
        "deploy/docker/control-plane.Dockerfile",
        "deploy/systemd/breakwater-control-plane.service",
        "deploy/systemd/breakwater-data-plane.service",
    ] {
        let text = read(path);
        let mut seen = 0;
        for word in words(&text, "BREAKWATER_").filter(|word| !is_said_at_build(word)) {
            seen += 1;
            assert!(known.contains(&format!("\"{word}\"")), "{path}: no binary reads {word}");
        }
        assert!(seen > 0, "{path} sets nothing");
    }
}

/// Read by the compiler and not by a server.
fn is_said_at_build(word: &str) -> bool {
    ["BREAKWATER_GIT_SHA", "BREAKWATER_BUILT_AT"].contains(&word)
}

#[test]
fn alerts_and_the_document_speak_of_the_metrics_that_exist() {
    let sources = METRICS.map(read).concat();
    let registered: BTreeSet<&str> = sources
        .match_indices("\"breakwater_")
        .filter_map(|(at, _)| words(sources.get(at..)?, "breakwater_").next())
        .collect();
    assert!(registered.len() > 10, "{registered:?}");
    let document = read("docs/metrics.md");
    let documented: BTreeSet<&str> =
        document.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|row| family(row)).collect();
    assert_eq!(documented, registered, "docs/metrics.md has a row for each metric, and no other");
    let alerts = read("deploy/alerts/breakwater.rules.yaml");
    for line in alerts.lines().filter(|line| !line.trim_start().starts_with('#')) {
        for word in words(line, "breakwater_") {
            assert!(family(word).is_some_and(|word| registered.contains(word)), "alerts: no metric {word}");
        }
    }
}

/// Name of a metric without what its exposition adds.
fn family(text: &str) -> Option<&str> {
    let name = words(text, "breakwater_").next().filter(|name| text.starts_with(name))?;
    let bare = ["_total", "_bucket", "_sum", "_count"].into_iter().find_map(|end| name.strip_suffix(end));
    Some(bare.unwrap_or(name))
}

/// Words of a text that begin with `prefix`.
fn words<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(prefix).filter_map(move |(at, _)| {
        let rest = text.get(at..)?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let before = text.get(..at)?.chars().next_back();
        let begins = !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        rest.get(..end).filter(|_| begins)
    })
}

#[test]
fn alerts_point_to_headings_of_the_operators_document() {
    let document = read("docs/operations.md");
    let headings: BTreeSet<String> =
        document.lines().filter(|line| line.starts_with("##")).map(anchor).collect();
    let alerts = read("deploy/alerts/breakwater.rules.yaml");
    let mut seen = 0;
    for (_, rest) in alerts.lines().filter_map(|line| line.split_once("docs/operations.md#")) {
        seen += 1;
        let target = rest.trim_end_matches('"');
        assert!(headings.contains(target), "no heading #{target} in {headings:?}");
    }
    assert!(seen > 5);
}

/// The anchor that renderers give a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
}
