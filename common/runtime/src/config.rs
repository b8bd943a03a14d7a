//! A TOML file and overrides (flags, environment variables) into a typed configuration. Errors name the key and the
//! reason; nothing is guessed. The type should say `deny_unknown_fields`.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// One key set from outside of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// The key, dotted: `tls.cert_file`.
    pub key: String,
    /// Its value as text: `true`, a number, `[..]` or, if it is none of these, a text.
    pub value: String,
    /// Where it came from, for errors: `--tls-cert-file` or `BREAKWATER_TLS_CERT_FILE`.
    pub source: String,
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read configuration file {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("configuration file {path} is not TOML: {reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line and reason.
        reason: String,
    },
    /// An override's key runs through a value that is not a table.
    #[error("{source_name}: {key} cannot be set, because a part of it is already a single value")]
    Key {
        /// Where it came from.
        source_name: String,
        /// The key.
        key: String,
    },
    /// A key that is not known or a value of the wrong kind.
    #[error("configuration is refused: {reason} (read from {read_from})")]
    Value {
        /// The key and the reason.
        reason: String,
        /// File and overrides that were read.
        read_from: String,
    },
}

/// Reads a file, if one is given, lays the overrides over it in order and makes a `T`.
///
/// Errors: a file that cannot be read or parsed, an unknown key, a value of the wrong kind; each names the key.
pub fn load<T: DeserializeOwned>(file: Option<&Path>, overrides: &[Override]) -> Result<T, ConfigError> {
    let mut table = match file {
        Some(path) => parse(path)?,
        None => Table::new(),
    };
    for set in overrides {
        insert(&mut table, set)?;
    }
    T::deserialize(Value::Table(table)).map_err(|error| ConfigError::Value {
        reason: error.to_string().trim().replace('\n', " "),
        read_from: read_from(file, overrides),
    })
}

/// Writes a configuration as TOML, as `--dump-config` prints it. Secrets print as `(secret)`.
pub fn dump<T: Serialize>(config: &T) -> Result<String, ConfigError> {
    toml::to_string(config)
        .map_err(|error| ConfigError::Value { reason: error.to_string(), read_from: "memory".to_owned() })
}

fn parse(path: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    text.parse::<Table>().map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
        ConfigError::Syntax { path: path.to_owned(), reason: format!("line {line}: {}", error.message()) }
    })
}

fn insert(table: &mut Table, set: &Override) -> Result<(), ConfigError> {
    let refuse = || ConfigError::Key { source_name: set.source.clone(), key: set.key.clone() };
    let mut parts: Vec<&str> = set.key.split('.').collect();
    let last = parts.pop().ok_or_else(refuse)?;
    let mut here = table;
    for part in parts {
        let next = here.entry(part).or_insert_with(|| Value::Table(Table::new()));
        here = next.as_table_mut().ok_or_else(refuse)?;
    }
    here.insert(last.to_owned(), value_of(&set.value));
    Ok(())
}

fn value_of(text: &str) -> Value {
    let text_value = || Value::String(text.to_owned());
    match text {
        "true" => Value::Boolean(true),
        "false" => Value::Boolean(false),
        list if list.starts_with('[') => format!("value = {list}")
            .parse::<Table>()
            .ok()
            .and_then(|mut table| table.remove("value"))
            .unwrap_or_else(text_value),
        other => other.parse::<i64>().map_or_else(|_| text_value(), Value::Integer),
    }
}

fn read_from(file: Option<&Path>, overrides: &[Override]) -> String {
    let file = file.map(|path| path.display().to_string());
    let names: Vec<String> = file.into_iter().chain(overrides.iter().map(|set| set.source.clone())).collect();
    if names.is_empty() { "defaults".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(default)]
        listen: String,
        #[serde(default)]
        tls: Tls,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Tls {
        handshake_ms: u32,
    }

    fn set(key: &str, value: &str) -> Override {
        Override { key: key.into(), value: value.into(), source: format!("--{key}") }
    }

    #[test]
    fn overrides_are_laid_over_in_order() {
        let sets = [set("listen", "127.0.0.1:1"), set("tls.handshake_ms", "7"), set("listen", "127.0.0.1:2")];
        let sample: Sample = load(None, &sets).unwrap();
        assert_eq!((sample.listen.as_str(), sample.tls.handshake_ms), ("127.0.0.1:2", 7));
    }

    #[test]
    fn refusals_name_the_key_the_reason_and_the_source() {
        let check = |sets: &[Override], expect: &[&str]| {
            let error = load::<Sample>(None, sets).unwrap_err().to_string();
            for part in expect {
                assert!(error.contains(part), "{error} has no {part}");
            }
        };
        check(&[set("lisen", "x")], &["unknown field `lisen`", "listen", "--lisen"]);
        check(&[set("tls.handshake_ms", "soon")], &["tls.handshake_ms", "u32"]);
        check(&[set("listen", "x"), set("listen.a", "x")], &["listen.a"]);
    }

    #[test]
    fn a_syntax_error_names_file_and_line() {
        let path = std::env::temp_dir().join(format!("breakwater-config-{}.toml", std::process::id()));
        std::fs::write(&path, "a = 1\nb = = 2\n").unwrap();
        let error = load::<Sample>(Some(&path), &[]).unwrap_err().to_string();
        std::fs::remove_file(&path).unwrap();
        assert!(error.contains("line 2"), "{error}");
        assert!(
            load::<Sample>(Some(Path::new("/nonexistent")), &[])
                .unwrap_err()
                .to_string()
                .contains("/nonexistent")
        );
    }
}
