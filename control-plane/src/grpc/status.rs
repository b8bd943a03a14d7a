//! Every error of the control plane as a gRPC status with `google.rpc` details, in this one place.

use std::collections::BTreeMap;

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::violation::Violation;
use prost::Message;
use prost_types::Any;
use serde_json::{Value, json};
use tonic::{Code, Status};

use crate::admin::AdminError;
use crate::replica::SubmitError;

const DOMAIN: &str = "breakwater.v1";
const TYPE_PREFIX: &str = "type.googleapis.com/google.rpc.";
/// Reason of a write whose outcome nobody knows; its metadata name the request id to ask again with.
pub(crate) const OUTCOME_UNKNOWN: &str = "OUTCOME_UNKNOWN";
/// Reason of a refusal that is in the ledger; its metadata name the record.
pub(crate) const REFUSED: &str = "REFUSED";

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<Any>,
}

/// `google.rpc.BadRequest`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BadRequest {
    #[prost(message, repeated, tag = "1")]
    pub(crate) field_violations: Vec<FieldViolation>,
}

/// `google.rpc.BadRequest.FieldViolation`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct FieldViolation {
    #[prost(string, tag = "1")]
    pub(crate) field: String,
    #[prost(string, tag = "2")]
    pub(crate) description: String,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ErrorInfo {
    #[prost(string, tag = "1")]
    pub(crate) reason: String,
    #[prost(string, tag = "2")]
    pub(crate) domain: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub(crate) metadata: BTreeMap<String, String>,
}

/// Returns the status of a refusal with these violations.
pub(crate) fn refused(kind: ErrorKind, violations: &[Violation]) -> Status {
    status(kind, &message_of(violations), bad_request(violations).into_iter().collect())
}

/// Returns a status of one sentence.
pub(crate) fn plain(kind: ErrorKind, message: &str) -> Status {
    status(kind, message, Vec::new())
}

/// Returns the status of what the door answered.
pub(crate) fn from_admin(error: AdminError) -> Status {
    match error {
        AdminError::Denied { .. } => plain(ErrorKind::PermissionDenied, &error.to_string()),
        AdminError::Refused(refusal) => {
            let mut details: Vec<Any> = bad_request(&refusal.violations).into_iter().collect();
            if let Some(index) = refusal.ledger_index {
                details.push(info(REFUSED, "ledger_index", &index.to_string()));
            }
            status(refusal.kind, &message_of(&refusal.violations), details)
        }
        AdminError::Submit(error) => from_submit(&error),
    }
}

/// Returns the kind of a status.
pub(crate) fn kind_of(status: &Status) -> ErrorKind {
    match status.code() {
        // tonic's words for a message over the limit and for a method that is not there.
        Code::OutOfRange => ErrorKind::ResourceExhausted,
        Code::Cancelled => ErrorKind::DeadlineExceeded,
        code => ErrorKind::from_grpc_code(i32::from(code)),
    }
}

/// Writes the details of a status as JSON, each with its `@type`. Types that we do not send are left out.
pub(crate) fn details_json(status: &RpcStatus) -> Vec<Value> {
    status.details.iter().filter_map(detail_json).collect()
}

fn detail_json(detail: &Any) -> Option<Value> {
    let kind = detail.type_url.strip_prefix(TYPE_PREFIX)?;
    match kind {
        "BadRequest" => {
            let message = BadRequest::decode(detail.value.as_slice()).ok()?;
            let fields = message.field_violations.iter();
            let fields: Vec<Value> = fields
                .map(|violation| json!({"field": violation.field, "description": violation.description}))
                .collect();
            Some(json!({"@type": detail.type_url, "field_violations": fields}))
        }
        "ErrorInfo" => {
            let message = ErrorInfo::decode(detail.value.as_slice()).ok()?;
            Some(json!({
                "@type": detail.type_url,
                "reason": message.reason,
                "domain": message.domain,
                "metadata": message.metadata,
            }))
        }
        _ => None,
    }
}

fn from_submit(error: &SubmitError) -> Status {
    let message = error.to_string();
    match error {
        SubmitError::Busy => plain(ErrorKind::ResourceExhausted, &message),
        SubmitError::NoLeader | SubmitError::Stopped => plain(ErrorKind::Unavailable, &message),
        SubmitError::Unknown { request_id } => {
            let details = vec![info(OUTCOME_UNKNOWN, "request_id", request_id)];
            status(ErrorKind::DeadlineExceeded, &message, details)
        }
    }
}

fn status(kind: ErrorKind, message: &str, details: Vec<Any>) -> Status {
    let (code, ..) = kind.faces();
    if details.is_empty() {
        return Status::new(Code::from(code), message);
    }
    let whole = RpcStatus { code, message: message.to_owned(), details };
    Status::with_details(Code::from(code), message, whole.encode_to_vec().into())
}

fn message_of(violations: &[Violation]) -> String {
    match violations {
        [] => "refused".to_owned(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    }
}

/// A violation of an apply says which manifest: `manifests[2].spec.policies[0]`. Its resource stands in the description.
fn bad_request(violations: &[Violation]) -> Option<Any> {
    let field_of = |violation: &Violation| match violation.document.and_then(|number| number.checked_sub(1)) {
        Some(index) if violation.field_path.is_empty() => format!("manifests[{index}]"),
        Some(index) => format!("manifests[{index}].{}", violation.field_path),
        None => violation.field_path.clone(),
    };
    let description_of = |violation: &Violation| match violation.resource.as_str() {
        "" => violation.message.clone(),
        resource => format!("{resource}: {}", violation.message),
    };
    let field_violations = violations
        .iter()
        .map(|violation| FieldViolation {
            field: field_of(violation),
            description: description_of(violation),
        })
        .collect::<Vec<_>>();
    (!field_violations.is_empty()).then(|| any("BadRequest", &BadRequest { field_violations }))
}

fn info(reason: &str, name: &str, value: &str) -> Any {
    let metadata = BTreeMap::from([(name.to_owned(), value.to_owned())]);
    any("ErrorInfo", &ErrorInfo { reason: reason.to_owned(), domain: DOMAIN.to_owned(), metadata })
}

fn any(name: &str, message: &impl Message) -> Any {
    Any { type_url: format!("{TYPE_PREFIX}{name}"), value: message.encode_to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_violation_is_in_the_details() {
        let mut second = Violation::at("spec.policies[0]", "no Policy named \"x\"");
        second.document = Some(3);
        second.resource = "Route/r".to_owned();
        let status =
            refused(ErrorKind::InvalidArgument, &[Violation::at("spec.type", "is required"), second]);
        let details = details_json(&RpcStatus::decode(status.details()).unwrap());
        assert_eq!(
            details,
            [json!({"@type": "type.googleapis.com/google.rpc.BadRequest", "field_violations": [
                {"field": "spec.type", "description": "is required"},
                {"field": "manifests[2].spec.policies[0]", "description": "Route/r: no Policy named \"x\""},
            ]})]
        );
        assert_eq!(status.message(), "spec.type: is required (and 1 more)");
    }

    #[test]
    fn an_unknown_outcome_names_the_request_id() {
        let status = from_admin(SubmitError::Unknown { request_id: "r-1".to_owned() }.into());
        assert_eq!(kind_of(&status), ErrorKind::DeadlineExceeded);
        let details = details_json(&RpcStatus::decode(status.details()).unwrap());
        assert_eq!(details[0]["metadata"]["request_id"], "r-1");
    }
}
