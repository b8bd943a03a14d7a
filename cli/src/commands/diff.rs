//! `diff`: what an apply would change, line by line. Secrets are never shown: both sides say "(sealed)".

use std::convert::Infallible;

use breakwater_common::{
    manifest::{json_to_yaml, map_secrets, message_to_json, spec_descriptor},
    resource::SEALED_PLACEHOLDER,
};
use prost_reflect::DynamicMessage;
use serde_json::{Value, json};

use super::{
    Context,
    apply::{Mode, send},
    list, part, resources, text,
};
use crate::{
    args::DiffArguments,
    client::Client,
    failure::Failure,
    manifests::{self, Manifest},
};

/// Lines of one resource that are compared; beyond it both sides are shown whole. The comparison takes their product.
const LINES_MAX: usize = 4_000;

pub(super) async fn run(context: &Context, arguments: &DiffArguments) -> Result<(), Failure> {
    let manifests = manifests::load(&arguments.files)?;
    let mut client = context.connect().await?;
    let reply = send(&mut client, &manifests, Mode { dry_run: true, prune: false }, "").await?;
    let mut changed = Vec::new();
    for change in list(&reply, "changes").iter().filter(|change| change["change"] != "unchanged") {
        let (kind, name) = (text(change, "/kind"), text(change, "/name"));
        let manifest = manifests
            .iter()
            .find(|manifest| manifest.document.kind.as_str() == kind && manifest.document.name == name);
        let Some(manifest) = manifest else { continue };
        let before =
            if change["change"] == "created" { String::new() } else { stored(&mut client, manifest).await? };
        let lines = compare(&before, &wanted(manifest)?);
        changed.push((format!("{kind}/{name}"), text(change, "/change"), lines));
    }
    let entry = |(resource, change, lines): &(String, String, Vec<String>)| json!({"resource": resource, "change": change, "lines": lines});
    let value: Vec<Value> = changed.iter().map(entry).collect();
    context.output.data(&Value::Array(value), || {
        changed.iter().map(|(resource, change, lines)| section(resource, change, lines)).collect()
    });
    context.output.talk(&format!("{} of {} resources would change", changed.len(), manifests.len()));
    Ok(())
}

fn section(resource: &str, change: &str, lines: &[String]) -> String {
    let only_secrets = lines.iter().all(|line| line.starts_with(' '));
    let body = if only_secrets { "  (a secret differs)".to_owned() } else { lines.join("\n") };
    format!("{resource} would be {change}\n{body}\n")
}

async fn stored(client: &mut Client, manifest: &Manifest) -> Result<String, Failure> {
    let resource = resources::fetch(client, manifest.document.kind, &manifest.document.name).await?;
    Ok(json_to_yaml(&json!({"spec": part(&resource, "spec")}), &[]))
}

fn wanted(manifest: &Manifest) -> Result<String, Failure> {
    let document = &manifest.document;
    let sealed: Result<Vec<u8>, Infallible> =
        map_secrets(document.kind, &document.spec, &mut |_, _| Ok(SEALED_PLACEHOLDER.to_owned()));
    let Ok(spec) = sealed;
    let message = DynamicMessage::decode(spec_descriptor(document.kind), spec.as_slice())
        .map_err(|_| Failure::failed(format!("{} does not decode", document.name)))?;
    Ok(json_to_yaml(&json!({"spec": message_to_json(&message)}), &[]))
}

/// Compares two texts by lines: "- " only before, "+ " only after, "  " both. Unchanged lines further than three from a
/// change are left out.
fn compare(before: &str, after: &str) -> Vec<String> {
    const CONTEXT: usize = 3;
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let all = if before.len().max(after.len()) > LINES_MAX {
        let removed = before.iter().map(|line| ('-', *line));
        removed.chain(after.iter().map(|line| ('+', *line))).collect()
    } else {
        align(&before, &after)
    };
    let near = |at: usize| {
        let window = all.iter().skip(at.saturating_sub(CONTEXT)).take(at.min(CONTEXT) + CONTEXT + 1);
        window.into_iter().any(|(mark, _)| *mark != ' ')
    };
    let kept = all.iter().enumerate().filter(|(at, _)| near(*at));
    kept.map(|(_, (mark, line))| format!("{mark} {line}")).collect()
}

/// Aligns two lists by their longest common subsequence.
fn align<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<(char, &'a str)> {
    let width = after.len() + 1;
    let mut lengths = vec![0_u32; (before.len() + 1) * width];
    let at = |row: usize, column: usize| row * width + column;
    let read = |lengths: &[u32], row, column| lengths.get(at(row, column)).copied().unwrap_or(0);
    for (row, old) in before.iter().enumerate().rev() {
        for (column, new) in after.iter().enumerate().rev() {
            let length = if old == new {
                read(&lengths, row + 1, column + 1) + 1
            } else {
                read(&lengths, row + 1, column).max(read(&lengths, row, column + 1))
            };
            if let Some(cell) = lengths.get_mut(at(row, column)) {
                *cell = length;
            }
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut aligned = Vec::new();
    loop {
        match (before.get(row), after.get(column)) {
            (Some(old), Some(new)) if old == new => {
                aligned.push((' ', *old));
                row += 1;
                column += 1;
            }
            (Some(old), new)
                if new.is_none() || read(&lengths, row + 1, column) >= read(&lengths, row, column + 1) =>
            {
                aligned.push(('-', *old));
                row += 1;
            }
            (_, Some(new)) => {
                aligned.push(('+', *new));
                column += 1;
            }
            (_, None) => return aligned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_shown_with_its_surroundings() {
        let check = |before: &str, after: &str, expect: &[&str]| assert_eq!(compare(before, after), expect);
        check("a\nb\nc", "a\nB\nc", &["  a", "- b", "+ B", "  c"]);
        check("", "a", &["+ a"]);
        check("a\nb", "a\nb", &[]);
        check("1\n2\n3\n4\n5\n6", "1\n2\n3\n4\n5\nsix", &["  3", "  4", "  5", "- 6", "+ six"]);
        check("x\na\nb", "a\nb\ny", &["- x", "  a", "  b", "+ y"]);
    }
}
