//! The table of REST paths, read from the descriptors: one entry for each `google.api.http` binding.

use std::collections::BTreeSet;

use http::Method;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, ReflectMessage, Value};

use super::template::{Bindings, Template};

/// One binding.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    pub(super) verb: Method,
    pub(super) template: Template,
    /// The request field that the body fills; `*` is the whole request, empty is no body.
    pub(super) body: String,
    pub(super) rpc: MethodDescriptor,
}

/// All bindings.
#[derive(Debug)]
pub(super) struct Table {
    bindings: Vec<Binding>,
}

/// What a path leads to.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// An RPC, with what the path binds.
    Rpc(&'a Binding, Bindings),
    /// The path is known, with these verbs.
    OtherVerbs(BTreeSet<String>),
    /// The path is not known.
    Nothing,
}

impl Table {
    /// Reads the bindings of all services. The error is for who writes proto files.
    pub(super) fn read(pool: &DescriptorPool) -> Result<Self, String> {
        let extension = pool
            .get_extension_by_name("google.api.http")
            .ok_or("google/api/annotations.proto is not among the descriptors")?;
        let mut bindings = Vec::new();
        for rpc in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
            let options = rpc.options();
            if !options.has_extension(&extension) {
                continue;
            }
            if let Value::Message(rule) = options.get_extension(&extension).as_ref() {
                bindings_of(&rpc, rule, &mut bindings)?;
            }
        }
        bindings.sort_by_key(|binding| binding.template.variables());
        Ok(Self { bindings })
    }

    /// Finds what a verb and a path lead to.
    pub(super) fn find(&self, verb: &Method, path: &str) -> Found<'_> {
        let mut verbs = BTreeSet::new();
        for binding in &self.bindings {
            let Some(bound) = binding.template.matches(path) else { continue };
            if binding.verb == *verb {
                return Found::Rpc(binding, bound);
            }
            verbs.insert(binding.verb.to_string());
        }
        if verbs.is_empty() { Found::Nothing } else { Found::OtherVerbs(verbs) }
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Binding> {
        self.bindings.iter()
    }
}

fn bindings_of(rpc: &MethodDescriptor, rule: &DynamicMessage, into: &mut Vec<Binding>) -> Result<(), String> {
    let http_rule = rule.descriptor();
    let pattern = http_rule.oneofs().flat_map(|oneof| oneof.fields().collect::<Vec<_>>());
    let Some(field) = pattern.into_iter().find(|field| rule.has_field(field)) else {
        return Err(format!("{} has a binding without a path", rpc.full_name()));
    };
    let value = rule.get_field(&field);
    let path = value.as_str().ok_or_else(|| format!("{}: custom verbs are not read", rpc.full_name()))?;
    let verb = Method::from_bytes(field.name().to_ascii_uppercase().as_bytes())
        .map_err(|_| format!("{}: {} is no verb", rpc.full_name(), field.name()))?;
    let body = text(rule, "body");
    if !text(rule, "response_body").is_empty() {
        return Err(format!("{}: response_body is not read", rpc.full_name()));
    }
    into.push(Binding { verb, template: Template::parse(path)?, body, rpc: rpc.clone() });
    let more = rule.get_field_by_name("additional_bindings");
    for nested in more.iter().filter_map(|value| value.as_list()).flatten().filter_map(Value::as_message) {
        bindings_of(rpc, nested, into)?;
    }
    Ok(())
}

fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use breakwater_proto::DESCRIPTORS;

    use super::*;

    fn table() -> Table {
        Table::read(&DESCRIPTORS).unwrap()
    }

    #[test]
    fn every_unary_rpc_but_those_of_proxies_has_a_path() {
        let table = table();
        let bound: BTreeSet<String> =
            table.iter().map(|binding| binding.rpc.full_name().to_owned()).collect();
        for service in DESCRIPTORS.services() {
            for rpc in service.methods() {
                let unary = !rpc.is_client_streaming() && !rpc.is_server_streaming();
                assert_eq!(bound.contains(rpc.full_name()), unary, "{}", rpc.full_name());
            }
        }
    }

    #[test]
    fn paths_lead_to_their_rpc() {
        let table = table();
        let check = |verb: Method, path: &str, expect: &str| match table.find(&verb, path) {
            Found::Rpc(binding, _) => assert_eq!(binding.rpc.name(), expect),
            other => panic!("{verb} {path}: {other:?}"),
        };
        check(Method::GET, "/v1/providers/openai", "GetProvider");
        check(Method::PATCH, "/v1/delivery-workflows/x", "UpdateDeliveryWorkflow");
        check(Method::POST, "/v1/keys/7:revoke", "RevokeKey");
        check(Method::POST, "/v1/resources:apply", "Apply");
        check(Method::GET, "/v1/admin/providers/status", "GetProviderStatus");
        check(Method::GET, "/api/health/ping", "Ping");
        assert!(matches!(table.find(&Method::GET, "/v2/providers"), Found::Nothing));
        assert!(matches!(table.find(&Method::PUT, "/v1/providers/x"), Found::OtherVerbs(verbs)
            if verbs.iter().map(String::as_str).eq(["DELETE", "GET", "PATCH"])));
    }
}
