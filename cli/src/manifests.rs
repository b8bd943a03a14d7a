//! Files of resources: found, read, variables expanded, checked, and made into a request.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use breakwater_common::{
    limits::MANIFEST_BYTES_MAX,
    manifest::{Document, expand_variables, parse_yaml, spec_descriptor},
    resource::Kind,
    violation::Violation,
};
use prost_reflect::{DynamicMessage, MessageDescriptor, Value};

use crate::failure::{Exit, Failure};

/// Endings of the files that are read from a directory.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// One resource and the file that it came from.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The file, as people call it; "stdin" for `-`.
    pub file: String,
    /// What stands in it.
    pub document: Document,
}

/// Reads files, the files of directories by name, and `-` for stdin.
///
/// Errors: files that cannot be read, and every violation in them with file, document and line. Exit code 1, or 2 if
/// there is nothing to read.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Manifest>, Failure> {
    let mut manifests = Vec::new();
    let mut lines = Vec::new();
    for path in files(paths)? {
        let (file, bytes) = read(&path)?;
        match text(bytes).and_then(|text| parse(&text, &|name| std::env::var(name).ok())) {
            Ok(documents) => manifests
                .extend(documents.into_iter().map(|document| Manifest { file: file.clone(), document })),
            Err(violations) => {
                lines.extend(violations.iter().map(|violation| format!("{file}: {violation}")))
            }
        }
    }
    if !lines.is_empty() {
        lines.insert(0, "nothing was applied; mend these and try again".to_owned());
        return Err(Failure { exit: Exit::Failed, lines });
    }
    if manifests.is_empty() {
        return Err(Failure::usage("there is no resource in the files"));
    }
    Ok(manifests)
}

/// Reads one text. The variables of `lookup` are put in first.
pub fn parse(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Document>, Vec<Violation>> {
    parse_yaml(&expand_variables(text, lookup)?)
}

/// Makes an `ApplyRequest` of resources, without its other fields.
///
/// Errors: a spec that does not decode, which is a defect of ours.
pub fn request<'a>(
    descriptor: &MessageDescriptor,
    documents: impl IntoIterator<Item = &'a Document>,
) -> Result<DynamicMessage, Failure> {
    let mut manifests = Vec::new();
    for document in documents {
        manifests.push(Value::Message(manifest(descriptor, document)?));
    }
    let mut request = DynamicMessage::new(descriptor.clone());
    request.set_field_by_name("manifests", Value::List(manifests));
    Ok(request)
}

fn manifest(request: &MessageDescriptor, document: &Document) -> Result<DynamicMessage, Failure> {
    let defect =
        |what: &str| Failure::failed(format!("{} {}: {what}", document.kind.as_str(), document.name));
    let spec = DynamicMessage::decode(spec_descriptor(document.kind), document.spec.as_slice())
        .map_err(|_| defect("the spec does not decode"))?;
    let descriptor =
        request.get_field_by_name("manifests").and_then(|field| field.kind().as_message().cloned());
    let descriptor = descriptor.ok_or_else(|| defect("ApplyRequest has no manifests"))?;
    let field = descriptor.fields().find(|field| {
        field.kind().as_message().is_some_and(|message| message.name() == document.kind.as_str())
    });
    let field = field.ok_or_else(|| defect("Manifest has no field for this kind"))?;
    let resource = field.kind().as_message().cloned().ok_or_else(|| defect("its field is no message"))?;
    let mut resource = DynamicMessage::new(resource);
    resource.set_field_by_name("kind", Value::String(document.kind.as_str().to_owned()));
    resource.set_field_by_name("name", Value::String(document.name.clone()));
    resource.set_field_by_name("spec", Value::Message(spec));
    let mut manifest = DynamicMessage::new(descriptor);
    manifest.set_field(&field, Value::Message(resource));
    Ok(manifest)
}

/// Adds file and line to a violation that the server found. Its document number counts through all files.
#[must_use]
pub fn locate(manifests: &[Manifest], violation: &Violation) -> String {
    let by_number = violation
        .document
        .and_then(|number| usize::try_from(number).ok()?.checked_sub(1))
        .and_then(|index| manifests.get(index));
    let by_name = || {
        let (kind, name) = violation.resource.split_once('/')?;
        let kind = Kind::parse(kind)?;
        manifests.iter().find(|manifest| manifest.document.kind == kind && manifest.document.name == name)
    };
    let Some(manifest) = by_number.or_else(by_name) else {
        return violation.to_string();
    };
    let document = &manifest.document;
    let located = Violation {
        document: Some(document.number),
        line: document.lines.line(&violation.field_path).or(Some(document.line)),
        resource: format!("{}/{}", document.kind.as_str(), document.name),
        ..violation.clone()
    };
    format!("{}: {located}", manifest.file)
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let cannot = |error| Failure::usage(format!("cannot read the directory {}: {error}", path.display()));
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(cannot)? {
            let file = entry.map_err(cannot)?.path();
            let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            if ENDINGS.contains(&ending) && file.is_file() {
                found.push(file);
            }
        }
        if found.is_empty() {
            return Err(Failure::usage(format!("{} has no .yaml, .yml or .json file", path.display())));
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

fn read(path: &Path) -> Result<(String, Vec<u8>), Failure> {
    let stdin = path.as_os_str() == "-";
    let file = if stdin { "stdin".to_owned() } else { path.display().to_string() };
    let cannot = |error: &dyn std::fmt::Display| Failure::usage(format!("cannot read {file}: {error}"));
    let limit = u64::try_from(MANIFEST_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let read = if stdin {
        std::io::stdin().lock().take(limit + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|open| open.take(limit + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| cannot(&error))?;
    if bytes.len() > MANIFEST_BYTES_MAX {
        return Err(cannot(&format!("it is larger than {MANIFEST_BYTES_MAX} bytes; split it")));
    }
    Ok((file, bytes))
}

fn text(bytes: Vec<u8>) -> Result<String, Vec<Violation>> {
    String::from_utf8(bytes).map_err(|error| {
        let right = error.utf8_error().valid_up_to();
        let before = error.as_bytes().iter().take(right);
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        let mut violation =
            Violation::at("", format!("not UTF-8 from byte {right} on; save the file as UTF-8"));
        violation.line = u32::try_from(line).ok();
        vec![violation]
    })
}

#[cfg(test)]
mod tests {
    use breakwater_common::manifest::message_to_json;

    use super::*;
    use crate::rpc::Method;

    const TEXT: &str = "kind: Endpoint\nname: a\nspec: {provider: p, model: \"${M:-m}\"}\n---\nkind: Tenant\nname: t\nspec:\n  routes:\n    - gone\n";

    #[test]
    fn documents_become_manifests_of_their_kind() {
        let documents = parse(TEXT, &|_| None).unwrap();
        let method = Method::find("ApplyService", "Apply").unwrap();
        let json = message_to_json(&request(&method.input(), &documents).unwrap());
        assert_eq!(json["manifests"][0]["endpoint"]["spec"]["model"], "m");
        assert_eq!(json["manifests"][1]["tenant"]["name"], "t");
    }

    #[test]
    fn bytes_that_are_no_text_are_named_by_line() {
        assert_eq!(text(b"a: b\n".to_vec()).unwrap(), "a: b\n");
        let violations = text(b"a: b\nc: caf\xe9\n".to_vec()).unwrap_err();
        let said: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["line 2: not UTF-8 from byte 11 on; save the file as UTF-8"]);
    }

    #[test]
    fn what_the_server_finds_gets_its_file_and_line() {
        let documents = parse(TEXT, &|_| None).unwrap();
        let manifests: Vec<Manifest> =
            documents.into_iter().map(|document| Manifest { file: "x.yaml".to_owned(), document }).collect();
        let mut violation = Violation::at("spec.routes[0]", "no Route named \"gone\"");
        violation.resource = "Tenant/t".to_owned();
        let expect = "x.yaml: document 2, line 9: Tenant/t: spec.routes[0]: no Route named \"gone\"";
        assert_eq!(locate(&manifests, &violation), expect);
        violation.document = Some(2);
        assert_eq!(locate(&manifests, &violation), expect);
        violation = Violation::at("prune", "refused");
        assert_eq!(locate(&manifests, &violation), "prune: refused");
    }
}
