//! The REST face of the API: every public unary RPC has exactly one, and no two are alike.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail")]

use std::collections::BTreeMap;

use breakwater_proto::DESCRIPTORS;
use prost_reflect::{MethodDescriptor, Value};

/// Services that proxies call; their RPCs are streams and have no REST face.
const WITHOUT_REST: [&str; 1] = ["breakwater.v1.ProxyService"];

fn http_rule(method: &MethodDescriptor) -> Option<(String, String)> {
    let extension =
        DESCRIPTORS.get_extension_by_name("google.api.http").expect("annotations.proto declares it");
    let options = method.options();
    if !options.has_extension(&extension) {
        return None;
    }
    let rule = options.get_extension(&extension);
    let rule = rule.as_message().expect("HttpRule is a message");
    ["get", "put", "post", "delete", "patch"].into_iter().find_map(|verb| {
        let path = rule.get_field_by_name(verb)?;
        match path.as_ref() {
            Value::String(path) if !path.is_empty() => Some((verb.to_owned(), path.clone())),
            _ => None,
        }
    })
}

#[test]
fn every_public_unary_rpc_has_one_rest_path_and_no_two_are_alike() {
    let mut seen = BTreeMap::new();
    let mut unary = 0;
    for service in DESCRIPTORS.services().filter(|service| service.full_name().starts_with("breakwater.v1."))
    {
        if WITHOUT_REST.contains(&service.full_name()) {
            continue;
        }
        for method in service.methods() {
            assert!(!method.is_client_streaming() && !method.is_server_streaming(), "{}", method.full_name());
            let (verb, path) =
                http_rule(&method).unwrap_or_else(|| panic!("{} has no path", method.full_name()));
            let shape: String = path.split('/').map(without_variable).collect::<Vec<_>>().join("/");
            let before = seen.insert((verb.clone(), shape), method.full_name().to_owned());
            assert_eq!(before, None, "{verb} {path} belongs to two RPCs");
            unary += 1;
        }
    }
    assert!(unary >= 50, "the API has its standard methods: {unary}");
}

/// A segment of a path without the name of its variable: `{id}:revoke` is `{}:revoke`.
fn without_variable(part: &str) -> String {
    match part.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((_, verb)) => format!("{{}}{verb}"),
        None => part.to_owned(),
    }
}

#[test]
fn path_variables_and_bodies_name_fields_of_the_request() {
    for service in DESCRIPTORS.services().filter(|service| service.full_name().starts_with("breakwater.v1."))
    {
        for method in service.methods() {
            let Some((_, path)) = http_rule(&method) else { continue };
            for part in path.split('/').filter_map(|part| part.strip_prefix('{')) {
                let variable = part.split(['}', '=']).next().unwrap_or_default();
                let mut message = method.input();
                for (depth, name) in variable.split('.').enumerate() {
                    let field = message.get_field_by_name(name).unwrap_or_else(|| {
                        panic!("{}: no field {variable} (part {depth})", method.full_name())
                    });
                    if let prost_reflect::Kind::Message(inner) = field.kind() {
                        message = inner;
                    }
                }
            }
        }
    }
}
