//! The only place that prints. stdout is data, stderr is talk; a reader that left early is no error.

use std::io::Write;

use breakwater_common::manifest::json_to_yaml;
use serde_json::Value;

use crate::{
    failure::{Exit, Failure},
    table::Table,
};

/// How data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs: the same shapes as the REST API's.
    Json,
    /// For people and `apply`.
    Yaml,
}

/// Where a command writes.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    format: Format,
}

impl Output {
    /// Makes an output of a format.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    /// Whether people read it.
    #[must_use]
    pub fn is_table(&self) -> bool {
        self.format == Format::Table
    }

    /// Writes data: for people what `table` makes, for programs the value.
    pub fn data(&self, value: &Value, table: impl FnOnce() -> String) {
        match self.format {
            Format::Table => self.text(&table()),
            Format::Json => self.text(&format!("{value:#}\n")),
            Format::Yaml => self.text(&json_to_yaml(value, &[])),
        }
    }

    /// Writes rows: a table, or the values.
    pub fn rows(&self, value: &Value, table: &Table) {
        self.data(value, || table.render());
    }

    /// Writes resources: a table, a JSON value, or YAML documents that can be applied.
    pub fn resources(&self, value: &Value, table: &Table) {
        if self.format == Format::Yaml {
            let one = std::slice::from_ref(value);
            let documents = value.as_array().map_or(one, Vec::as_slice);
            let documents: Vec<String> = documents.iter().map(resource_yaml).collect();
            self.text(&documents.join("---\n"));
        } else {
            self.rows(value, table);
        }
    }

    /// Writes text to stdout as it is.
    pub fn text(&self, text: &str) {
        // A closed pipe (`| head`) is the reader's choice.
        drop(std::io::stdout().write_all(text.as_bytes()));
    }

    /// Says a line on stderr.
    pub fn talk(&self, line: &str) {
        drop(writeln!(std::io::stderr(), "{line}"));
    }
}

/// Says what clap has to say: help and version are data on stdout, wrong usage is talk on stderr.
pub fn usage(error: &clap::Error) -> Exit {
    drop(error.print());
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}

/// Says a failure on stderr: the first line after "error: ".
pub fn complain(failure: &Failure) {
    let mut lines = failure.lines.iter();
    let mut text = format!("error: {}\n", lines.next().map_or("", String::as_str));
    for line in lines {
        text.push_str(&format!("  {}\n", line.replace('\n', "\n  ")));
    }
    drop(std::io::stderr().write_all(text.as_bytes()));
}

fn resource_yaml(resource: &Value) -> String {
    let paths = resource["not_yet_enforced"].as_array().into_iter().flatten();
    let paths: Vec<String> = paths.filter_map(Value::as_str).map(str::to_owned).collect();
    json_to_yaml(resource, &paths)
}
