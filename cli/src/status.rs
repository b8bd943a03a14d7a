//! Violations out of a gRPC status: `google.rpc.Status` in the `grpc-status-details-bin` trailer, with a
//! `google.rpc.BadRequest` among its details.
//!
//! Source of the numbers: googleapis, google/rpc/status.proto and error_details.proto.

use breakwater_common::{resource::Kind, violation::Violation};
use prost::Message;
use tonic::Status;

const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

#[derive(Clone, PartialEq, Message)]
struct BadRequest {
    #[prost(message, repeated, tag = "1")]
    field_violations: Vec<FieldViolation>,
}

#[derive(Clone, PartialEq, Message)]
struct FieldViolation {
    #[prost(string, tag = "1")]
    field: String,
    #[prost(string, tag = "2")]
    description: String,
}

/// Returns the violations that a status carries; none if it carries none.
#[must_use]
pub fn violations(status: &Status) -> Vec<Violation> {
    let details = RpcStatus::decode(status.details()).map(|rpc| rpc.details).unwrap_or_default();
    let requests = details.iter().filter(|any| any.type_url == BAD_REQUEST);
    requests
        .filter_map(|any| BadRequest::decode(any.value.as_slice()).ok())
        .flat_map(|request| request.field_violations)
        .map(|violation| read(&violation.field, &violation.description))
        .collect()
}

/// Reads `manifests[2].spec.policies[0]` and `Route/r: no Policy named "x"`.
fn read(field: &str, description: &str) -> Violation {
    let manifest = field.strip_prefix("manifests[").and_then(|rest| rest.split_once(']'));
    let index = manifest.and_then(|(index, _)| index.parse::<u32>().ok());
    let field_path = match (index, manifest) {
        (Some(_), Some((_, rest))) => rest.trim_start_matches('.'),
        (None, _) | (_, None) => field,
    };
    let named = description.split_once(": ").filter(|(resource, _)| {
        resource.split_once('/').is_some_and(|(kind, _)| Kind::parse(kind).is_some())
    });
    let (resource, message) = named.unwrap_or(("", description));
    let mut violation = Violation::at(field_path, message);
    violation.document = index.map(|index| index.saturating_add(1));
    violation.resource = resource.to_owned();
    violation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violations_are_read_back_with_their_document_and_resource() {
        let check = |field: &str, description: &str, expect: &str| {
            assert_eq!(read(field, description).to_string(), expect);
        };
        check(
            "manifests[2].spec.policies[0]",
            "Route/r: no Policy named \"x\"",
            "document 3: Route/r: spec.policies[0]: no Policy named \"x\"",
        );
        check("manifests[0]", "given twice", "document 1: given twice");
        check("spec.type", "is required: one of a, b", "spec.type: is required: one of a, b");
        check("manifests[x]", "odd", "manifests[x]: odd");
        assert!(violations(&Status::not_found("x")).is_empty());
    }
}
